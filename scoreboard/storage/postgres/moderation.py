"""Players who are kept out, in PostgreSQL."""

from collections.abc import Sequence

from scoreboard.errors import NotFound
from scoreboard.model import AuditEntry, BoardPeriod, Player, Projection, Role
from scoreboard.oversight import HiddenStanding, Place, PlayerFilter, PlayerStatus, StatusChanged
from scoreboard.storage.postgres.audit import append
from scoreboard.storage.postgres.boards import signs_of_boards
from scoreboard.storage.postgres.database import Transaction
from scoreboard.storage.postgres.part import Part
from scoreboard.storage.postgres.rows import encode, projection
from scoreboard.storage.postgres.submissions import note_touched


class PostgresModeration(Part):
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

        async def change(transaction: Transaction) -> StatusChanged:
            changed = await change_status(transaction, player_id, status, now, until=until)
            if changed is None:
                raise NotFound("There is no such player.")
            await append(transaction, entries)
            return changed

        return await self._database.transact(change)

    async def set_role(
        self, player_id: str, role: Role, now: int, entries: Sequence[AuditEntry]
    ) -> StatusChanged | None:
        """Give a player a role and end the sessions of the old one; None where nobody has that id, or it was erased."""

        async def change(transaction: Transaction) -> StatusChanged | None:
            if not await transaction.execute("set_role", id=player_id, role=role):
                return None
            await append(transaction, entries)
            ended = await transaction.fetch("revoke_sessions", player_id=player_id, now=now, except_id=None)
            player = await _player(transaction, player_id)
            return StatusChanged(player, (), None, tuple(session_id for (session_id,) in ended))

        return await self._database.transact(change)

    async def ended_bans(self, now: int, limit: int) -> tuple[str, ...]:
        """Players whose bans ended before the instant and are not lifted yet."""
        return tuple(player_id for (player_id,) in await self._database.read("ended_bans", now=now, limit=limit))

    async def lift_ended_ban(self, player_id: str, now: int, entries: Sequence[AuditEntry]) -> StatusChanged | None:
        """Lift a ban that has ended by `now`; None where somebody else did, or banned anew."""

        async def lift(transaction: Transaction) -> StatusChanged | None:
            changed = await change_status(transaction, player_id, "active", now, ended=now)
            if changed is not None:
                await append(transaction, entries)
            return changed

        return await self._database.transact(lift)

    async def erase_player(self, player_id: str, now: int, entries: Sequence[AuditEntry]) -> StatusChanged | None:
        """Remove all that tells who a player was, and hide what is left, for ever. None where that was done before."""

        async def erase(transaction: Transaction) -> StatusChanged | None:
            if not await transaction.execute("erase_player", id=player_id):
                if not await transaction.fetch("player", id=player_id):
                    raise NotFound("There is no such player.")
                return None
            changes, outbox_id = await _show(transaction, player_id, now)
            ended = await transaction.fetch("erase_sessions", id=player_id)
            for name in ("erase_history", "erase_reviews", "erase_details"):
                await transaction.execute(name, id=player_id)
            await append(transaction, entries)
            player = await _player(transaction, player_id)
            return StatusChanged(player, changes, outbox_id, tuple(session_id for (session_id,) in ended))

        return await self._database.transact(erase)

    async def players(self, wanted: PlayerFilter, after: str | None, limit: int) -> tuple[Player, ...]:
        """Players by id, those after `after`."""
        name = "players" if wanted.query else "all_players" if wanted.status is None else "players_of_status"
        rows = await self._database.read(
            name,
            query=wanted.query,
            skeleton=wanted.skeleton,
            status=wanted.status,
            after=after or "",
            limit=limit,
        )
        return tuple(Player(*row) for row in rows)

    async def hidden_standing(self, period: BoardPeriod, player_id: str) -> HiddenStanding | None:
        """The standing of a hidden player; None where nothing counts, or the player is not hidden."""
        rows = await self._database.read("hidden_standing", **period._asdict(), player_id=player_id)
        if not rows:
            return None
        name, score, tiebreakers, achieved_at = rows[0]
        return HiddenStanding(name, score, tuple(tiebreakers), achieved_at)

    async def places(self, player_id: str, limit: int) -> tuple[Place, ...]:
        """The player's standings, by board, window and period."""
        rows = await self._database.read("places", player_id=player_id, limit=limit)
        return tuple(Place(BoardPeriod(*row[:3]), *row[3:]) for row in rows)


async def change_status(
    transaction: Transaction,
    player_id: str,
    status: PlayerStatus,
    now: int,
    *,
    until: int | None = None,
    ended: int | None = None,
) -> StatusChanged | None:
    """Change the status and with it every standing of the player; None where there is none to change.

    `until` is when a ban ends by itself; `ended` demands that there is one which has, by that instant.
    """
    if not await transaction.execute("set_status", id=player_id, status=status, until=until, ended=ended):
        return None
    changes, outbox_id = await _show(transaction, player_id, now)
    sessions: tuple[str, ...] = ()
    if status == "banned":
        rows = await transaction.fetch("revoke_sessions", player_id=player_id, now=now, except_id=None)
        sessions = tuple(session_id for (session_id,) in rows)
    return StatusChanged(await _player(transaction, player_id), changes, outbox_id, sessions)


async def _show(transaction: Transaction, player_id: str, now: int) -> tuple[tuple[Projection, ...], int | None]:
    """Raise the revision of a player's standings, which can be seen or not by the status; with their outbox row."""
    signs = encode(await signs_of_boards(transaction))
    await transaction.execute("show_standings", id=player_id, signs=signs)
    await transaction.execute("show_kept", id=player_id, signs=signs)
    rows = await transaction.fetch("shown_standings", id=player_id)
    changes = tuple(projection(row) for row in rows)
    return changes, await note_touched(transaction, changes, now)


async def _player(transaction: Transaction, player_id: str) -> Player:
    [row] = await transaction.fetch("player", id=player_id)
    return Player(*row)
