"""Players who are kept out, in SQLite."""

import sqlite3
from collections.abc import Sequence

from scoreboard.errors import NotFound
from scoreboard.model import AuditEntry, BoardPeriod, Player, Role
from scoreboard.oversight import HiddenStanding, Place, PlayerFilter, PlayerStatus, StatusChanged
from scoreboard.storage.sqlite.audit import append
from scoreboard.storage.sqlite.ledger import decode_tiebreakers
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.players import from_row, read_player
from scoreboard.storage.sqlite.sessions import revoke_sessions
from scoreboard.storage.sqlite.statements import execute, fetch
from scoreboard.storage.sqlite.visibility import Shown, change_status, show


class SqliteModeration(Part):
    """`scoreboard.storage.oversight.Moderation`."""

    async def set_status(
        self,
        player_id: str,
        status: PlayerStatus,
        now: int,
        *,
        until: int | None = None,
        entries: Sequence[AuditEntry] = (),
    ) -> StatusChanged:
        """Ban, hide, or lift what lies uppermost. Raises NotFound."""

        def change(connection: sqlite3.Connection) -> StatusChanged:
            shown = change_status(connection, player_id, status, now, until=until)
            if shown is None:
                raise NotFound("There is no such player.")
            append(connection, entries)
            return _changed(connection, player_id, shown)

        return await self._database.write(change)

    async def set_role(
        self, player_id: str, role: Role, now: int, entries: Sequence[AuditEntry]
    ) -> StatusChanged | None:
        """Give a player a role and end the sessions of the old one; None where nobody has that id, or it was erased."""

        def change(connection: sqlite3.Connection) -> StatusChanged | None:
            if not execute(connection, "set_role", {"id": player_id, "role": role}):
                return None
            append(connection, entries)
            ended = revoke_sessions(connection, player_id, now, None)
            return _changed(connection, player_id, Shown((), None, ended))

        return await self._database.write(change)

    async def ended_bans(self, now: int, limit: int) -> tuple[str, ...]:
        """Players whose bans ended before the instant and are not lifted yet."""
        parameters = {"now": now, "limit": limit}
        rows = await self._database.read(lambda connection: fetch(connection, "ended_bans", parameters))
        return tuple(player_id for (player_id,) in rows)

    async def lift_ended_ban(self, player_id: str, now: int, entries: Sequence[AuditEntry]) -> StatusChanged | None:
        """Lift a ban that has ended by `now`; None where somebody else did, or banned anew."""

        def lift(connection: sqlite3.Connection) -> StatusChanged | None:
            shown = change_status(connection, player_id, "active", now, ended=now)
            if shown is None:
                return None
            append(connection, entries)
            return _changed(connection, player_id, shown)

        return await self._database.write(lift)

    async def erase_player(self, player_id: str, now: int, entries: Sequence[AuditEntry]) -> StatusChanged | None:
        """Remove all that tells who a player was, and hide what is left, for ever. None where that was done before."""

        def erase(connection: sqlite3.Connection) -> StatusChanged | None:
            if read_player(connection, player_id) is None:
                raise NotFound("There is no such player.")
            named = fetch(connection, "erase_player", {"id": player_id})
            if not named:
                return None
            changes, outbox_id = show(connection, named[0], now)
            ended = tuple(row[0] for row in fetch(connection, "erase_sessions", {"id": player_id}))
            for name in ("erase_history", "erase_reviews", "erase_details"):
                execute(connection, name, {"id": player_id})
            append(connection, entries)
            return _changed(connection, player_id, Shown(changes, outbox_id, ended))

        return await self._database.write(erase)

    async def players(self, wanted: PlayerFilter, after: str | None, limit: int) -> tuple[Player, ...]:
        """Players by id, those after `after`."""
        parameters = {
            "query": wanted.query,
            "skeleton": wanted.skeleton,
            "status": wanted.status,
            "after": after or "",
            "limit": limit,
        }
        name = "players" if wanted.query else "all_players" if wanted.status is None else "players_of_status"
        rows = await self._database.read(lambda connection: fetch(connection, name, parameters))
        return tuple(from_row(row) for row in rows)

    async def hidden_standing(self, period: BoardPeriod, player_id: str) -> HiddenStanding | None:
        """The standing of a hidden player; None where nothing counts, or the player is not hidden."""
        parameters = {**period._asdict(), "player_id": player_id}
        rows = await self._database.read(lambda connection: fetch(connection, "hidden_standing", parameters))
        if not rows:
            return None
        name, score, tiebreakers, achieved_at = rows[0]
        return HiddenStanding(name, score, decode_tiebreakers(tiebreakers), achieved_at)

    async def places(self, player_id: str, limit: int) -> tuple[Place, ...]:
        """The player's standings, by board, window and period."""
        parameters = {"player_id": player_id, "limit": limit}
        rows = await self._database.read(lambda connection: fetch(connection, "places", parameters))
        return tuple(Place(BoardPeriod(*row[:3]), *row[3:]) for row in rows)


def _changed(connection: sqlite3.Connection, player_id: str, shown: Shown) -> StatusChanged:
    player = read_player(connection, player_id)
    assert player is not None, "the row was written in this transaction"
    return StatusChanged(player, shown.changes, shown.outbox_id, shown.ended)
