"""What the ranking's contract needs of a backend, and a world with boards in which to try one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from scoreboard.model import BoardPeriod, BoardSettings, Page, Projection
from scoreboard.order import order_keys
from scoreboard.ranking.base import Changed, Notify, Ranking, SettingsOf


class Backend(Protocol):
    """A kind of ranking; it keeps nothing from one `open` to the next."""

    def open(self, settings_of: SettingsOf, notify: Notify) -> AbstractAsyncContextManager[Ranking]:
        """An empty ranking."""

    async def delivered(self) -> None:
        """Return when `notify` has heard all there is to tell."""


class World:
    """An open ranking, the boards it serves, and what it told."""

    ranking: Ranking

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._boards: dict[str, BoardSettings] = {}
        self._heard: list[Sequence[Changed]] = []

    def open(self) -> AbstractAsyncContextManager[Ranking]:
        """Start an empty ranking over this world."""
        return self._backend.open(self._boards.__getitem__, self._heard.append)

    def board(self, board: str = "main", **settings: Any) -> BoardPeriod:
        """Declare a board; returns its period of the window `all`."""
        self._boards[board] = BoardSettings(**settings)
        return BoardPeriod(board, "all", "all")

    async def load(self, period: BoardPeriod, *projections: Projection, epoch: int = 1) -> None:
        """Load the period with these standings, and forget what was told of it."""
        await self.ranking.load(period, epoch, pages([projections]))
        await self.told()

    async def told(self) -> list[Sequence[Changed]]:
        """What was told since the last time this was asked, one entry per call."""
        await self._backend.delivered()
        told, self._heard[:] = self._heard[:], []
        return told

    def standing(
        self,
        period: BoardPeriod,
        player_id: str,
        score: int,
        revision: int = 1,
        *,
        ties: Sequence[int] = (),
        at: int = 1_800_000_000_000_000,
        name: str | None = None,
        name_revision: int = 1,
    ) -> Projection:
        """A visible standing; a player is named in capitals unless told."""
        key = order_keys(self._boards[period.board]).encode(score, ties, at, player_id)
        return Projection(period, player_id, revision, key, name or player_id.upper(), name_revision)

    def standings(self, period: BoardPeriod, scores: dict[str, int]) -> list[Projection]:
        """Visible standings with these scores, the first of them reached first."""
        return [self.standing(period, player, score, at=at) for at, (player, score) in enumerate(scores.items())]


def hidden(period: BoardPeriod, player_id: str, revision: int) -> Projection:
    """A standing that must not be seen."""
    return Projection(period, player_id, revision, None, player_id.upper(), 1)


def ids(page: Page) -> list[str]:
    """The players on a page."""
    return [row.player_id for row in page.rows]


def ranks(page: Page) -> list[int]:
    """The ranks on a page."""
    return [row.rank for row in page.rows]


async def pages(given: Sequence[Sequence[Projection]]) -> AsyncIterator[Sequence[Projection]]:
    """Pages as a load wants them."""
    for page in given:
        yield page


class Feed:
    """Pages of a load that arrive when the test gives them."""

    def __init__(self) -> None:
        self._given: asyncio.Queue[Sequence[Projection] | None] = asyncio.Queue()

    async def pages(self) -> AsyncIterator[Sequence[Projection]]:
        """What the load reads."""
        while (page := await self._given.get()) is not None:
            yield page
            self._given.task_done()

    async def give(self, *page: Projection) -> None:
        """One more page; returns when the load has taken it in."""
        self._given.put_nowait(page)
        await self._given.join()

    def end(self) -> None:
        """There are no more pages."""
        self._given.put_nowait(None)
