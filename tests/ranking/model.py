"""A ranking against the simplest one that could be right: a list, sorted anew for every question."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoreboard.clock import rfc3339
from scoreboard.model import MAX_SCORE, BoardPeriod, BoardSettings, Page, Placing, Projection, TieColumn
from scoreboard.ranking.base import Neighbours
from tests.ranking.world import Backend, World, pages

PLAYERS = ("ada", "Bob", "cy", "d-1", "d-10", "eve")
PERIODS = (BoardPeriod("main", "all", "all"), BoardPeriod("main", "day", "2026-11-23"))
ABSENT = "zoe"


class Standing(NamedTuple):
    """A projection before its key is made; without numbers it is hidden."""

    period: BoardPeriod
    player_id: str
    revision: int
    numbers: tuple[int, int, int] | None
    name: str
    name_revision: int


class Rename(NamedTuple):
    player_id: str
    name: str
    name_revision: int


class Reload(NamedTuple):
    period: BoardPeriod


Step = list[Standing] | Rename | Reload

scores = st.one_of(st.integers(-2, 2), st.sampled_from((MAX_SCORE, -MAX_SCORE)))
numbers = st.tuples(scores, st.integers(-1, 1), st.integers(0, 3))
NAMES = ("Ada", "Löwe", "x", "Ada", "Löwe")
"""A player's name by its revision, which names it once and for all."""

revisions = st.integers(1, len(NAMES))


def _standing(
    period: BoardPeriod, player_id: str, revision: int, numbers: tuple[int, int, int] | None, name: int
) -> Standing:
    return Standing(period, player_id, revision, numbers, NAMES[name - 1], name)


standings = st.builds(
    _standing,
    st.sampled_from(PERIODS),
    st.sampled_from(PLAYERS),
    revisions,
    st.one_of(numbers, numbers, numbers, st.none()),
    revisions,
)
renames = st.builds(lambda player, name: Rename(player, NAMES[name - 1], name), st.sampled_from(PLAYERS), revisions)
steps = st.lists(
    st.one_of(
        st.lists(standings, min_size=1, max_size=4),
        renames,
        st.builds(Reload, st.sampled_from(PERIODS)),
    ),
    max_size=12,
)
boards = st.builds(
    BoardSettings,
    order=st.sampled_from(("asc", "desc")),
    rank=st.sampled_from(("competition", "dense", "unique")),
    tiebreakers=st.sampled_from(((TieColumn("tie", "asc"),), (TieColumn("tie", "desc"),))),
)


class Model:
    """What is known of each period, and the names."""

    def __init__(self, board: BoardSettings) -> None:
        self._board = board
        self.known: dict[BoardPeriod, dict[str, Standing]] = {period: {} for period in PERIODS}
        self.names: dict[str, tuple[int, str]] = {}
        self._read: dict[str, int] = {}

    def possible(self, batch: Sequence[Standing]) -> list[Standing]:
        """The batch as a transaction may have read it: a player has one name in it, none older than a reload read."""
        names = {each.player_id: max(each.name_revision, self._read.get(each.player_id, 0)) for each in batch}
        return [
            each._replace(name=NAMES[names[each.player_id] - 1], name_revision=names[each.player_id]) for each in batch
        ]

    def take(self, standing: Standing) -> None:
        known = self.known[standing.period].get(standing.player_id)
        if known is None or standing.revision >= known.revision:
            self.known[standing.period][standing.player_id] = standing
        self.name(Rename(standing.player_id, standing.name, standing.name_revision))

    def name(self, rename: Rename) -> None:
        revision, _ = self.names.get(rename.player_id, (0, ""))
        if rename.name_revision >= revision:
            self.names[rename.player_id] = (rename.name_revision, rename.name)

    def changes(self, act: Callable[[], None]) -> set[BoardPeriod]:
        """The periods whose rows an act changes."""
        before = {period: self.rows(period) for period in PERIODS}
        act()
        return {period for period in PERIODS if self.rows(period) != before[period]}

    def visible(self, period: BoardPeriod) -> list[Standing]:
        return [standing for standing in self.known[period].values() if standing.numbers is not None]

    def read(self, period: BoardPeriod) -> list[Standing]:
        """The standings as a reload reads them, hidden ones too: each with the player's newest name."""
        self._read = {player: revision for player, (revision, _) in self.names.items()}
        rows = ((standing, *self.names[standing.player_id]) for standing in self.known[period].values())
        return [standing._replace(name=name, name_revision=revision) for standing, revision, name in rows]

    def rows(self, period: BoardPeriod) -> list[tuple[object, ...]]:
        """Position, rank, player, name, score, tie and time of every visible standing, best first."""
        ordered = sorted((*self._place(s.numbers), s, s.numbers) for s in self.visible(period) if s.numbers is not None)
        groups = [group for group, *_ in ordered]
        return [
            (index + 1, self._rank(groups, index), s.player_id, self.names[s.player_id][1], score, tie, rfc3339(at))
            for index, (*_, s, (score, tie, at)) in enumerate(ordered)
        ]

    def placing_of_score(self, period: BoardPeriod, score: int, tie: int) -> tuple[int, int]:
        group, _ = self._place((score, tie, 0))
        groups = sorted(self._place(s.numbers)[0] for s in self.visible(period) if s.numbers is not None)
        better = [other for other in groups if other < group]
        return len(better) + 1, (len(set(better)) if self._board.rank == "dense" else len(better)) + 1

    def _place(self, numbers: tuple[int, int, int]) -> tuple[tuple[int, int], int]:
        score, tie, at = numbers
        return (self._sign(self._board.order) * score, self._sign(self._board.tiebreakers[0].order) * tie), at

    def _rank(self, groups: Sequence[tuple[int, int]], index: int) -> int:
        if self._board.rank == "unique":
            return index + 1
        if self._board.rank == "dense":
            return len(set(groups[: index + 1]))
        return groups.index(groups[index]) + 1

    @staticmethod
    def _sign(order: str) -> int:
        return -1 if order == "desc" else 1


