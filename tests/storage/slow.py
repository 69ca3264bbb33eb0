"""A database that is slow to give what a ranking is rebuilt from."""

import asyncio
from pathlib import Path

from scoreboard.errors import Unavailable
from scoreboard.model import Board, BoardPeriod, Page, Projection
from scoreboard.storage.sqlite import SqliteStorage


class SlowStorage(SqliteStorage):
    """Its pages for a rebuild arrive when the gate is open; `reading` is set when one is waited for."""

    gate: asyncio.Event
    reading: asyncio.Event
    rebuilds = 0
    pages = 0
    broken = False

    @classmethod
    async def opened(cls, path: Path) -> "SlowStorage":
        """A new one, its gate closed."""
        storage = await cls.open(path)
        assert isinstance(storage, cls)
        storage.gate, storage.reading = asyncio.Event(), asyncio.Event()
        return storage

    async def standings_of(self, period: BoardPeriod, after: str | None, limit: int) -> tuple[Projection, ...]:
        """A page for a rebuild."""
        self.rebuilds += 1
        self.reading.set()
        await self.gate.wait()
        if self.broken:
            raise Unavailable
        return await super().standings_of(period, after, limit)

    async def page(self, board: Board, period: BoardPeriod, limit: int, *, latest: bool = False) -> Page:
        """The first rows; that is not slow."""
        self.pages += 1
        return await super().page(board, period, limit, latest=latest)
