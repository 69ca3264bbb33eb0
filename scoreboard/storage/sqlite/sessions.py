"""Sign-ins in SQLite."""

from msgspec.structs import asdict

from scoreboard.model import Session, SessionState
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import execute, fetch


class SqliteSessions(Part):
    """`scoreboard.storage.base.Sessions`; the columns stand in the order of the Struct's fields."""

    async def open_session(self, session: Session) -> None:
        """Store a new session."""
        await self._database.write(lambda connection: execute(connection, "open_session", asdict(session)))

    async def session(self, session_id: str) -> Session | None:
        """One session, revoked ones too."""
        rows = await self._database.read(lambda connection: fetch(connection, "session", {"id": session_id}))
        return Session(*rows[0]) if rows else None

    async def session_state(self, session_id: str) -> SessionState | None:
        """What an authenticated call needs to know."""
        rows = await self._database.read(lambda connection: fetch(connection, "session_state", {"id": session_id}))
        if not rows:
            return None
        found_id, player_id, role, expires_at, revoked, banned = rows[0]
        return SessionState(found_id, player_id, role, expires_at, bool(revoked), bool(banned))

    async def rotate_session(self, session_id: str, counter: int, token_hash: bytes, now: int) -> bool:
        """Replace the refresh token if the family still stands at `counter` and is not revoked: compare and set."""
        parameters = {"id": session_id, "counter": counter, "token_hash": token_hash, "now": now}
        changed = await self._database.write(lambda connection: execute(connection, "rotate_session", parameters))
        return changed == 1

    async def revoke_session(self, session_id: str, now: int) -> None:
        """End one session; ending it twice is no error."""
        parameters = {"id": session_id, "now": now}
        await self._database.write(lambda connection: execute(connection, "revoke_session", parameters))

    async def revoke_sessions(self, player_id: str, now: int, except_id: str | None = None) -> tuple[str, ...]:
        """End the player's live sessions but `except_id`; returns the ids that ended."""
        parameters = {"player_id": player_id, "now": now, "except_id": except_id}
        rows = await self._database.write(lambda connection: fetch(connection, "revoke_sessions", parameters))
        return tuple(session_id for (session_id,) in rows)

    async def sessions(self, player_id: str, now: int) -> tuple[Session, ...]:
        """The player's live sessions, the newest first."""
        parameters = {"player_id": player_id, "now": now}
        rows = await self._database.read(lambda connection: fetch(connection, "sessions", parameters))
        return tuple(Session(*row) for row in rows)
