"""Rank: committed standings are projected to the ranking, which publishes what changed.

The outbox row of a transaction is settled after its standings were projected; a sweeper projects again what was not.
"""

import asyncio
import logging
from collections.abc import Sequence

from scoreboard.boards import Boards
from scoreboard.clock import SECOND, Clock
from scoreboard.model import BoardPeriod, Placing, Projection
from scoreboard.pipeline.rebuild import Rebuilder
from scoreboard.ranking.base import NotLoaded, Ranking
from scoreboard.storage.base import Committal, Storage

log = logging.getLogger(__name__)

SETTLE_EVERY_S = 1.0
SWEEP_ROWS = 100

Standing = tuple[BoardPeriod, str]


class Rank:
    """Projects what transactions moved and answers where the players stand."""

    def __init__(
        self,
        storage: Storage,
        ranking: Ranking,
        rebuilder: Rebuilder,
        boards: Boards,
        clock: Clock,
        outbox_after_s: float,
    ) -> None:
        self._boards = boards
        self._storage = storage
        self._ranking = ranking
        self._rebuilder = rebuilder
        self._clock = clock
        self._outbox_after_s = outbox_after_s
        self._projected: list[int] = []

    async def __call__(self, committal: Committal) -> dict[Standing, Placing]:
        """Project a committed batch; empty where the ranking cannot be reached, which the sweeper makes good."""
        changes = [change for outcome in committal.outcomes for change in outcome.changes]
        return await self.project(changes, committal.outbox_id)

    async def project(self, changes: Sequence[Projection], outbox_id: int | None) -> dict[Standing, Placing]:
        """Project standings of one transaction and note its outbox row as done."""
        if not changes:
            return {}
        try:
            placings = await self._project(changes)
        except Exception:  # the scores are durable: whatever ails the ranking must not deny them
            log.exception("%d standings could not be ranked; the outbox keeps them", len(changes))
            return {}
        if outbox_id is not None:
            self._projected.append(outbox_id)
        return placings

    async def _project(self, changes: Sequence[Projection]) -> dict[Standing, Placing]:
        placings = await self._ranking.project(changes)
        placed = {
            (change.period, change.player_id): placing
            for change, placing in zip(changes, placings, strict=True)
            if placing is not None
        }
        if len(placed) < len(changes):
            await self._place_after_load(changes, placed)
        return placed

    async def _place_after_load(self, changes: Sequence[Projection], placed: dict[Standing, Placing]) -> None:
        """The first score of a new day finds no ranking there yet: load it, then look again."""
        for change in changes:
            standing = (change.period, change.player_id)
            if standing not in placed:
                await self._rebuilder.ensure(change.period)
                (placed[standing],) = await self._ranking.placings(change.period, [change.player_id])

    async def place(self, period: BoardPeriod, player_id: str) -> Placing | None:
        """Where a player stands now; None where that cannot be told."""
        try:
            (placing,) = await self._ranking.placings(period, [player_id])
        except NotLoaded:
            return None
        return placing

    async def place_now(self, board_id: str, player_id: str) -> Placing | None:
        """Where a player stands in the current period of the board's first window."""
        current = self._boards.current(self._boards.get(board_id))
        return await self.place(current[0], player_id) if current else None

    async def settle(self) -> None:
        """Delete the outbox rows whose standings were projected."""
        done, self._projected = self._projected, []
        if done:
            await self._storage.settle(done)

    async def sweep(self) -> int:
        """Project again what was committed a while ago and never settled; returns how many transactions."""
        before = self._clock.now() - int(self._outbox_after_s * SECOND)
        rows = await self._storage.outbox(before, SWEEP_ROWS)
        missed = [row for row in rows if row.id not in self._projected]
        for row in missed:
            await self._project(await self._storage.projections(row.touched))
        await self._storage.settle([row.id for row in missed])
        return len(missed)

    async def keep_up(self) -> None:
        """Settle and sweep for as long as the server runs."""
        while True:
            await asyncio.sleep(SETTLE_EVERY_S)
            try:
                await self.settle()
                await self.sweep()
                await self._storage.sweep(self._clock.now())
            except Exception:  # the next round tries again; nothing is lost meanwhile
                log.exception("the outbox could not be swept")
