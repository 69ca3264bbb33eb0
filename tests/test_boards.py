from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scoreboard.boards import Boards
from scoreboard.clock import DAY, ManualClock
from scoreboard.model import BoardPeriod, BoardSettings
from scoreboard.storage.sqlite import SqliteStorage


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    storage = await SqliteStorage.open(tmp_path / "scoreboard.db")
    yield storage
    await storage.close()


async def test_a_period_is_open_while_its_window_is_there_and_its_time_has_not_passed(storage: SqliteStorage) -> None:
    clock = ManualClock()
    boards = Boards(storage, clock)
    await boards.open({"main": BoardSettings(windows=("all", "day"))})
    ever, today = boards.current(boards.get("main"))
    assert [boards.is_open(period) for period in (ever, today)] == [True, True]
    assert not boards.is_open(BoardPeriod("other", "all", "all"))
    clock.advance(DAY)
    assert [boards.is_open(period) for period in (ever, today)] == [True, False]
    await boards.put("main", BoardSettings(windows=("day",)), "admin")
    assert not boards.is_open(ever)
