"""Hidden players: nobody sees them, and they see themselves where they would stand."""

import asyncio
import logging
from collections.abc import Sequence

from msgspec.structs import replace

from scoreboard.boards import Boards
from scoreboard.clock import rfc3339
from scoreboard.errors import Unavailable
from scoreboard.model import BoardPeriod, Page, Placing, Row
from scoreboard.order import order_keys
from scoreboard.oversight import PlayerFilter
from scoreboard.ranking.base import Neighbours, NotLoaded, Ranking
from scoreboard.storage.base import Storage
from scoreboard.storage.ranked import rank_below

log = logging.getLogger(__name__)

READ_EVERY_S = 10.0
READ_ROWS = 1_000
"""How often the hidden players are read from the database, and how many at a time; changes are told besides."""


class Hidden:
    """Knows who is hidden, without asking anybody, and finds where they would stand."""

    def __init__(self, storage: Storage, ranking: Ranking, boards: Boards) -> None:
        self._storage = storage
        self._ranking = ranking
        self._boards = boards
        self._players: frozenset[str] = frozenset()

    def __contains__(self, player_id: object) -> bool:
        """Whether the player is hidden, as far as is known here."""
        return player_id in self._players

    def changed(self, player_id: str, hidden: bool) -> None:
        """A player was hidden, or is no longer."""
        self._players = self._players | {player_id} if hidden else self._players - {player_id}

    async def refresh(self) -> None:
        """Read from the database who is hidden. Raises Unavailable."""
        found: list[str] = []
        wanted = PlayerFilter(status="hidden")
        while page := await self._storage.players(wanted, found[-1] if found else None, READ_ROWS):
            found += [player.id for player in page]
        self._players = frozenset(found)

    async def keep_up(self) -> None:
        """Read now and then, for as long as the server runs."""
        while True:
            try:
                await self.refresh()
            except Unavailable as fault:
                log.debug("the hidden players cannot be read: %s", fault)
            except Exception:  # the next time tries again
                log.exception("the hidden players cannot be read")
            await asyncio.sleep(READ_EVERY_S)

    async def _row(self, period: BoardPeriod, player_id: str) -> tuple[Row, bytes, Page] | None:
        """The row that a hidden player would have, its key, and the row just above it; None where there is none.

        Raises NotLoaded, Unavailable.
        """
        standing = await self._storage.hidden_standing(period, player_id) if player_id in self else None
        if standing is None:
            return None
        board = self._boards.get(period.board)
        key = order_keys(board.settings).encode(standing.score, standing.tiebreakers, standing.achieved_at, player_id)
        above = await self._ranking.page(period, Neighbours(key, backwards=True), 1)
        last = above.rows[-1] if above.rows else None
        position = last.position + 1 if last else 1
        rank = rank_below(board, (above.keys[-1], last.rank) if last else None, key, position)
        at = rfc3339(standing.achieved_at)
        row = Row(position, rank, player_id, standing.name, standing.score, at, standing.tiebreakers)
        return row, key, above

    async def placing(self, period: BoardPeriod, player_id: str) -> Placing | None:
        """Where a hidden player would stand; None where nowhere, or where that cannot be told now."""
        try:
            found = await self._row(period, player_id)
        except (NotLoaded, Unavailable):
            return None
        if found is None:
            return None
        row, _, page = found
        return Placing(page.epoch or 0, page.version or 0, row.position, row.rank, row.score)

    async def placings(
        self, period: BoardPeriod, player_ids: Sequence[str], placings: Sequence[Placing]
    ) -> tuple[Placing, ...]:
        """What players are told of where they stand: the same but for those who are hidden."""
        return tuple(
            [
                (await self.placing(period, player_id) or placing) if player_id in self._players else placing
                for player_id, placing in zip(player_ids, placings, strict=True)
            ]
        )

    async def around(self, period: BoardPeriod, player_id: str, k: int) -> Page | None:
        """The board around a hidden player, with the player on it; None where there is no such row."""
        found = await self._row(period, player_id)
        if found is None:
            return None
        own, key, _ = found
        above = await self._ranking.page(period, Neighbours(key, backwards=True), 2 * k) if k else None
        below = await self._ranking.page(period, Neighbours(key), max(1, 2 * k))
        rows, keys = ([*above.rows, own], [*above.keys, key]) if above else ([own], [key])
        place = len(rows) - 1
        for row, after in zip(below.rows, below.keys, strict=True):
            position = row.position + 1
            rank = rank_below(self._boards.get(period.board), (keys[-1], rows[-1].rank), after, position)
            rows.append(replace(row, position=position, rank=rank))
            keys.append(after)
        start = max(0, min(place - k, len(rows) - (2 * k + 1)))
        shown = slice(start, start + 2 * k + 1)
        return replace(below, total=below.total + 1, rows=tuple(rows[shown]), keys=tuple(keys[shown]))
