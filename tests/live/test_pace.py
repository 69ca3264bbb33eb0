import asyncio
from collections.abc import Callable, Coroutine
from itertools import pairwise

import pytest
import uvloop

from scoreboard.live.pace import Pace
from scoreboard.tasks import Tasks

LONG_S = 20.0


class Work:
    """Counts its runs; each waits until it is let go."""

    def __init__(self) -> None:
        self.runs = 0
        self.running = 0
        self.let_go = asyncio.Event()
        self.ran = asyncio.Event()

    async def __call__(self) -> float | None:
        self.running += 1
        assert self.running == 1
        self.runs += 1
        self.ran.set()
        await self.let_go.wait()
        self.running -= 1
        return None


async def test_work_runs_at_once_after_a_quiet_time() -> None:
    work, tasks = Work(), Tasks()
    Pace(work, LONG_S, tasks, "work").wake()
    await asyncio.wait_for(work.ran.wait(), 5)
    await tasks.cancel()


async def test_what_is_asked_for_meanwhile_is_one_more_run() -> None:
    work, tasks = Work(), Tasks()
    pace = Pace(work, 0.001, tasks, "work")
    for _ in range(5):
        pace.wake()
    await asyncio.wait_for(work.ran.wait(), 5)
    for _ in range(5):
        pace.wake()
    work.ran.clear()
    work.let_go.set()
    await asyncio.wait_for(work.ran.wait(), 5)
    assert work.runs == 2
    await tasks.cancel()


async def test_a_run_that_is_forgiven_holds_up_no_other() -> None:
    tasks, ran = Tasks(), asyncio.Event()

    async def work() -> float | None:
        pace.forgive()
        ran.set()
        return None

    pace = Pace(work, LONG_S, tasks, "work")
    for _ in range(2):
        ran.clear()
        pace.wake()
        await asyncio.wait_for(ran.wait(), 5)
    await tasks.cancel()


async def test_two_runs_are_an_interval_apart() -> None:
    loop, starts, done = asyncio.get_running_loop(), list[float](), asyncio.Event()

    async def work() -> float | None:
        starts.append(loop.time())
        if len(starts) == 3:
            done.set()
        return 0.0

    tasks = Tasks()
    pace = Pace(work, 0.02, tasks, "work")
    pace.wake()
    await asyncio.wait_for(done.wait(), 5)
    pace.stop()
    rounding_s = 0.002  # uvloop counts in whole milliseconds
    assert all(later - earlier >= 0.02 - rounding_s for earlier, later in pairwise(starts))
    await tasks.cancel()


async def test_a_sooner_wish_replaces_a_later_one() -> None:
    work, tasks = Work(), Tasks()
    pace = Pace(work, 0.0, tasks, "work")
    pace.wake(LONG_S)
    pace.wake(0.001)
    await asyncio.wait_for(work.ran.wait(), 5)
    await tasks.cancel()


@pytest.mark.parametrize(
    "scenario",
    [
        test_work_runs_at_once_after_a_quiet_time,
        test_what_is_asked_for_meanwhile_is_one_more_run,
        test_two_runs_are_an_interval_apart,
        test_a_sooner_wish_replaces_a_later_one,
    ],
)
def test_the_loop_that_serves_in_production_does_the_same(scenario: Callable[[], Coroutine[None, None, None]]) -> None:
    uvloop.run(scenario())
