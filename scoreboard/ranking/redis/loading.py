"""Building a ranking from the database's pages."""

import secrets
from collections.abc import Sequence

from scoreboard.model import BoardPeriod, BoardSettings, Projection
from scoreboard.ranking.base import Changed, Projections
from scoreboard.ranking.redis.calls import Calls
from scoreboard.ranking.redis.epochs import KnownEpochs
from scoreboard.ranking.redis.members import Members, members_of
from scoreboard.ranking.redis.scripts import ABANDON, BEGIN, CLAIM, FILL, FINISH
from scoreboard.redis import Command, Keys

LEASE_MS = 10_000
"""A builder that is not heard of for so long is taken for dead."""

FILL_ROWS = 1_000
"""Standings taken in by one script call: a few milliseconds, in which Redis does nothing else."""


class Loader:
    """Builds rankings; `claim` makes this process the only one that builds a period's."""

    def __init__(self, calls: Calls, epochs: KnownEpochs, keys: Keys) -> None:
        self._calls = calls
        self._epochs = epochs
        self._keys = keys
        self._token = secrets.token_hex(8)

    async def claim(self, period: BoardPeriod) -> bool:
        """Become the one who builds; False while another process does."""
        return bool(await self._calls.send(CLAIM, period, self._token, LEASE_MS))

    async def load(
        self, period: BoardPeriod, epoch: int, settings: BoardSettings, pages: Projections
    ) -> Changed | None:
        """Build the ranking and let it be read; None where that came to nothing."""
        members = members_of(settings)
        place = self._keys.periods(period.board)
        name = f"{period.window}/{period.period}"
        await self._calls.send(BEGIN, period, epoch, settings.rank, LEASE_MS)
        try:
            await self._calls.command(Command(("SADD", place, name), place))
            async for page in pages:
                if not await self._fill(period, epoch, members, page):
                    return None
            return await self._finish(period, epoch)
        except BaseException:
            await self._calls.send(ABANDON, period, epoch)
            raise

    async def _fill(self, period: BoardPeriod, epoch: int, members: Members, page: Sequence[Projection]) -> bool:
        for start in range(0, max(1, len(page)), FILL_ROWS):
            rows = members.packed(page[start : start + FILL_ROWS])
            if not await self._calls.send(FILL, period, epoch, LEASE_MS, members.ties, rows):
                return False
        return True

    async def _finish(self, period: BoardPeriod, epoch: int) -> Changed | None:
        # First in the database: were it the other way round, a crash in between would leave one that nobody knows.
        stands = await self._epochs.confirm(period, epoch)
        if not stands or not await self._calls.send(FINISH, period, epoch, self._keys.changed(period)):
            await self._calls.send(ABANDON, period, epoch)
            return None
        return Changed(period, epoch, 1)
