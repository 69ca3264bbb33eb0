"""Standings in SQLite, as the ranking is rebuilt from them and checked against them."""

from collections.abc import Sequence

import msgspec

from scoreboard.model import Board, BoardPeriod, Page, Projection, Row
from scoreboard.order import OrderKeys, order_keys
from scoreboard.storage.base import Touched
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.projections import projections, visible
from scoreboard.storage.sqlite.statements import fetch


class SqliteStandings(Part):
    """`scoreboard.storage.base.Standings`."""

    async def projections(self, touched: Sequence[Touched]) -> tuple[Projection, ...]:
        """These standings as they are now; unknown ones are left out."""
        return await self._database.read(lambda connection: projections(connection, touched))

    async def visible(self, period: BoardPeriod, after: str | None, limit: int) -> tuple[Projection, ...]:
        """The period's visible standings in the byte order of player ids, those after the player `after`."""
        return await self._database.read(lambda connection: visible(connection, period, after, limit))

    async def page(self, board: Board, period: BoardPeriod, limit: int) -> Page:
        """The period's first rows straight from the database, marked stale."""
        parameters = {**period._asdict(), "limit": limit}
        [(total, rows)] = await self._database.read(lambda connection: fetch(connection, "page", parameters))
        return Page(period, None, None, total, _ranked(board, _keyed.decode(rows)), stale=True)

    async def periods(self, board: str) -> tuple[BoardPeriod, ...]:
        """Every period of the board that has a standing, by window and period."""
        rows = await self._database.read(lambda connection: fetch(connection, "periods", {"board": board}))
        return tuple(BoardPeriod(board, window, period) for window, period in rows)

    async def next_epoch(self, period: BoardPeriod) -> int:
        """Issue an epoch for a rebuild of the period: higher than every one issued before for any period."""
        [(epoch,)] = await self._database.write(lambda connection: fetch(connection, "next_epoch", period._asdict()))
        return int(epoch)


_keyed = msgspec.json.Decoder(list[tuple[str, str]])


def _ranked(board: Board, keyed: Sequence[tuple[str, str]]) -> tuple[Row, ...]:
    """The first rows of a period, from their keys in hexadecimal and names."""
    keys = order_keys(board.settings)
    rows: list[Row] = []
    for position, (text, name) in enumerate(keyed, start=1):
        key = bytes.fromhex(text)
        rank = _rank(board, keys, rows[-1] if rows else None, key, position)
        score, tiebreakers, achieved_at, player_id = keys.decode(key)
        rows.append(Row(position, rank, player_id, name, score, tiebreakers, achieved_at, key))
    return tuple(rows)


def _rank(board: Board, keys: OrderKeys, above: Row | None, key: bytes, position: int) -> int:
    if above is None or board.settings.rank == "unique":
        return position
    if keys.group(above.key) == keys.group(key):
        return above.rank
    return above.rank + 1 if board.settings.rank == "dense" else position
