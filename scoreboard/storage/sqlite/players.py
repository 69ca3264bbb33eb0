"""Players and their credentials in SQLite."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from scoreboard.errors import UsernameTaken
from scoreboard.model import Player, Projection
from scoreboard.storage.base import Credentials, PlayerStatus, Renamed
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.sessions import revoke_sessions
from scoreboard.storage.sqlite.statements import execute, fetch
from scoreboard.storage.sqlite.visibility import set_status


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
        return await self._database.read(lambda connection: _player(connection, player_id))

    async def credentials(self, skeleton: str) -> Credentials | None:
        """The player whose username has this skeleton."""
        rows = await self._database.read(lambda connection: fetch(connection, "credentials", {"skeleton": skeleton}))
        return Credentials(_from_row(rows[0]), rows[0][-1]) if rows else None

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

    async def set_status(self, player_id: str, status: PlayerStatus, now: int) -> tuple[Projection, ...]:
        """Ban, hide or restore a player: the revision of each of the player's standings rises. Raises NotFound."""
        return await self._database.write(lambda connection: set_status(connection, player_id, status, now))


def _upsert(connection: sqlite3.Connection, player_id: str, name: str | None, now: int) -> Renamed:
    known = _player(connection, player_id)
    if known is not None and name in (None, known.name):
        return Renamed(known, changed=False)
    if known is None:
        execute(connection, "insert_player", {"id": player_id, "name": name or player_id, "now": now})
    else:
        execute(connection, "rename_player", {"id": player_id, "name": name})
    stored = _player(connection, player_id)
    assert stored is not None, "the row was written in this transaction"
    return Renamed(stored, changed=known is not None)


def _player(connection: sqlite3.Connection, player_id: str) -> Player | None:
    rows = fetch(connection, "player", {"id": player_id})
    return _from_row(rows[0]) if rows else None


def _from_row(row: Sequence[Any]) -> Player:
    player_id, name, role, created_at, revision, username, banned, hidden, *_ = row
    return Player(player_id, name, role, created_at, revision, username, bool(banned), bool(hidden))
