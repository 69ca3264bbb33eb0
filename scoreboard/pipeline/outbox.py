"""The outbox: what was committed is projected to the ranking sooner or later, whatever happens in between.

The row of a transaction is settled after its standings were projected, unless the ranking they went to has been
replaced by then; a sweeper projects again what was not settled. Of too much of it the ranking is made anew.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from scoreboard.clock import SECOND, Clock
from scoreboard.errors import Unavailable
from scoreboard.model import BoardPeriod, Placing, Projection
from scoreboard.pipeline.rebuild import Rebuilder
from scoreboard.ranking.base import Ranking
from scoreboard.storage.base import OutboxRow, Storage, Touched

log = logging.getLogger(__name__)

SETTLE_EVERY_S = 1.0
SWEEP_ROWS = 200
SWEEP_STANDINGS = 1_000
"""Transactions taken at a time, and standings projected at a time."""

LEASE_S = 10.0
"""How long another server leaves alone what this one has taken."""

REBUILD_BEYOND = 5_000
"""Transactions in arrears beyond which the periods they touched are rebuilt: that takes less time."""

REBUILD_ROWS = 20_000
REBUILD_LEASE_S = 60.0
FORGET_EVERY_ROUNDS = 10


Unseen = Callable[[Sequence[str]], Awaitable[None]]


class Outbox:
    """Projects standings, remembers which transactions are done with, and makes good for those that are not."""

    def __init__(self, storage: Storage, ranking: Ranking, rebuilder: Rebuilder, clock: Clock, after_s: float) -> None:
        self._storage = storage
        self._ranking = ranking
        self._rebuilder = rebuilder
        self._clock = clock
        self._after_s = after_s
        self._on_unseen: Unseen | None = None
        self._projected: set[int] = set()
        self._epochs: dict[BoardPeriod, int] = {}
        self._taken: list[OutboxRow] = []

    def on_unseen(self, listener: Unseen) -> None:
        """Have `listener` told of players whose standings a sweep found unseen: they may have been banned by a server
        that died before it could tell."""
        self._on_unseen = listener

    async def project(
        self, changes: Sequence[Projection], wanted: Sequence[int], outbox_ids: Sequence[int]
    ) -> tuple[Placing | None, ...]:
        """Project standings and note the transactions they are of as done; where the `wanted` of them stand.

        Raises Unavailable where the ranking cannot be reached.
        """
        asked = [*wanted, *_one_of_each_other_period(changes, wanted)]
        placings = await self._ranking.project(changes, asked)
        periods = [changes[index].period for index in asked]
        self._note(
            outbox_ids, {period: placing.epoch for period, placing in zip(periods, placings, strict=True) if placing}
        )
        return placings[: len(wanted)]

    def _note(self, outbox_ids: Sequence[int], epochs: dict[BoardPeriod, int]) -> None:
        if any(self._epochs.get(period, epoch) != epoch for period, epoch in epochs.items()):
            # What went to a ranking that is no more may be missing in the next: it is projected again.
            self._projected.clear()
            self._epochs.clear()
        self._projected.update(outbox_ids)
        self._epochs.update(epochs)

    async def settle(self) -> None:
        """Delete the rows whose standings were projected."""
        done, epochs = self._projected, self._epochs
        self._projected, self._epochs = set(), {}
        if done:
            await self._storage.settle(tuple(done), epochs)

    async def sweep(self) -> int:
        """Project again what was committed a while ago and never settled; returns how many transactions."""
        rows = await self._take(SWEEP_ROWS, LEASE_S)
        touched = tuple({each for row in rows for each in row.touched})
        for start in range(0, len(touched), SWEEP_STANDINGS):
            await self._again(touched[start : start + SWEEP_STANDINGS])
        self._projected.update(row.id for row in rows)
        self._taken = []
        return len(rows)

    async def _again(self, touched: Sequence[Touched]) -> None:
        projections = await self._storage.projections(touched)
        if projections:
            await self.project(projections, (), ())
        unseen = sorted({each.player_id for each in projections if each.key is None})
        if unseen and self._on_unseen is not None:
            await self._on_unseen(unseen)

    async def catch_up(self) -> None:
        """Sweep until nothing is left, or rebuild what too much is left of."""
        if (await self._storage.backlog()).rows > REBUILD_BEYOND:
            await self._rebuild()
        while await self.sweep() == SWEEP_ROWS:
            await self.settle()

    async def _rebuild(self) -> None:
        rows = await self._take(REBUILD_ROWS, REBUILD_LEASE_S)
        if not rows:  # others have taken them all
            return
        periods = {each.period for row in rows for each in row.touched}
        log.warning("%d transactions are not ranked yet; %d rankings are made anew", len(rows), len(periods))
        for period in periods:
            await self._rebuilder.rebuild(period)
        await self._storage.settle([row.id for row in rows], {})
        self._taken = []

    async def _take(self, limit: int, lease_s: float) -> list[OutboxRow]:
        """Rows to see to: those taken before that could not be projected, which others leave alone, or else more."""
        if not self._taken:
            now = self._clock.now()
            rows = await self._storage.take_outbox(now, now - int(self._after_s * SECOND), limit, lease_s)
            self._taken = [row for row in rows if row.id not in self._projected]
        return self._taken

    async def keep_up(self) -> None:
        """Settle, sweep and forget old action ids for as long as the server runs."""
        rounds = 0
        while True:
            await asyncio.sleep(SETTLE_EVERY_S)
            rounds += 1
            try:
                await self.settle()
                await self.catch_up()
                if rounds % FORGET_EVERY_ROUNDS == 0:
                    await self._storage.sweep(self._clock.now())
            except Unavailable as fault:  # the next round tries again; nothing is lost meanwhile
                log.debug("the outbox waits: %s", fault)
            except Exception:  # as above, and a fault of ours
                log.exception("the outbox could not be swept")


def _one_of_each_other_period(changes: Sequence[Projection], wanted: Sequence[int]) -> list[int]:
    """Standings by which to learn the epochs of the periods that no wanted one is of."""
    seen = {changes[index].period for index in wanted}
    others: dict[BoardPeriod, int] = {}
    for index, change in enumerate(changes):
        if change.period not in seen:
            others.setdefault(change.period, index)
    return list(others.values())
