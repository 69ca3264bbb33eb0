"""Players, sign-ins and API keys in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict, replace

from scoreboard.errors import UsernameTaken
from scoreboard.model import ApiKey, AuditEntry, Player, Session, SessionState
from scoreboard.storage.base import MAX_LIVE_SESSIONS, Credentials, Renamed
from scoreboard.storage.postgres.audit import append
from scoreboard.storage.postgres.database import Transaction
from scoreboard.storage.postgres.part import Part


class PostgresPlayers(Part):
    """`scoreboard.storage.base.Players`."""

    async def register(self, player: Player, skeleton: str, password_hash: str) -> None:
        """Store a new player. Raises UsernameTaken where the skeleton of the username is in use."""
        fields = {name: getattr(player, name) for name in ("id", "name", "revision", "role", "username", "created_at")}
        if not await self._database.execute(
            "register_player", **fields, skeleton=skeleton, password_hash=password_hash
        ):
            raise UsernameTaken

    async def player(self, player_id: str) -> Player | None:
        """One player by id."""
        rows = await self._database.read("player", id=player_id)
        return Player(*rows[0]) if rows else None

    async def credentials(self, skeleton: str) -> Credentials | None:
        """The player whose username has this skeleton."""
        rows = await self._database.read("credentials", skeleton=skeleton)
        return Credentials(Player(*rows[0][:-1]), rows[0][-1]) if rows else None

    async def password_hash(self, player_id: str) -> str | None:
        """The player's password hash, None where there is none."""
        rows = await self._database.read("password_hash", id=player_id)
        return rows[0][0] if rows else None

    async def set_password(
        self, player_id: str, verified: str, password_hash: str, now: int, except_id: str
    ) -> tuple[str, ...] | None:
        """Replace the password hash and end the player's live sessions but `except_id`; returns the ids that ended."""

        async def change(transaction: Transaction) -> tuple[str, ...] | None:
            if not await transaction.execute(
                "set_password", player_id=player_id, verified=verified, password_hash=password_hash
            ):
                return None
            rows = await transaction.fetch("revoke_sessions", player_id=player_id, now=now, except_id=except_id)
            return _ids(rows)

        return await self._database.transact(change)

    async def upsert_player(self, player_id: str, name: str | None, now: int) -> Renamed:
        """Create a backend's own player, or give a known one another name."""
        [(*fields, changed)] = await self._database.write("upsert_player", id=player_id, name=name, now=now)
        return Renamed(Player(*fields), changed)

    async def has_admin(self) -> bool:
        """Whether any player has the role `admin`."""
        [(found,)] = await self._database.read("has_admin")
        return bool(found)


class PostgresSessions(Part):
    """`scoreboard.storage.base.Sessions`; the columns stand in the order of the Struct's fields."""

    async def open_session(self, session: Session, verified: str | None = None) -> tuple[str, ...] | None:
        """Store a new session unless the password is no longer the one `verified`; returns the ids it put an end to."""
        rows = await self._database.write("open_session", **asdict(session), verified=verified, kept=MAX_LIVE_SESSIONS)
        return tuple(session_id for session_id, ended in rows if ended) if rows else None

    async def session(self, session_id: str) -> Session | None:
        """One session, revoked ones too."""
        rows = await self._database.read("session", id=session_id)
        return _session(rows[0]) if rows else None

    async def session_state(self, session_id: str) -> SessionState | None:
        """What an authenticated call needs to know."""
        states = await self.session_states([session_id])
        return states[0] if states else None

    async def session_states(self, session_ids: Sequence[str]) -> tuple[SessionState, ...]:
        """The same of many sessions; unknown ones are left out."""
        rows = await self._database.read("session_states", ids=list(session_ids))
        return tuple(SessionState(*row) for row in rows)

    async def rotate_session(self, session_id: str, counter: int, token_hash: bytes, now: int, expires_at: int) -> bool:
        """Replace the refresh token if the family still stands at `counter` and is not revoked: compare and set."""
        changed = await self._database.execute(
            "rotate_session", id=session_id, counter=counter, token_hash=token_hash, now=now, expires_at=expires_at
        )
        return changed == 1

    async def revoke_session(self, session_id: str, now: int) -> None:
        """End one session; ending it twice is no error."""
        await self._database.execute("revoke_session", id=session_id, now=now)

    async def revoke_sessions(self, player_id: str, now: int, except_id: str | None = None) -> tuple[str, ...]:
        """End the player's live sessions but `except_id`; returns the ids that ended."""
        return _ids(await self._database.write("revoke_sessions", player_id=player_id, now=now, except_id=except_id))

    async def sessions(self, player_id: str, now: int) -> tuple[Session, ...]:
        """The player's live sessions, the newest first, MAX_LIVE_SESSIONS at most."""
        rows = await self._database.read("sessions", player_id=player_id, now=now, limit=MAX_LIVE_SESSIONS)
        return tuple(_session(row) for row in rows)

    async def session_count(self, player_id: str, now: int) -> int:
        """How many live sessions the player has."""
        [(count,)] = await self._database.read("session_count", player_id=player_id, now=now)
        return int(count)


class PostgresKeys(Part):
    """`scoreboard.storage.base.Keys`."""

    async def add_key(self, key: ApiKey, entries: Sequence[AuditEntry] = ()) -> None:
        """Store a key, and audit entries."""

        async def add(transaction: Transaction) -> None:
            await transaction.execute("add_key", **{**asdict(key), "scopes": list(key.scopes)})
            await append(transaction, entries)

        await self._database.transact(add)

    async def key(self, digest: bytes) -> ApiKey | None:
        """The key with this SHA-256, revoked ones too."""
        rows = await self._database.read("key", digest=digest)
        return _key(rows[0]) if rows else None

    async def keys(self) -> tuple[ApiKey, ...]:
        """All keys, oldest first."""
        return tuple(_key(row) for row in await self._database.read("keys"))

    async def revoke_key(self, key_id: str, now: int, entries: Sequence[AuditEntry] = ()) -> bool:
        """End a key, and store audit entries; False, and nothing stored, where there is none."""

        async def revoke(transaction: Transaction) -> bool:
            if not await transaction.execute("revoke_key", id=key_id, now=now):
                return False
            await append(transaction, entries)
            return True

        return await self._database.transact(revoke)


def _ids(rows: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    return tuple(row[0] for row in rows)


def _session(row: Sequence[Any]) -> Session:
    session = Session(*row)
    previous = session.previous_hash
    return replace(
        session,
        token_hash=bytes(session.token_hash),
        previous_hash=None if previous is None else bytes(previous),
    )


def _key(row: Sequence[Any]) -> ApiKey:
    key_id, name, digest, scopes, created_at, revoked_at = row
    return ApiKey(key_id, name, bytes(digest), tuple(scopes), created_at, revoked_at)
