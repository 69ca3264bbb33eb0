"""Rebuild: a period's ranking made anew from the standings in the database."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from scoreboard.model import BoardPeriod, Projection
from scoreboard.ranking.base import Ranking
from scoreboard.storage.base import Storage
from scoreboard.tasks import Tasks

PAGE = 10_000
"""Standings read at a time."""


class Rebuilder:
    """Loads periods into the ranking, each by one rebuild at a time."""

    def __init__(self, storage: Storage, ranking: Ranking, tasks: Tasks) -> None:
        self._storage = storage
        self._ranking = ranking
        self._tasks = tasks
        self._running: dict[BoardPeriod, asyncio.Task[None]] = {}

    async def ensure(self, period: BoardPeriod) -> None:
        """Load the period unless it is loaded; callers at the same time share one rebuild."""
        if not await self._ranking.loaded(period):
            await self.rebuild(period)

    async def rebuild(self, period: BoardPeriod) -> None:
        """Load the period again under a new epoch."""
        running = self._running.get(period)
        if running is None:
            running = self._tasks.start(self._rebuild(period), f"rebuild {period}")
            self._running[period] = running
            running.add_done_callback(lambda _: self._running.pop(period, None))
        await asyncio.shield(running)

    async def _rebuild(self, period: BoardPeriod) -> None:
        epoch = await self._storage.next_epoch(period)
        await self._ranking.load(period, epoch, self._pages(period))

    async def _pages(self, period: BoardPeriod) -> AsyncIterator[Sequence[Projection]]:
        after: bytes | None = None
        while page := await self._storage.visible(period, after, PAGE):
            yield page
            if len(page) < PAGE:
                return
            after = page[-1].key
