"""Verify: the ranking of a period compared with the database, standing by standing, while scores come in."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from scoreboard.model import BoardPeriod, Projection
from scoreboard.ranking.base import Ranking
from scoreboard.storage.base import Storage, Touched

PAGE = 500
"""Standings compared at a time."""

GRACE_S = 1.0
LOOKS = 3
"""A standing that differs is looked at again, so many times with that pause: it may just be on its way."""


class Drift(Struct, frozen=True):
    """What differs in a period: `players` by id, and `surplus`, how many the ranking has whom the database has not."""

    period: BoardPeriod
    compared: int
    players: tuple[str, ...] = ()
    surplus: int = 0

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.players or self.surplus)


class Verifier:
    """Finds standings that the ranking shows otherwise than they are stored."""

    def __init__(self, storage: Storage, ranking: Ranking, grace_s: float = GRACE_S) -> None:
        self._storage = storage
        self._ranking = ranking
        self._grace_s = grace_s

    async def verify(self, period: BoardPeriod) -> Drift:
        """Compare all standings of a period. Raises NotLoaded, Unavailable."""
        suspects: list[str] = []
        compared, after = 0, None
        while page := await self._storage.standings_of(period, after, PAGE):
            suspects += await self._differing(period, page)
            compared += len(page)
            after = page[-1].player_id
        players = await self.confirm(period, suspects)
        return Drift(period, compared, players, 0 if players else await self.surplus(period))

    async def sample(self, period: BoardPeriod, after: str, limit: int) -> Drift:
        """Compare some standings: those of the players that follow an id. Raises NotLoaded, Unavailable."""
        page = await self._storage.standings_of(period, after, limit)
        return Drift(period, len(page), await self.confirm(period, await self._differing(period, page)))

    async def agrees(self, period: BoardPeriod) -> bool:
        """Whether number and sum of the scores are the same, at some moment. Raises NotLoaded, Unavailable."""
        before = await self._ranking.digest(period)
        stored = await self._storage.digest(period)
        return stored in (before, await self._ranking.digest(period))

    async def confirm(self, period: BoardPeriod, suspects: Sequence[str]) -> tuple[str, ...]:
        """Those of the players whose standings still differ after a grace."""
        for _ in range(LOOKS):
            if not suspects:
                break
            await asyncio.sleep(self._grace_s)
            again: list[str] = []
            for start in range(0, len(suspects), PAGE):
                touched = [Touched(period, player_id) for player_id in suspects[start : start + PAGE]]
                again += await self._differing(period, await self._storage.projections(touched))
            suspects = again
        return tuple(suspects)

    async def surplus(self, period: BoardPeriod) -> int:
        """How many more the ranking counts, at every one of some looks."""
        least = await self._excess(period)
        for _ in range(LOOKS):
            if least <= 0:
                return 0
            await asyncio.sleep(self._grace_s)
            least = min(least, await self._excess(period))
        return max(0, least)

    async def _excess(self, period: BoardPeriod) -> int:
        ranked, _ = await self._ranking.digest(period)
        stored, _ = await self._storage.digest(period)
        return ranked - stored

    async def _differing(self, period: BoardPeriod, stored: Sequence[Projection]) -> list[str]:
        page = await self._ranking.rows_of(period, [each.player_id for each in stored])
        shown = {row.player_id: (key, row.name) for row, key in zip(page.rows, page.keys, strict=True)}
        return list(_differing(stored, shown))


def _differing(stored: Iterable[Projection], shown: Mapping[str, tuple[bytes, str]]) -> Iterable[str]:
    for each in stored:
        expected = None if each.key is None else (each.key, each.name)
        if shown.get(each.player_id) != expected:
            yield each.player_id
