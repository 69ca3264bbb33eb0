"""How many standings are compared with their histories, and what is told of those that differ."""

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest

from scoreboard.model import BoardPeriod
from scoreboard.pipeline import Extent, Misfolded, compare_history, history
from scoreboard.storage.sqlite import SqliteStorage
from tests.storage.world import World

MAIN = BoardPeriod("main", "all", "all")
PLAYERS = [f"p{number:02}" for number in range(32)]


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(history, "PAGE", 2)
    monkeypatch.setattr(history, "SAMPLED", 10)
    storage = await SqliteStorage.open(tmp_path / "scoreboard.db")
    world = World(storage)
    await world.board()
    await world.commit(*(world.submission(player, 100) for player in PLAYERS))
    yield world
    await storage.close()


async def compared(world: World, extent: Extent) -> Misfolded:
    return await compare_history(world.storage, world.boards["main"], MAIN, extent)


@pytest.mark.parametrize(("extent", "count"), [("none", 0), ("sample", 8), ("all", 32)])
async def test_of_so_many_standings_the_first_are_a_sample(world: World, extent: Extent, count: int) -> None:
    assert await compared(world, extent) == Misfolded(count)


async def test_however_many_differ_a_few_are_named(world: World, tmp_path: Path) -> None:
    with closing(connect(tmp_path / "scoreboard.db", isolation_level=None)) as connection:
        connection.execute("UPDATE history SET score = 99")
    assert await compared(world, "all") == Misfolded(32, 32, tuple(PLAYERS[:10]))
