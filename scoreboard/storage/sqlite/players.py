"""Players and their credentials in SQLite."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from scoreboard.errors import UsernameTaken
from scoreboard.model import Player
from scoreboard.storage.base import Credentials, Renamed
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.sessions import revoke_sessions
from scoreboard.storage.sqlite.statements import execute, fetch


class SqlitePlayers(Part):
    """`scoreboard.storage.base.Players`."""

    async def register(self, player: Player, skeleton: str, password_hash: str) -> None:
        """Store a new player. Raises UsernameTaken where the skeleton of the username is in use."""
        parameters = {
            "id": player.id,
            "name": player.name,
            "revision": player.revision,
            "role": player.role,
            "username": player.username,
            "skeleton": skeleton,
            "password_hash": password_hash,
            "created_at": player.created_at,
        }
        if not await self._database.write(lambda connection: execute(connection, "register_player", parameters)):
            raise UsernameTaken

    async def player(self, player_id: str) -> Player | None:
        """One player by id."""
        return await self._database.read(lambda connection: read_player(connection, player_id))

    async def credentials(self, skeleton: str) -> Credentials | None:
        """The player whose username has this skeleton."""
        rows = await self._database.read(lambda connection: fetch(connection, "credentials", {"skeleton": skeleton}))
        return Credentials(from_row(rows[0]), rows[0][-1]) if rows else None

    async def password_hash(self, player_id: str) -> str | None:
        """The player's password hash, None where there is none."""
        rows = await self._database.read(lambda connection: fetch(connection, "password_hash", {"id": player_id}))
        return rows[0][0] if rows else None

    async def set_password(
        self, player_id: str, verified: str, password_hash: str, now: int, except_id: str
    ) -> tuple[str, ...] | None:
        """Replace the password hash if it is still `verified`, and end the player's live sessions but `except_id`."""

        def change(connection: sqlite3.Connection) -> tuple[str, ...] | None:
            parameters = {"player_id": player_id, "verified": verified, "password_hash": password_hash}
            if not execute(connection, "set_password", parameters):
                return None
            return revoke_sessions(connection, player_id, now, except_id)

        return await self._database.write(change)

    async def upsert_player(self, player_id: str, name: str | None, now: int) -> Renamed:
        """Create a backend's own player, or give a known one another name (None leaves it; a new one is its id)."""
        return await self._database.write(lambda connection: _upsert(connection, player_id, name, now))

    async def has_admin(self) -> bool:
        """Whether any player has the role `admin`."""
        [(found,)] = await self._database.read(lambda connection: fetch(connection, "has_admin"))
        return bool(found)


def _upsert(connection: sqlite3.Connection, player_id: str, name: str | None, now: int) -> Renamed:
    known = read_player(connection, player_id)
    if known is not None and name in (None, known.name):
        return Renamed(known, changed=False)
    if known is None:
        execute(connection, "insert_player", {"id": player_id, "name": name or player_id, "now": now})
    else:
        execute(connection, "rename_player", {"id": player_id, "name": name})
    stored = read_player(connection, player_id)
    assert stored is not None, "the row was written in this transaction"
    return Renamed(stored, changed=known is not None)


def read_player(connection: sqlite3.Connection, player_id: str) -> Player | None:
    """One player by id, inside a transaction."""
    rows = fetch(connection, "player", {"id": player_id})
    return from_row(rows[0]) if rows else None


def from_row(row: Sequence[Any]) -> Player:
    """A player from a row that begins with the columns of the Struct's fields."""
    player_id, name, role, created_at, revision, username, banned, hidden, erased, banned_until, *_ = row
    return Player(
        player_id, name, role, created_at, revision, username, bool(banned), bool(hidden), bool(erased), banned_until
    )
