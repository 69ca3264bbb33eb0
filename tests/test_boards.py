import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from scoreboard.boards import Boards
from scoreboard.clock import DAY, ManualClock
from scoreboard.model import Board, BoardPeriod, BoardSettings
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


class LateStorage(SqliteStorage):
    """Tells only when it is let that a board was frozen."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.froze, self.may_tell = asyncio.Event(), asyncio.Event()

    async def freeze_board(self, *arguments: Any, **more: Any) -> Board | None:
        board = await super().freeze_board(*arguments, **more)
        self.froze.set()
        await self.may_tell.wait()
        return board


async def test_a_change_that_is_heard_of_late_does_not_undo_a_newer_one(tmp_path: Path) -> None:
    storage = await LateStorage.open(tmp_path / "scoreboard.db")
    assert isinstance(storage, LateStorage)
    boards = Boards(storage, ManualClock())
    await boards.open({"main": BoardSettings()})
    freezing = asyncio.create_task(boards.freeze("main", "admin"))
    await storage.froze.wait()
    revealed = await boards.reveal("main", "admin")
    storage.may_tell.set()
    await freezing
    assert boards.get("main") == revealed
    assert boards.frozen == {}
    await storage.close()
