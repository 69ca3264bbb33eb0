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
FORGET_EVERY_ROUNDS = 10

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
        changes: list[Projection] = []
        wanted: list[int] = []
        for outcome in committal.outcomes:
            if outcome.changes:
                wanted.append(len(changes))  # the board's first window, which is answered
                changes += outcome.changes
        return await self.project(changes, wanted, committal.outbox_id)

    async def project(
        self, changes: Sequence[Projection], wanted: Sequence[int], outbox_id: int | None
    ) -> dict[Standing, Placing]:
        """Project standings of one transaction and note its outbox row as done; where the `wanted` of them stand."""
        if not changes:
            return {}
        try:
            placings = await self._project(changes, wanted)
        except Exception:  # the scores are durable: whatever ails the ranking must not deny them
            log.exception("%d standings could not be ranked; the outbox keeps them", len(changes))
            return {}
        if outbox_id is not None:
            self._projected.append(outbox_id)
        return placings

    async def _project(self, changes: Sequence[Projection], wanted: Sequence[int]) -> dict[Standing, Placing]:
        placed: dict[Standing, Placing] = {}
        for index, placing in zip(wanted, await self._ranking.project(changes, wanted), strict=True):
            period, player_id = changes[index].period, changes[index].player_id
            if placing is None:  # the first score of a new day finds no ranking there yet: load it, then look again
                await self._rebuilder.ensure(period)
                (placing,) = await self._ranking.placings(period, [player_id])
            placed[period, player_id] = placing
        return placed

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
        projected = set(self._projected)
        missed = [row for row in await self._storage.outbox(before, SWEEP_ROWS) if row.id not in projected]
        for row in missed:
            await self.project(await self._storage.projections(row.touched), (), row.id)
        return len(missed)

    async def keep_up(self) -> None:
        """Settle, sweep and forget old action ids for as long as the server runs."""
        rounds = 0
        while True:
            await asyncio.sleep(SETTLE_EVERY_S)
            rounds += 1
            try:
                await self.settle()
                await self.sweep()
                if rounds % FORGET_EVERY_ROUNDS == 0:
                    await self._storage.sweep(self._clock.now())
            except Exception:  # the next round tries again; nothing is lost meanwhile
                log.exception("the outbox could not be swept")
