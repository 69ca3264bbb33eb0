"""What every storage promises of windows that a board gets later: they are as if they had always been there."""

from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoreboard.clock import DAY, SECOND
from scoreboard.errors import BadRequest, ScoreOutOfRange, Unavailable
from scoreboard.model import MAX_SCORE, Operator, Order, Season, Status, TieColumn
from scoreboard.order import Decoded
from scoreboard.oversight import PlayerStatus
from tests.storage.contract import MAIN, Contract
from tests.storage.world import World

START = 1_800_000_000 * SECOND
WINDOWS = ("all", "day", "week", "cup")
CUP = {"cup": Season("2027-01-15T12:00:00Z", "2027-01-16T12:00:00Z")}


class Run(NamedTuple):
    """A submission, twice `offset` microseconds after a start, and whether it is voided in the end."""

    offset: int
    player: str
    score: int
    tie: int
    status: Status
    voided: bool


runs = st.lists(
    st.builds(
        Run,
        st.integers(0, DAY),
        st.sampled_from(["ada", "bob", "cy"]),
        st.integers(-20, 20),
        st.integers(-2, 2),
        st.sampled_from(["accepted", "accepted", "accepted", "held", "rejected"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda run: run.offset,
)


class WindowContract(Contract):
    @settings(
        max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
    )
    @given(
        operator=st.sampled_from(["best", "latest", "sum"]),
        order=st.sampled_from(["desc", "asc"]),
        status=st.sampled_from(["active", "banned", "hidden"]),
        history=runs,
        more=runs,
    )
    async def test_a_window_added_later_is_as_if_it_had_always_been_there(
        self, world: World, operator: Operator, order: Order, status: PlayerStatus, history: list[Run], more: list[Run]
    ) -> None:
        made = {"operator": operator, "order": order, "tiebreakers": (TieColumn("laps"),), "seasons": CUP}
        names = [f"{name}{len(world.boards)}" for name in ("always", "later")]
        for name, windows in zip(names, (WINDOWS, ("all",)), strict=True):
            await world.board(name, **made, windows=windows)
            await _play(world, name, START, history)
        await _set_status(world, history[0].player, status)
        await world.board(names[1], **made, windows=WINDOWS)
        await _assert_same(world, *names)
        await _set_status(world, history[0].player, "active")
        await _assert_same(world, *names)
        for name in names:
            await _play(world, name, START + 1, more)
        await _assert_same(world, *names)

    async def test_a_window_that_comes_back_counts_what_came_and_went_meanwhile(self, world: World) -> None:
        await world.board(operator="sum", windows=("all", "day"))
        kept, lost = await world.submit("ada", 1), await world.submit("bob", 5)
        today = kept.changes[1].period
        before = {change.player_id: change.revision for change in (kept.changes[1], lost.changes[1])}
        await world.board(operator="sum")
        await world.submit("ada", 2)
        await world.submit("cy", 4)
        await world.void("main", lost.submission_id)
        assert await world.shown("main", "day", today.period) == [("bob", 5), ("ada", 1)]
        await world.board(operator="sum", windows=("all", "day"))
        assert await world.shown("main", "day", today.period) == [("cy", 4), ("ada", 3)]
        outcome = await world.submit("bob", 6)
        assert outcome.previous is None
        after = {change.player_id: change.revision for change in await world.storage.standings_of(today, None, 10)}
        assert all(after[player] > before[player] for player in before)

    async def test_windows_that_stay_are_left_alone(self, world: World) -> None:
        await world.board(windows=("all", "day"))
        outcome = await world.submit("ada", 1)
        await world.board(windows=("week", "day", "all"), title="Other")
        for change in outcome.changes:
            assert await world.storage.standings_of(change.period, None, 10) == (change,)
        assert [period.window for period in await world.storage.periods("main")] == ["all", "day", "week"]

    async def test_a_window_with_a_sum_out_of_range_is_refused_and_changes_nothing(self, world: World) -> None:
        board = await world.board(operator="sum")
        await world.submit("ada", -MAX_SCORE)
        world.clock.advance(DAY)
        await world.submit("ada", MAX_SCORE)
        await world.submit("ada", 1)
        with pytest.raises(ScoreOutOfRange, match="ada"):
            await world.board(operator="sum", windows=("all", "week", "day"))
        assert await world.storage.boards() == (board,)
        assert await world.storage.periods("main") == (MAIN,)

    async def test_a_calendar_that_does_not_reach_the_history_is_refused(self, world: World) -> None:
        board = await world.board()
        await world.submit("ada", 1, at=-1_000 * 365 * DAY)  # about the year 970
        with pytest.raises(BadRequest, match="outside the years"):
            await world.board(windows=("all", "day"))
        assert await world.storage.boards() == (board,)

    async def test_a_void_that_does_not_know_of_a_new_window_is_refused_and_may_come_again(self, world: World) -> None:
        old = await world.board()
        outcome = await world.submit("ada", 1)
        new = await world.board(windows=("all", "day"))
        today = (await world.storage.periods("main"))[1]
        world.boards["main"] = old
        with pytest.raises(Unavailable):
            await world.void("main", outcome.submission_id)
        assert await world.shown("main", "day", today.period) == [("ada", 1)]
        world.boards["main"] = new
        await world.void("main", outcome.submission_id, [MAIN, today])
        assert (await world.shown(), await world.shown("main", "day", today.period)) == ([], [])


async def _play(world: World, board: str, start: int, history: list[Run]) -> None:
    for run in history:
        item = world.submission(
            run.player, run.score, board, at=start + 2 * run.offset, tiebreakers=(run.tie,), status=run.status
        )
        await world.commit(item)
        if run.voided:
            await world.void(board, item.id, item.periods)


async def _set_status(world: World, player: str, status: PlayerStatus) -> None:
    await world.storage.set_status(player, status, world.clock.now())


async def _seen(world: World, board: str) -> dict[tuple[str, str], list[Decoded]]:
    """Every period in which something can be seen."""
    periods = await world.storage.periods(board)
    seen = {(window, period): await world.standings(board, window, period) for _, window, period in periods}
    return {place: standings for place, standings in seen.items() if standings}


async def _assert_same(world: World, always: str, later: str) -> None:
    assert await _seen(world, later) == await _seen(world, always)
