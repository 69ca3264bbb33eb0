import asyncio
import contextlib
import logging

import pytest

from scoreboard.tasks import Tasks


async def test_a_task_runs_under_its_name() -> None:
    tasks = Tasks()

    async def name() -> str:
        task = asyncio.current_task()
        assert task is not None
        return task.get_name()

    assert await tasks.start(name(), "errand") == "errand"
    await tasks.cancel()


async def test_cancelling_ends_what_runs_and_waits_for_it() -> None:
    tasks, ended = Tasks(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    tasks.start(work(), "work")
    await asyncio.sleep(0)
    await tasks.cancel()
    assert ended.is_set()


async def test_a_task_that_loses_a_cancellation_is_cancelled_again() -> None:
    tasks, turns = Tasks(), asyncio.Event()

    async def work() -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError if not turns.is_set() else TimeoutError):
                await asyncio.Event().wait()
            turns.set()

    tasks.start(work(), "work")
    await asyncio.sleep(0)
    await tasks.cancel()
    assert turns.is_set()


async def test_nothing_starts_once_they_are_cancelled() -> None:
    tasks, runs = Tasks(), []

    async def work() -> None:
        try:
            runs.append("a run")
            await asyncio.Event().wait()
        finally:
            tasks.start(work(), "another go")

    tasks.start(work(), "work")
    await asyncio.sleep(0)
    await tasks.cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks.start(work(), "late")
    assert runs == ["a run"]


async def test_a_task_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks()

    async def fail() -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR), pytest.raises(ZeroDivisionError):
        await tasks.start(fail(), "sums")
    assert "task sums ended with an error" in caplog.text
    await tasks.cancel()
