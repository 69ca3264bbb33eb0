import asyncio
import logging

import pytest

from scoreboard.clock import MILLISECOND, SECOND, ManualClock, SystemClock
from scoreboard.live.wheel import Wheel
from scoreboard.tasks import Tasks


class Bell:
    """Rings when due, and asks for the deadlines it is given."""

    def __init__(self, *following: int | None) -> None:
        self.rang: list[int] = []
        self._following = list(following)

    def due(self, now: int) -> int | None:
        self.rang.append(now)
        return self._following.pop(0) if self._following else None


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def wheel(clock: ManualClock) -> Wheel:
    return Wheel(clock, resolution_ms=100)


def test_a_deadline_is_met_after_its_instant_and_never_before(clock: ManualClock, wheel: Wheel) -> None:
    bell, at = Bell(), clock.now() + SECOND
    wheel.schedule(bell, at)
    for _ in range(12):
        wheel.sweep()
        clock.advance(100 * MILLISECOND)
    wheel.sweep()
    assert len(bell.rang) == 1
    assert at <= bell.rang[0] <= at + 200 * MILLISECOND
    assert len(wheel) == 0


def test_the_answer_is_the_next_deadline(clock: ManualClock, wheel: Wheel) -> None:
    start = clock.now()
    bell = Bell(start + 5 * SECOND)
    wheel.schedule(bell, start)
    clock.advance(SECOND)
    wheel.sweep()
    wheel.sweep()
    assert len(bell.rang) == 1
    clock.advance(5 * SECOND)
    wheel.sweep()
    assert len(bell.rang) == 2


def test_an_item_has_one_deadline_the_last_one_set(clock: ManualClock, wheel: Wheel) -> None:
    bell, now = Bell(), clock.now()
    wheel.schedule(bell, now + 10 * SECOND)
    wheel.schedule(bell, now + SECOND)
    clock.advance(2 * SECOND)
    wheel.sweep()
    clock.advance(20 * SECOND)
    wheel.sweep()
    assert len(bell.rang) == 1


def test_a_cancelled_deadline_does_not_come(clock: ManualClock, wheel: Wheel) -> None:
    bell = Bell()
    wheel.schedule(bell, clock.now())
    wheel.cancel(bell)
    wheel.cancel(bell)
    clock.advance(SECOND)
    wheel.sweep()
    assert bell.rang == []


def test_a_deadline_for_now_comes_at_the_next_sweep_and_not_in_this_one(clock: ManualClock, wheel: Wheel) -> None:
    bell = Bell(0, 0, None)
    wheel.schedule(bell, 0)
    for expected in (1, 2, 3):
        clock.advance(100 * MILLISECOND)
        wheel.sweep()
        assert len(bell.rang) == expected


def test_a_failing_item_does_not_stop_the_others(
    clock: ManualClock, wheel: Wheel, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def due(self, now: int) -> int | None:
            raise ZeroDivisionError

    bell = Bell()
    wheel.schedule(Broken(), clock.now())
    wheel.schedule(bell, clock.now())
    clock.advance(SECOND)
    with caplog.at_level(logging.ERROR):
        wheel.sweep()
    assert len(bell.rang) == 1
    assert "ZeroDivisionError" in caplog.text


async def test_run_sweeps_by_itself() -> None:
    rang = asyncio.Event()

    class Alarm:
        def due(self, now: int) -> int | None:
            rang.set()
            return None

    wheel, tasks = Wheel(SystemClock(), resolution_ms=1), Tasks()
    wheel.schedule(Alarm(), wheel.now())
    tasks.start(wheel.run(), "wheel")
    await asyncio.wait_for(rang.wait(), 5)
    await tasks.cancel()
