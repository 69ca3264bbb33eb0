"""Rebuilds: who shares one, and who must have one of their own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from scoreboard.errors import Unavailable
from scoreboard.model import BoardPeriod, BoardSettings
from scoreboard.pipeline import Rebuilder
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.tasks import Tasks
from tests.ranking.world import ranks
from tests.storage.slow import SlowStorage
from tests.storage.world import World

MAIN = BoardPeriod("main", "all", "all")


class House:
    """A rebuilder and what it stands on."""

    def __init__(self, storage: SlowStorage, tasks: Tasks) -> None:
        self.storage = storage
        self.settings = BoardSettings()
        self.ranking = MemoryRanking(lambda _: self.settings, lambda _: None)
        self.rebuilder = Rebuilder(storage, self.ranking, tasks)

    async def ranks(self) -> Sequence[int]:
        """The ranks shown."""
        return ranks(await self.ranking.top(MAIN, 10))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    storage, tasks = await SlowStorage.opened(tmp_path / "scoreboard.db"), Tasks()
    world = World(storage)
    await world.board()
    await world.commit(*(world.submission(player, score) for player, score in (("a", 5), ("b", 5), ("c", 1))))
    yield House(storage, tasks)
    storage.gate.set()
    await tasks.cancel()
    await storage.close()


async def test_all_who_want_a_period_loaded_share_one_rebuild(house: House) -> None:
    wanting = [asyncio.create_task(house.rebuilder.ensure(MAIN)) for _ in range(5)]
    await house.storage.reading.wait()
    house.storage.gate.set()
    await asyncio.gather(*wanting)
    await house.rebuilder.ensure(MAIN)
    assert (house.storage.rebuilds, await house.ranks()) == (1, [1, 1, 3])


async def test_a_rebuild_does_not_join_one_that_began_before(house: House) -> None:
    first = asyncio.create_task(house.rebuilder.rebuild(MAIN))
    await house.storage.reading.wait()
    house.settings = BoardSettings(rank="dense")
    second = [asyncio.create_task(house.rebuilder.rebuild(MAIN)) for _ in range(3)]
    await asyncio.sleep(0)
    house.storage.gate.set()
    await asyncio.gather(first, *second)
    assert (house.storage.rebuilds, await house.ranks()) == (2, [1, 1, 2])


async def test_a_period_dropped_while_it_is_loaded_is_loaded_again(house: House) -> None:
    wanting = asyncio.create_task(house.rebuilder.ensure(MAIN))
    await house.storage.reading.wait()
    await house.ranking.drop(MAIN)
    house.storage.gate.set()
    await wanting
    assert (house.storage.rebuilds, await house.ranks()) == (2, [1, 1, 3])


async def test_who_has_no_patience_is_told_that_it_is_not_loaded(house: House) -> None:
    assert not await house.rebuilder.ensure_soon(MAIN, 0.01)
    assert not await house.rebuilder.ensure_soon(MAIN, 3_600)  # it runs, so there is no waiting
    house.storage.gate.set()
    await house.rebuilder.ensure(MAIN)
    assert await house.rebuilder.ensure_soon(MAIN, 0)
    assert house.storage.rebuilds == 1


async def test_who_has_patience_enough_finds_it_loaded(house: House) -> None:
    house.storage.gate.set()
    assert await house.rebuilder.ensure_soon(MAIN, 3_600)


async def test_a_rebuild_that_fails_leaves_nothing_outdated_behind(house: House) -> None:
    house.storage.gate.set()
    await house.rebuilder.ensure(MAIN)
    house.storage.broken = True
    with pytest.raises(Unavailable):
        await house.rebuilder.rebuild(MAIN)
    assert not await house.ranking.loaded(MAIN)
    house.storage.broken = False
    await house.rebuilder.ensure(MAIN)
    assert await house.ranks() == [1, 1, 3]
