"""What a player, or a backend on behalf of its player, may do with an account."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from scoreboard.accounts.sessions import Sessions
from scoreboard.admission.base import Admissions
from scoreboard.attempts.base import Attempt, Attempts
from scoreboard.audit import Audit, by_player
from scoreboard.clock import Clock, rfc3339
from scoreboard.errors import BadRequest, Forbidden, RateLimited, ScoreboardError, Unauthenticated, UsernameTaken
from scoreboard.limits import network_of
from scoreboard.model import OWN_PREFIX, Player, Role, SessionState
from scoreboard.names import clean_name, clean_username, skeleton
from scoreboard.passwords import Passwords
from scoreboard.storage.base import Storage
from scoreboard.tokens import AccessTokens, Claims, RefreshTokens
from scoreboard.wire import (
    ChangePassword,
    Exchange,
    Login,
    MeOut,
    Refresh,
    Register,
    SessionsOut,
    SignedIn,
    session_out,
)

ADMIN = "admin"

_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class Accounts:
    """The use cases around accounts. `renamed` is awaited when a backend gave its player another name.

    `refresh_ttl_s` and `grace_s` are explained at `Sessions`. `address` and `user_agent` tell where a call came from.
    """

    def __init__(
        self,
        storage: Storage,
        access: AccessTokens,
        refresh: RefreshTokens,
        passwords: Passwords,
        admissions: Admissions,
        attempts: Attempts,
        clock: Clock,
        *,
        refresh_ttl_s: int,
        renamed: Callable[[Player], Awaitable[None]],
        audit: Audit,
        grace_s: int = 10,
    ) -> None:
        self._storage = storage
        self._passwords = passwords
        self._attempts = attempts
        self._clock = clock
        self._audit = audit
        self._sessions = Sessions(
            storage, access, refresh, admissions, clock, audit, refresh_ttl_s=refresh_ttl_s, grace_s=grace_s
        )
        self._renamed = renamed

    async def register(self, request: Register, address: str, user_agent: str) -> SignedIn:
        """A new player, signed in. Raises BadRequest for the names, UsernameTaken, Overloaded."""
        player = await self._create(request, "player")
        await self._audit.note("register", by_player(player.id), player.id, address=address)
        return await self._sessions.open(player, address, user_agent)

    async def login(self, request: Login, address: str, user_agent: str) -> SignedIn:
        """A session for the right password. Unknown user and wrong password get one answer, equally late.

        Raises Unauthenticated, PlayerBanned, RateLimited, Overloaded.
        """
        looks = _looks_of(request.username)
        async with self._attempt(looks, address) as attempt:
            known = await self._storage.credentials(looks) if looks else None
            right = await self._passwords.verify(
                known.password_hash if known else None, request.password, known=attempt.known
            )
        if right:
            await self._attempts.succeeded(attempt)
        subject = known.player.id if known else ""
        await self._audit.note(
            "login" if right else "login.failed",
            by_player(subject),
            subject,
            username=request.username,
            address=address,
        )
        if known is None or not right:
            raise Unauthenticated("The username or the password is wrong")
        return await self._sessions.open(known.player, address, user_agent, known.password_hash)

    async def refresh(self, request: Refresh, address: str, user_agent: str) -> SignedIn:
        """New tokens of the same session. Raises Unauthenticated, PlayerBanned."""
        return await self._sessions.renew(request.refresh_token, address, user_agent)

    async def exchange(self, request: Exchange, actor: str, address: str, user_agent: str) -> SignedIn:
        """A session for a backend's own player, created or renamed on the way; `actor` names its API key.

        Raises BadRequest for an id of ours or a bad name, PlayerBanned.
        """
        if request.player_id.startswith(OWN_PREFIX):
            raise BadRequest(f"Ids that begin with {OWN_PREFIX} belong to players registered here")
        name = None if request.name is None else clean_name(request.name)
        stored = await self._storage.upsert_player(request.player_id, name, self._clock.now())
        if stored.changed:
            await self._renamed(stored.player)
        await self._audit.note("exchange", actor, stored.player.id, address=address)
        return await self._sessions.open(stored.player, address, user_agent)

    async def logout(self, claims: Claims) -> None:
        """End this session."""
        await self._sessions.end(claims.player_id, claims.session_id)
        await self._audit.note("logout", by_player(claims.player_id), claims.session_id)

    async def logout_all(self, claims: Claims) -> None:
        """End all of the player's sessions."""
        await self._sessions.end_all(claims.player_id)
        await self._audit.note("logout.all", by_player(claims.player_id), claims.player_id)

    async def change_password(self, claims: Claims, request: ChangePassword, address: str) -> None:
        """Replace the password and end all other sessions.

        Raises Forbidden where the old one is wrong, RateLimited, Overloaded.
        """
        async with self._attempt(claims.player_id, address) as attempt:
            known = await self._storage.password_hash(claims.player_id)
            right = await self._passwords.verify(known, request.password, known=True)
        if right:
            await self._attempts.succeeded(attempt)
        if known is None or not right:
            await self._audit.note("password.failed", by_player(claims.player_id), claims.player_id)
            raise Forbidden("The old password is wrong")
        new = await self._passwords.hash(request.new_password)
        if not await self._sessions.change_password(claims, known, new):
            raise Forbidden("The password was changed meanwhile")
        await self._audit.note("password.change", by_player(claims.player_id), claims.player_id)

    async def me(self, claims: Claims) -> MeOut:
        """The player behind the claims. Raises Unauthenticated, PlayerBanned."""
        player = await self._sessions.player(claims.player_id)
        return MeOut(
            id=player.id,
            name=player.name,
            role=player.role,
            created_at=rfc3339(player.created_at),
            sessions=await self._sessions.count(player.id),
        )

    async def sessions(self, claims: Claims) -> SessionsOut:
        """The player's live sessions, newest first."""
        sessions = await self._sessions.of(claims.player_id)
        return SessionsOut(sessions=tuple(session_out(session, claims.session_id) for session in sessions))

    async def live(self, claims: Claims) -> SessionState:
        """The state of the session that the claims speak for. Raises Unauthenticated if it ended, PlayerBanned."""
        return await self._sessions.live(claims)

    async def ensure_admin(self, password: str) -> bool:
        """Create the player `admin` with that role if nobody has it; whether it was created. Raises UsernameTaken."""
        if await self._storage.has_admin():
            return False
        player = await self._create(Register(username=ADMIN, password=password), "admin")
        await self._audit.note("admin.create", "", player.id)
        return True

    async def _create(self, request: Register, role: Role) -> Player:
        username = clean_username(request.username)
        name = clean_name(request.name or username)
        looks = skeleton(username)
        if await self._storage.credentials(looks) is not None:
            raise UsernameTaken  # spares the hashing; what decides is the insert
        password_hash = await self._passwords.hash(request.password)
        player = Player(_new_player_id(), name, role, self._clock.now(), username=username)
        await self._storage.register(player, looks, password_hash)
        return player

    @asynccontextmanager
    async def _attempt(self, account: str, address: str) -> AsyncIterator[Attempt]:
        """A try at a password; it counts as wrong unless the server could not look. Raises RateLimited."""
        attempt = await self._attempts.enter(account, network_of(address))
        if attempt.wait_s is not None:
            raise RateLimited("Too many wrong passwords.", retry_after_s=attempt.wait_s)
        try:
            yield attempt
        except ScoreboardError:
            await self._attempts.withdraw(attempt)
            raise


def _looks_of(username: str) -> str:
    """How a username looks, which is what it is known by; nothing for one that nobody can have."""
    try:
        return skeleton(clean_username(username))
    except BadRequest:
        return ""


def _new_player_id() -> str:
    return OWN_PREFIX + "".join(secrets.choice(_ID_ALPHABET) for _ in range(20))
