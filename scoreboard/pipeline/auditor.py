"""The auditor: looks now and then whether the ranking is what the database says, and repairs what is not."""

import asyncio
import logging
import random
import string

from scoreboard.boards import Boards
from scoreboard.errors import Unavailable
from scoreboard.metrics import Metrics
from scoreboard.model import OWN_PREFIX, BoardPeriod
from scoreboard.pipeline.outbox import Outbox
from scoreboard.pipeline.rebuild import Rebuilder
from scoreboard.pipeline.verify import Drift, Verifier
from scoreboard.ranking.base import NotLoaded
from scoreboard.storage.base import Storage, Touched

log = logging.getLogger(__name__)

LOOKS = 3
LOOK_AGAIN_AFTER_S = 0.5
"""Number and sum rarely agree while scores come in; so many looks are tried before standings are compared."""

WHOLE = 20_000
SAMPLE = 1_000
"""Periods of up to so many standings are compared whole; of larger ones a sample, somewhere else each time."""

REPAIRED_AT_ONCE = 1_000


class Auditor:
    """Compares the periods that are open, by number and sum of scores, then by samples, then whole."""

    def __init__(
        self,
        verifier: Verifier,
        storage: Storage,
        outbox: Outbox,
        rebuilder: Rebuilder,
        boards: Boards,
        metrics: Metrics,
    ) -> None:
        self._verifier = verifier
        self._storage = storage
        self._outbox = outbox
        self._rebuilder = rebuilder
        self._boards = boards
        self._metrics = metrics

    async def run(self, pause_s: float) -> None:
        """Audit for as long as the server runs, every `pause_s` seconds or so: several servers do not do it at once."""
        while True:
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))
            for board in self._boards.all():
                for period in self._boards.current(board):
                    await self._try(period)

    async def audit(self, period: BoardPeriod) -> Drift:
        """Compare one period and repair what differs. Raises NotLoaded, Unavailable."""
        drift = await self._look(period)
        if drift:
            self._metrics.drift.inc(len(drift.players) + drift.surplus)
            log.warning("%s drifted: %d standings differ, %d too many", period, len(drift.players), drift.surplus)
            await self.repair(drift)
        return drift

    async def repair(self, drift: Drift) -> None:
        """Project what differs once more; what that does not mend is made anew."""
        for start in range(0, len(drift.players), REPAIRED_AT_ONCE):
            players = drift.players[start : start + REPAIRED_AT_ONCE]
            projections = await self._storage.projections([Touched(drift.period, player) for player in players])
            await self._outbox.project(projections, (), ())
        if drift.surplus or await self._verifier.confirm(drift.period, drift.players):
            await self._rebuilder.rebuild(drift.period)

    async def _try(self, period: BoardPeriod) -> None:
        try:
            await self.audit(period)
        except (NotLoaded, Unavailable) as fault:
            log.debug("%s could not be audited: %s", period, fault)
        except Exception:  # the next round tries again
            log.exception("%s could not be audited", period)

    async def _look(self, period: BoardPeriod) -> Drift:
        for _ in range(LOOKS):
            if await self._verifier.agrees(period):
                return Drift(period, 0)
            await asyncio.sleep(LOOK_AGAIN_AFTER_S)
        if (await self._storage.digest(period))[0] <= WHOLE or not (await self._storage.backlog()).rows:
            return await self._verifier.verify(period)
        # Scores on their way may explain the difference, and so many standings are not compared for that.
        some = await self._verifier.sample(period, _anyone(), SAMPLE)
        return some or Drift(period, some.compared, (), await self._verifier.surplus(period))


def _anyone() -> str:
    """Where a sample begins: somewhere among the ids of players, registered here or not."""
    return random.choice(("", OWN_PREFIX)) + "".join(random.choices(string.digits + string.ascii_letters, k=2))
