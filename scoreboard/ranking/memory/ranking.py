"""The ranking inside this process; nothing here waits for anything but the pages of a load."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence

from scoreboard.model import BoardPeriod, Page, Placing, Projection
from scoreboard.ranking.base import Neighbours, Notify, NotLoaded, Projections, SettingsOf
from scoreboard.ranking.memory.names import Names
from scoreboard.ranking.memory.standings import Standings

MAX_PERIODS = 256
MAX_ROWS = 2_000_000
"""Periods kept that are not open, and the standings in all of them together (about half a gigabyte). Beyond either the
least recently used is dropped, and is rebuilt when it is asked for again; the last one stays. They are counted when
there are more than fit beside what was open the time before, so for a while there may be more by as much."""

MAX_SPARE_NAMES = 100_000
"""Names kept of players in no period that is kept; beyond it they are forgotten, and come back with a projection."""

LOAD_SLICE = 500
"""Standings a load takes in before it lets others run: one to two milliseconds."""

_Changes = dict[Standings, None]
"""Standings of which a viewer sees a change, in the order they were found."""


class MemoryRanking:
    """Keeps board periods as sorted lists. `notify` hears of changed periods, once per call that changed any.

    A period that `is_open` stays loaded; of the others there are bounds.
    """

    def __init__(
        self,
        settings_of: SettingsOf,
        notify: Notify,
        is_open: Callable[[BoardPeriod], bool] = lambda _: False,
        *,
        max_periods: int = MAX_PERIODS,
        max_rows: int = MAX_ROWS,
    ) -> None:
        self._settings_of = settings_of
        self._notify = notify
        self._is_open = is_open
        self._max_periods = max_periods
        self._max_rows = max_rows
        self._open_periods = 0  # as of the last time that they were counted
        self._open_rows = 0
        self._loaded: OrderedDict[BoardPeriod, Standings] = OrderedDict()
        self._building: dict[BoardPeriod, list[Standings]] = {}
        self._names = Names()

    # Loading

    async def load(self, period: BoardPeriod, epoch: int, pages: Projections) -> None:
        """Rebuild the period under an epoch; of two loads at a time the higher epoch stays.

        The board's order and rank rule are those at the start of the load. A load during which the period is dropped
        comes to nothing.
        """
        building = Standings(period, epoch, self._settings_of(period.board), self._names)
        self._building.setdefault(period, []).append(building)
        try:
            async for page in pages:
                await self._take_page(building, page)
            if building in self._building.get(period, ()):
                self._install(building)
        finally:
            self._end_build(building)

    async def claim(self, period: BoardPeriod) -> bool:
        """There is nobody else."""
        return True

    async def loaded(self, period: BoardPeriod) -> bool:
        """Whether the period can be read."""
        return period in self._loaded

    async def drop(self, period: BoardPeriod) -> None:
        """Forget the period, and loads of it that run."""
        self._loaded.pop(period, None)
        self._building.pop(period, None)
        self._forget_spare_names()

    async def periods(self, board: str) -> tuple[BoardPeriod, ...]:
        """The board's periods that are loaded or building."""
        return tuple(period for period in {**self._loaded, **self._building} if period.board == board)

    async def _take_page(self, building: Standings, page: Sequence[Projection]) -> None:
        for start in range(0, len(page), LOAD_SLICE):
            changes: _Changes = {}
            for projection in page[start : start + LOAD_SLICE]:
                self._take_name(projection.player_id, projection.name, projection.name_revision, changes)
                building.take(projection.player_id, projection.revision, projection.key)
            self._announce(changes)
            await asyncio.sleep(0)

    def _install(self, building: Standings) -> None:
        current = self._loaded.get(building.period)
        if current is not None and current.epoch >= building.epoch:
            return
        self._loaded[building.period] = building
        self._loaded.move_to_end(building.period)
        self._make_room()
        self._announce((building,))

    def _make_room(self) -> None:
        periods, rows = len(self._loaded), sum(map(len, self._loaded.values()))
        if periods <= self._max_periods + self._open_periods and rows <= self._max_rows + self._open_rows:
            return
        closed = [period for period in self._loaded if not self._is_open(period)]
        closed_rows = sum(len(self._loaded[period]) for period in closed)
        self._open_periods, self._open_rows = periods - len(closed), rows - closed_rows
        # The last one stays whatever its size: it may be what somebody waits for.
        for count, period in zip(range(len(closed), 1, -1), closed, strict=False):
            if count <= self._max_periods and closed_rows <= self._max_rows:
                return
            closed_rows -= len(self._loaded.pop(period))

    def _end_build(self, building: Standings) -> None:
        others = [other for other in self._building.pop(building.period, ()) if other is not building]
        if others:
            self._building[building.period] = others
        self._forget_spare_names()

    # Writing

    async def project(
        self, batch: Sequence[Projection], wanted: Sequence[int] | None = None
    ) -> tuple[Placing | None, ...]:
        """Take standings in and answer where the players, or those wanted, stand after the whole batch."""
        changes: _Changes = {}
        taken = [self._take(projection, changes) for projection in batch]
        self._announce(changes)
        return tuple(
            None if (standings := taken[i]) is None else standings.placing(batch[i].player_id)
            for i in (range(len(batch)) if wanted is None else wanted)
        )

    async def rename(self, player_id: str, name: str, name_revision: int) -> None:
        """Show another name everywhere, unless a newer one is known."""
        changes: _Changes = {}
        self._take_name(player_id, name, name_revision, changes)
        self._announce(changes)
        self._forget_spare_names()

    async def touch(self, board: str) -> None:
        """Raise the version of the board's loaded periods."""
        self._announce([standings for period, standings in self._loaded.items() if period.board == board])

    def _take(self, projection: Projection, changes: _Changes) -> Standings | None:
        period, player_id = projection.period, projection.player_id
        standings = self._loaded.get(period)
        building = self._building.get(period, ())
        if standings is not None or building or player_id in self._names:
            self._take_name(player_id, projection.name, projection.name_revision, changes)
        if standings is not None:
            self._loaded.move_to_end(period)
            if standings.take(player_id, projection.revision, projection.key):
                changes[standings] = None
        for unfinished in building:
            unfinished.take(player_id, projection.revision, projection.key)
        return standings

    def _take_name(self, player_id: str, name: str, revision: int, changes: _Changes) -> None:
        if self._names.take(player_id, name, revision):
            renamed = {standings for standings in self._all() if standings.rename(player_id)}
            changes.update((standings, None) for standings in self._loaded.values() if standings in renamed)

    def _announce(self, changed: Iterable[Standings]) -> None:
        changes = [standings.raise_version() for standings in changed]
        if changes:
            self._notify(changes)

    def _forget_spare_names(self) -> None:
        kept = tuple(self._all())
        if len(self._names) > sum(map(len, kept)) + MAX_SPARE_NAMES:
            self._names.keep(lambda player_id: any(player_id in standings for standings in kept))

    def _all(self) -> Iterator[Standings]:
        yield from self._loaded.values()
        for building in self._building.values():
            yield from building

    # Reading

    def watch(self, period: BoardPeriod) -> None:
        """Every change is made here."""

    def unwatch(self, period: BoardPeriod) -> None:
        """Every change is made here."""

    async def version(self, period: BoardPeriod) -> tuple[int, int]:
        """Epoch and version."""
        standings = self._find(period)
        return standings.epoch, standings.version

    async def top(self, period: BoardPeriod, limit: int) -> Page:
        """The first `limit` rows."""
        return self._find(period).top(limit)

    async def page(self, period: BoardPeriod, start: Neighbours, limit: int) -> Page:
        """Up to `limit` rows, best first, after an order key or, going back, just before it."""
        return self._find(period).page(start, limit)

    async def around(self, period: BoardPeriod, player_id: str, k: int) -> Page:
        """The player's row with `k` rows on each side, shifted at the edges."""
        return self._find(period).around(player_id, k)

    async def rows_of(self, period: BoardPeriod, player_ids: Sequence[str]) -> Page:
        """The rows of these players, best first."""
        return self._find(period).rows_of(player_ids)

    async def placings(self, period: BoardPeriod, player_ids: Sequence[str]) -> tuple[Placing, ...]:
        """Where these players stand, in the order given."""
        standings = self._find(period)
        return tuple(standings.placing(player_id) for player_id in player_ids)

    async def placing_of_score(self, period: BoardPeriod, score: int, tiebreakers: Sequence[int]) -> Placing:
        """Where a new standing with this score would stand, ahead of its equals."""
        return self._find(period).placing_of_score(score, tiebreakers)

    async def digest(self, period: BoardPeriod) -> tuple[int, int]:
        """Number of visible standings and the sum of their scores."""
        return self._find(period).digest()

    async def close(self) -> None:
        """Let go of everything; loads that run come to nothing."""
        self._loaded.clear()
        self._building.clear()
        self._names = Names()

    def _find(self, period: BoardPeriod) -> Standings:
        standings = self._loaded.get(period)
        if standings is None:
            raise NotLoaded(period)
        self._loaded.move_to_end(period)
        return standings
