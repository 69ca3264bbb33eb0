"""Sign-ins in SQLite."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict

from scoreboard.model import Session, SessionState
from scoreboard.storage.base import MAX_LIVE_SESSIONS
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import encode, execute, fetch


class SqliteSessions(Part):
    """`scoreboard.storage.base.Sessions`; the columns stand in the order of the Struct's fields."""

    async def open_session(self, session: Session, verified: str | None = None) -> tuple[str, ...] | None:
        """Store a new session unless the password is no longer the one `verified`; returns the ids it put an end to."""

        def store(connection: sqlite3.Connection) -> tuple[str, ...] | None:
            parameters = {**asdict(session), "verified": verified, "kept": MAX_LIVE_SESSIONS}
            if not execute(connection, "open_session", parameters):
                return None
            return _ids(fetch(connection, "end_oldest_sessions", parameters))

        return await self._database.write(store)

    async def session(self, session_id: str) -> Session | None:
        """One session, revoked ones too."""
        rows = await self._database.read(lambda connection: fetch(connection, "session", {"id": session_id}))
        return Session(*rows[0]) if rows else None

    async def session_state(self, session_id: str) -> SessionState | None:
        """What an authenticated call needs to know."""
        rows = await self._database.read(lambda connection: fetch(connection, "session_state", {"id": session_id}))
        return _state(rows[0]) if rows else None

    async def session_states(self, session_ids: Sequence[str]) -> tuple[SessionState, ...]:
        """The same of many sessions; unknown ones are left out."""
        parameters = {"ids": encode(session_ids)}
        rows = await self._database.read(lambda connection: fetch(connection, "session_states", parameters))
        return tuple(_state(row) for row in rows)

    async def rotate_session(self, session_id: str, counter: int, token_hash: bytes, now: int, expires_at: int) -> bool:
        """Replace the refresh token if the family still stands at `counter` and is not revoked: compare and set."""
        parameters = {
            "id": session_id,
            "counter": counter,
            "token_hash": token_hash,
            "now": now,
            "expires_at": expires_at,
        }
        changed = await self._database.write(lambda connection: execute(connection, "rotate_session", parameters))
        return changed == 1

    async def revoke_session(self, session_id: str, now: int) -> None:
        """End one session; ending it twice is no error."""
        parameters = {"id": session_id, "now": now}
        await self._database.write(lambda connection: execute(connection, "revoke_session", parameters))

    async def revoke_sessions(self, player_id: str, now: int, except_id: str | None = None) -> tuple[str, ...]:
        """End the player's live sessions but `except_id`; returns the ids that ended."""
        return await self._database.write(lambda connection: revoke_sessions(connection, player_id, now, except_id))

    async def sessions(self, player_id: str, now: int) -> tuple[Session, ...]:
        """The player's live sessions, the newest first, MAX_LIVE_SESSIONS at most."""
        parameters = {"player_id": player_id, "now": now, "limit": MAX_LIVE_SESSIONS}
        rows = await self._database.read(lambda connection: fetch(connection, "sessions", parameters))
        return tuple(Session(*row) for row in rows)

    async def session_count(self, player_id: str, now: int) -> int:
        """How many live sessions the player has."""
        parameters = {"player_id": player_id, "now": now}
        [(count,)] = await self._database.read(lambda connection: fetch(connection, "session_count", parameters))
        return int(count)


def revoke_sessions(connection: sqlite3.Connection, player_id: str, now: int, except_id: str | None) -> tuple[str, ...]:
    """End the player's live sessions but one, inside a transaction; the ids that ended."""
    return _ids(fetch(connection, "revoke_sessions", {"player_id": player_id, "now": now, "except_id": except_id}))


def _state(row: Sequence[Any]) -> SessionState:
    session_id, player_id, role, expires_at, revoked, banned = row
    return SessionState(session_id, player_id, role, expires_at, bool(revoked), bool(banned))


def _ids(rows: list[tuple[str]]) -> tuple[str, ...]:
    return tuple(session_id for (session_id,) in rows)
