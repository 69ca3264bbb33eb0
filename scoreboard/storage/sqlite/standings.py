"""Standings in SQLite, as the ranking is rebuilt from them and checked against them."""

from collections.abc import Sequence

import msgspec

from scoreboard.model import Board, BoardPeriod, Page, Projection
from scoreboard.storage.base import Confirmed, Refolded, Touched
from scoreboard.storage.ranked import ranked
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.projections import projections, standings_of
from scoreboard.storage.sqlite.refolding import refolded
from scoreboard.storage.sqlite.statements import execute, fetch


class SqliteStandings(Part):
    """`scoreboard.storage.base.Standings`."""

    async def projections(self, touched: Sequence[Touched]) -> tuple[Projection, ...]:
        """These standings as they are now; unknown ones are left out."""
        return await self._database.read(lambda connection: projections(connection, touched))

    async def standings_of(self, period: BoardPeriod, after: str | None, limit: int) -> tuple[Projection, ...]:
        """The period's standings in the byte order of player ids, those after the player `after`."""
        return await self._database.read(lambda connection: standings_of(connection, period, after, limit))

    async def refolded(self, board: Board, period: BoardPeriod, after: str | None, limit: int) -> tuple[Refolded, ...]:
        """The period's standings beside their histories, by player as above; nothing is changed."""
        return await self._database.read(lambda connection: refolded(connection, board, period, after, limit))

    async def digest(self, period: BoardPeriod) -> tuple[int, int]:
        """Number of visible standings and the sum of their scores."""
        parameters = period._asdict()
        [(count, high, low)] = await self._database.read(lambda connection: fetch(connection, "digest", parameters))
        return count, (high << 20) + low

    async def page(self, board: Board, period: BoardPeriod, limit: int, *, latest: bool = False) -> Page:
        """The period's first rows straight from the database, marked stale; always the latest ones."""
        parameters = {**period._asdict(), "limit": limit}
        [(total, rows)] = await self._database.read(lambda connection: fetch(connection, "page", parameters))
        return ranked(board, period, total, [(bytes.fromhex(key), name) for key, name in _keyed.decode(rows)])

    async def periods(self, board: str, *, everything: bool = False) -> tuple[BoardPeriod, ...]:
        """The board's periods that have a standing, by window and period; `everything`: also those kept from view."""
        parameters = {"board": board, "everything": everything}
        rows = await self._database.read(lambda connection: fetch(connection, "periods", parameters))
        return tuple(BoardPeriod(board, window, period) for window, period in rows)

    async def next_epoch(self, period: BoardPeriod) -> int:
        """Issue an epoch for a rebuild of the period: higher than every one issued before for any period."""
        [(epoch,)] = await self._database.write(lambda connection: fetch(connection, "next_epoch", period._asdict()))
        return int(epoch)

    async def confirm_epoch(self, period: BoardPeriod, epoch: int, home: str) -> bool:
        """From now on the period's ranking is the one built under this epoch in that place."""
        parameters = {**period._asdict(), "epoch": epoch, "home": home}
        return await self._database.write(lambda connection: execute(connection, "confirm_epoch", parameters)) == 1

    async def confirmed_epoch(self, period: BoardPeriod) -> Confirmed | None:
        """The ranking that stands for the period."""
        parameters = period._asdict()
        rows = await self._database.read(lambda connection: fetch(connection, "confirmed_epoch", parameters))
        return Confirmed(*rows[0]) if rows else None


_keyed = msgspec.json.Decoder(list[tuple[str, str]])
