"""What every storage promises of the fold: the order of arrival does not matter."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoreboard.clock import DAY, SECOND
from scoreboard.errors import ScoreOutOfRange
from scoreboard.fold import Counted, fold
from scoreboard.model import MAX_SCORE, BoardPeriod, BoardSettings, Operator, Order, Submission, TieColumn
from scoreboard.order import order_keys
from scoreboard.periods import period_at
from tests.storage.contract import Contract
from tests.storage.world import World

START = 1_800_000_000 * SECOND

runs = st.lists(
    st.tuples(
        st.integers(0, 2 * DAY),
        st.integers(-20, 20) | st.sampled_from([MAX_SCORE, -MAX_SCORE, MAX_SCORE - 7]),
        st.integers(-2, 2),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda run: run[0],
)


class FoldContract(Contract):
    @settings(
        max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
    )
    @given(operator=st.sampled_from(["best", "latest", "sum"]), order=st.sampled_from(["desc", "asc"]), arrivals=runs)
    async def test_any_order_of_arrival_makes_the_standing_of_the_sorted_history(
        self, world: World, operator: Operator, order: Order, arrivals: list[tuple[int, int, int, bool]]
    ) -> None:
        """Each run is (microseconds after the start, score, tie column, whether it is voided in the end)."""
        name = f"board{len(world.boards)}"
        board = await world.board(
            name, operator=operator, order=order, tiebreakers=(TieColumn("laps"),), windows=("all", "day")
        )
        counted: list[Submission] = []
        for offset, score, tie, voided in arrivals:
            item = world.submission("ada", score, name, at=START + offset, tiebreakers=(tie,))
            outcome = (await world.commit(item)).outcomes[0]
            if outcome.status == "rejected":
                assert outcome.code == "score_out_of_range"
                assert not _adds_up(board.settings, [*counted, item])
                continue
            counted.append(item)
            if voided and _adds_up(board.settings, counted[:-1]):
                await world.void(name, item.id, item.periods)
                counted.pop()
            await _assert_folded(world, name, counted)

    async def test_a_late_submission_counts_in_its_own_period_only(self, world: World) -> None:
        await world.board(operator="latest", windows=("all", "day"))
        yesterday = world.clock.now()
        world.clock.advance(DAY)
        today = await world.submit("ada", 5)
        late = await world.submit("ada", 9, at=yesterday)
        assert (late.applied, late.score, late.previous) == (False, 5, 5)
        assert await world.shown() == [("ada", 5)]
        assert await world.shown("main", "day", today.changes[1].period.period) == [("ada", 5)]
        assert await world.shown("main", "day", late.changes[1].period.period) == [("ada", 9)]

    async def test_late_and_new_submissions_share_a_batch(self, world: World) -> None:
        await world.board(operator="sum")
        early = world.clock.now()
        await world.commit(world.submission("ada", 1), world.submission("bob", 10))
        await world.commit(world.submission("ada", 2, at=early), world.submission("bob", 20))
        standings = await world.standings()
        assert [(standing.player_id, standing.score) for standing in standings] == [("bob", 30), ("ada", 3)]
        assert standings[1].achieved_at > early

    async def test_of_one_instant_the_higher_submission_id_is_the_later(self, world: World) -> None:
        await world.board(operator="latest")
        at = world.clock.now()
        await world.submit("ada", 2, at=at, id="01930000-0000-7000-8000-000000000002")
        await world.submit("ada", 1, at=at, id="01930000-0000-7000-8000-000000000001")
        assert await world.shown() == [("ada", 2)]


def _within(settings_: BoardSettings, items: list[Submission]) -> dict[tuple[str, str], list[Counted]]:
    """The submissions in fold order by window and period."""
    found: dict[tuple[str, str], list[Counted]] = {}
    for item in items:
        for window in settings_.windows:
            period = period_at(settings_, window, item.accepted_at) or ""
            run = Counted(item.accepted_at, item.id, item.score, item.tiebreakers)
            found.setdefault((window, period), []).append(run)
    return {place: sorted(submissions) for place, submissions in found.items()}


def _adds_up(settings_: BoardSettings, items: list[Submission]) -> bool:
    try:
        for submissions in _within(settings_, items).values():
            fold(settings_, submissions)
    except ScoreOutOfRange:
        return False
    return True


async def _assert_folded(world: World, name: str, items: list[Submission]) -> None:
    board = world.boards[name]
    expected = _within(board.settings, items)
    for _, window, period in await world.storage.periods(name):
        standing = fold(board.settings, expected.get((window, period), []))
        stored = await world.storage.standings_of(BoardPeriod(name, window, period), None, 10)
        key: bytes | None = None
        if standing is not None:
            key = order_keys(board.settings).encode(standing.score, standing.tiebreakers, standing.achieved_at, "ada")
        assert [projection.key for projection in stored] == [key]