class ModelContract:
    @settings(
        max_examples=120,
        deadline=None,
        # A backend keeps nothing from one world to the next, so that examples may share the fixture; and several
        # backends share the test.
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    @given(board=boards, steps=steps)
    def test_every_answer_is_that_of_a_sorted_list(
        self, backend: Backend, board: BoardSettings, steps: list[Step]
    ) -> None:
        asyncio.run(_replay(backend, board, steps))


async def _replay(backend: Backend, board: BoardSettings, steps: list[Step]) -> None:
    world, model = World(backend), Model(board)
    world.board(order=board.order, rank=board.rank, tiebreakers=board.tiebreakers)
    async with world.open() as world.ranking:
        for epoch, period in enumerate(PERIODS, 1):
            await world.load(period, epoch=epoch)
        for epoch, step in enumerate(steps, 3):
            known = {period: await world.ranking.version(period) for period in PERIODS}
            changed = await _apply(world, model, step, epoch)
            for period in PERIODS:
                version = await world.ranking.version(period)
                if isinstance(step, Reload) and step.period == period:
                    assert version == (epoch, 1)
                else:
                    assert version in _next_versions(step, period, *known[period], changed=period in changed)
                await _compare(world, model, period)


def _next_versions(
    step: Step, period: BoardPeriod, epoch: int, version: int, *, changed: bool
) -> list[tuple[int, int]]:
    """A change raises the version by one, and so may each name that came with a standing of another period."""
    elsewhere = sum(standing.period != period for standing in step) if isinstance(step, list) else 0
    return [(epoch, version + raised) for raised in (range(1, 2 + elsewhere) if changed else (0,))]


async def _apply(world: World, model: Model, step: Step, epoch: int) -> set[BoardPeriod]:
    """Take a step in both; returns the periods of which a viewer sees a change."""
    changed: set[BoardPeriod] = set()
    if isinstance(step, Rename):
        changed = model.changes(lambda: model.name(step))
        await world.ranking.rename(*step)
    elif isinstance(step, Reload):
        page = [_projection(world, standing) for standing in model.read(step.period)]
        await world.ranking.load(step.period, epoch, pages([page[:2], page[2:]]))
    else:
        batch = model.possible(step)
        for standing in batch:
            changed |= model.changes(partial(model.take, standing))
        placings = await world.ranking.project([_projection(world, standing) for standing in batch])
        for standing, placing in zip(batch, placings, strict=True):
            assert (placing,) == await world.ranking.placings(standing.period, [standing.player_id])
    return changed


def _projection(world: World, standing: Standing) -> Projection:
    period, player_id, revision, numbers, name, name_revision = standing
    if numbers is None:
        return Projection(period, player_id, revision, None, name, name_revision)
    score, tie, at = numbers
    return world.standing(
        period, player_id, score, revision, ties=(tie,), at=at, name=name, name_revision=name_revision
    )


async def _compare(world: World, model: Model, period: BoardPeriod) -> None:
    ranking, rows = world.ranking, model.rows(period)
    top = await ranking.top(period, 100)
    assert _rows(top) == rows
    assert top.total == len(rows)
    assert (top.epoch, top.version) == await ranking.version(period)
    assert _rows(await ranking.top(period, 2)) == rows[:2]
    for index, (row, key) in enumerate(zip(top.rows, top.keys, strict=True)):
        assert _rows(await ranking.page(period, Neighbours(key), 2)) == rows[index + 1 : index + 3]
        before = await ranking.page(period, Neighbours(key, backwards=True), 2)
        assert _rows(before) == rows[max(0, index - 2) : index]
        around = await ranking.around(period, row.player_id, 1)
        first = max(0, min(index - 1, len(rows) - 3))
        assert _rows(around) == rows[first : first + 3]
    asked = (ABSENT, *PLAYERS[::-1])
    assert _rows(await ranking.rows_of(period, asked)) == rows
    places = {row.player_id: (row.position, row.rank, row.score) for row in top.rows}
    epoch, version = await ranking.version(period)
    expected = [Placing(epoch, version, *places.get(player, (None, None, None))) for player in asked]
    assert list(await ranking.placings(period, asked)) == expected
    for score, tie in ((0, 0), (1, -1), (MAX_SCORE, 1)):
        placing = await ranking.placing_of_score(period, score, (tie,))
        assert (placing.position, placing.rank) == model.placing_of_score(period, score, tie)
    assert await ranking.digest(period) == (len(rows), sum(row.score for row in top.rows))


def _rows(page: Page) -> list[tuple[object, ...]]:
    return [
        (row.position, row.rank, row.player_id, row.name, row.score, *row.tiebreakers, row.achieved_at)
        for row in page.rows
    ]
