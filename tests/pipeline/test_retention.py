from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scoreboard.clock import DAY
from scoreboard.pipeline import forget_old
from scoreboard.storage.sqlite import SqliteStorage
from scoreboard.tasks import Tasks
from tests.storage.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    storage = await SqliteStorage.open(tmp_path / "scores.db")
    yield World(storage)
    await storage.close()


@pytest.mark.timeout(30)
async def test_what_is_older_than_told_is_forgotten_and_the_standing_stays(world: World) -> None:
    await world.board(operator="sum")
    old = await world.submit("ada", 5)
    world.clock.advance(100 * DAY)
    new = await world.submit("ada", 2)
    tasks = Tasks()
    tasks.start(forget_old(world.storage, world.clock, days=60), "retention")
    while await world.storage.submission(old.submission_id) is not None:
        pass
    await tasks.cancel()
    assert await world.storage.submission(new.submission_id) is not None
    assert await world.shown() == [("ada", 7)]
