"""Sessions: opened by a sign-in, carried on by refresh tokens, ended by their player, by time or by a stolen token."""

from msgspec.structs import replace

from scoreboard.admission.base import Admissions
from scoreboard.audit import Audit, by_player, storable
from scoreboard.clock import SECOND, Clock, uuid7
from scoreboard.errors import PlayerBanned, Unauthenticated
from scoreboard.model import Player, Session, SessionState
from scoreboard.storage.base import Storage
from scoreboard.tokens import AccessTokens, Claims, RefreshTokens
from scoreboard.wire import SignedIn, player_out

MAX_USER_AGENT = 256

_ENDED = "The session has ended; sign in again"


class Sessions:
    """A session lasts `refresh_ttl_s` from its sign-in, and from each refresh.

    A refresh token is good once. A repeat within `grace_s`, while its successor is unused, gets the same successor, so
    that a lost answer does not sign the player out; any other reuse means that two hold the token: the session ends.
    """

    def __init__(
        self,
        storage: Storage,
        access: AccessTokens,
        refresh: RefreshTokens,
        admissions: Admissions,
        clock: Clock,
        audit: Audit,
        *,
        refresh_ttl_s: int,
        grace_s: int,
    ) -> None:
        self._storage = storage
        self._access = access
        self._refresh = refresh
        self._admissions = admissions
        self._clock = clock
        self._audit = audit
        self._refresh_ttl = refresh_ttl_s * SECOND
        self._grace = grace_s * SECOND

    async def open(self, player: Player, address: str, user_agent: str, verified: str | None = None) -> SignedIn:
        """A new session; `verified` is the password hash that the sign-in was checked against.

        Raises PlayerBanned, and Unauthenticated where the password was changed meanwhile.
        """
        if player.banned:
            raise PlayerBanned
        now = self._clock.now()
        session_id = uuid7(now)
        token = self._refresh.make(session_id, 0)
        session = Session(
            id=session_id,
            player_id=player.id,
            created_at=now,
            expires_at=now + self._refresh_ttl,
            token_hash=self._refresh.digest(token),
            last_used_at=now,
            address=address,
            user_agent=storable(user_agent)[:MAX_USER_AGENT],
        )
        ended = await self._storage.open_session(session, verified)
        if ended is None:
            raise Unauthenticated("The password was changed meanwhile")
        if ended:
            await self._admissions.revoke(player.id, ended)
        await self._admissions.learn(_state(session, player))
        return self._signed_in(player, session_id, token)

    async def renew(self, token: str, address: str, user_agent: str) -> SignedIn:
        """New tokens of the same session for a refresh token. Raises Unauthenticated, PlayerBanned."""
        session_id, counter = self._refresh.parse(token)
        known = await self._storage.session(session_id)
        player = await self.player(known.player_id if known else "")
        session = await self._unended(session_id)
        renewed = await self._successor(session, token, counter)
        if renewed is None:
            await self.end(player.id, session_id)
            detail = {"session": session_id, "address": address, "user_agent": user_agent}
            await self._audit.note("refresh.reuse", by_player(player.id), player.id, **detail)
            raise Unauthenticated(_ENDED)
        session, successor = renewed
        await self._admissions.learn(_state(session, player))
        return self._signed_in(player, session_id, successor)

    async def live(self, claims: Claims) -> SessionState:
        """The state of the session that the claims speak for. Raises Unauthenticated if it ended, PlayerBanned."""
        state = await self._admissions.session(claims.player_id, claims.session_id) or await self._learned(claims)
        if state is None or state.player_id != claims.player_id:
            raise Unauthenticated(_ENDED)
        if state.banned:  # told before that the session ended with it
            raise PlayerBanned
        if state.revoked or state.expires_at <= self._clock.now():
            raise Unauthenticated(_ENDED)
        return state

    async def player(self, player_id: str) -> Player:
        """The player of a session. Raises Unauthenticated for one who is gone, PlayerBanned."""
        player = await self._storage.player(player_id)
        if player is None:
            raise Unauthenticated(_ENDED)
        if player.banned:
            raise PlayerBanned
        return player

    async def of(self, player_id: str) -> tuple[Session, ...]:
        """The player's live sessions, newest first."""
        return await self._storage.sessions(player_id, self._clock.now())

    async def count(self, player_id: str) -> int:
        """How many live sessions the player has."""
        return await self._storage.session_count(player_id, self._clock.now())

    async def end(self, player_id: str, session_id: str) -> None:
        """End one session; ending it twice is no error."""
        await self._storage.revoke_session(session_id, self._clock.now())
        await self._admissions.revoke(player_id, [session_id])

    async def end_all(self, player_id: str, except_id: str | None = None) -> None:
        """End the player's sessions but `except_id`."""
        ended = await self._storage.revoke_sessions(player_id, self._clock.now(), except_id)
        await self._admissions.revoke(player_id, ended)

    async def change_password(self, claims: Claims, verified: str, password_hash: str) -> bool:
        """Replace a password hash and end the player's other sessions; False where it is no longer the one verified."""
        now = self._clock.now()
        ended = await self._storage.set_password(claims.player_id, verified, password_hash, now, claims.session_id)
        if ended is None:
            return False
        await self._admissions.revoke(claims.player_id, ended)
        return True

    async def _successor(self, session: Session, token: str, counter: int) -> tuple[Session, str] | None:
        """The session as it is then and the token to hand out for this one.

        None where its use is neither the first nor a repeat within grace.
        """
        digest = self._refresh.digest(token)
        if (counter, digest) == (session.counter, session.token_hash):
            successor = self._refresh.make(session.id, counter + 1)
            now = self._clock.now()
            expires_at = now + self._refresh_ttl
            hashed = self._refresh.digest(successor)
            if await self._storage.rotate_session(session.id, counter, hashed, now, expires_at):
                return replace(session, expires_at=expires_at), successor
            session = await self._unended(session.id)  # another call with this token was first
        repeat = (counter + 1, digest) == (session.counter, session.previous_hash)
        if repeat and self._clock.now() - session.rotated_at <= self._grace:
            remade = self._refresh.remake(session.id, session.counter, session.token_hash)
            return None if remade is None else (session, remade)
        return None

    async def _unended(self, session_id: str) -> Session:
        session = await self._storage.session(session_id)
        if session is None or session.revoked_at is not None or session.expires_at <= self._clock.now():
            raise Unauthenticated(_ENDED)
        return session

    async def _learned(self, claims: Claims) -> SessionState | None:
        state = await self._storage.session_state(claims.session_id)
        if state is None:
            return None
        await self._admissions.learn(state)
        # A revocation may have come while the database was read; then it stands there.
        return await self._admissions.session(state.player_id, state.id) or state

    def _signed_in(self, player: Player, session_id: str, refresh_token: str) -> SignedIn:
        return SignedIn(
            player=player_out(player),
            access_token=self._access.issue(player.id, session_id, player.role, player.created_at),
            expires_in=self._access.ttl_s,
            refresh_token=refresh_token,
        )


def _state(session: Session, player: Player) -> SessionState:
    return SessionState(
        id=session.id,
        player_id=player.id,
        role=player.role,
        expires_at=session.expires_at,
        revoked=False,
        banned=player.banned,
    )
