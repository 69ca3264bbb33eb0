"""Rebuild: a period's ranking made anew from the standings in the database."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from scoreboard.errors import Unavailable
from scoreboard.model import BoardPeriod, Projection
from scoreboard.ranking.base import Ranking
from scoreboard.storage.base import Storage
from scoreboard.tasks import Tasks

PAGE = 10_000
"""Standings read at a time."""

ASK_AGAIN_AFTER_S = 0.1
"""Pause between looks at a rebuild by another server."""


class Rebuilder:
    """Loads periods into the ranking, each by one rebuild at a time."""

    def __init__(self, storage: Storage, ranking: Ranking, tasks: Tasks) -> None:
        self._storage = storage
        self._ranking = ranking
        self._tasks = tasks
        self._running: dict[BoardPeriod, asyncio.Task[None]] = {}

    async def ensure(self, period: BoardPeriod) -> None:
        """Load the period unless it is loaded; callers at the same time share one rebuild."""
        while not await self._ranking.loaded(period):  # a load during which the period is dropped comes to nothing
            await asyncio.shield(self._join(period))

    async def ensure_soon(self, period: BoardPeriod, patience_s: float) -> bool:
        """Load the period unless it is loaded or being loaded, and wait only so long; tells whether it is loaded."""
        if period not in self._running and not await self._ranking.loaded(period):
            await asyncio.wait([self._join(period)], timeout=patience_s)
        return await self._ranking.loaded(period)

    async def rebuild(self, period: BoardPeriod) -> None:
        """Load the period again under a new epoch, by the settings and standings of now."""
        if (running := self._running.get(period)) is not None:  # it began by older ones
            await asyncio.wait([running])
        try:
            await asyncio.shield(self._join(period, anew=True))
        except Exception:  # whatever it was: what is loaded is out of date
            await self._ranking.drop(period)
            raise

    def _join(self, period: BoardPeriod, anew: bool = False) -> asyncio.Task[None]:
        """The rebuild that runs, or a new one."""
        running = self._running.get(period)
        if running is None:
            running = self._running[period] = self._tasks.start(self._rebuild(period, anew), f"rebuild {period}")
        return running

    async def _rebuild(self, period: BoardPeriod, anew: bool) -> None:
        """Load it, or wait until another server has; with `anew` also what another one has loaded meanwhile."""
        try:
            while not await self._ranking.claim(period):
                await asyncio.sleep(ASK_AGAIN_AFTER_S)
                if not anew and await self._ranking.loaded(period):
                    return
            epoch = await self._storage.next_epoch(period)
            await self._ranking.load(period, epoch, self._pages(period))
        finally:
            del self._running[period]

    async def _pages(self, period: BoardPeriod) -> AsyncIterator[Sequence[Projection]]:
        """The period's standings; while one page is taken in the next is read."""
        reading = self._read(period, None)
        try:
            while page := await reading:
                if isinstance(page, Unavailable):
                    raise page
                if len(page) == PAGE:
                    reading = self._read(period, page[-1].player_id)
                yield page
                if len(page) < PAGE:
                    return
        finally:
            reading.cancel()

    def _read(self, period: BoardPeriod, after: str | None) -> "asyncio.Task[Sequence[Projection] | Unavailable]":
        async def read() -> Sequence[Projection] | Unavailable:
            try:
                return await self._storage.standings_of(period, after, PAGE)
            except Unavailable as fault:  # for whoever takes the page in, and no fault of the task
                return fault

        return self._tasks.start(read(), f"read {period}")
