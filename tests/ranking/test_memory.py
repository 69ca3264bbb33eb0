from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from scoreboard.model import BoardPeriod, BoardSettings, Projection
from scoreboard.ranking.base import Changed, Notify, NotLoaded, Ranking, SettingsOf
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.ranking.memory import ranking as memory
from tests.ranking.contract import NamesContract, ReadingContract, WritingContract
from tests.ranking.loading import LoadingContract
from tests.ranking.model import ModelContract
from tests.ranking.world import Backend, World, hidden, ids, pages


class MemoryBackend:
    @asynccontextmanager
    async def open(self, settings_of: SettingsOf, notify: Notify) -> AsyncIterator[Ranking]:
        ranking = MemoryRanking(settings_of, notify)
        yield ranking
        await ranking.close()

    async def delivered(self) -> None:
        """Everything is told before the call that caused it returns."""


class TestMemoryRanking(ReadingContract, WritingContract, NamesContract, LoadingContract, ModelContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend()


OPEN: set[BoardPeriod] = set()


@pytest.fixture
async def small() -> AsyncIterator[World]:
    """A world whose ranking keeps the periods that are OPEN and two others, of four standings."""
    world = World(MemoryBackend())
    world.board()
    world.ranking = MemoryRanking(
        lambda _: BoardSettings(), lambda _: None, OPEN.__contains__, max_periods=2, max_rows=4
    )
    yield world
    OPEN.clear()
    await world.ranking.close()


def day(number: int) -> BoardPeriod:
    return BoardPeriod("main", "day", f"2026-11-{number:02}")


def many(world: World, number: int, count: int) -> list[Projection]:
    """So many standings of a day."""
    return [world.standing(day(number), f"p{player}", player) for player in range(count)]


async def loaded(world: World, last: int) -> list[int]:
    """Those of the days up to the last one that are loaded."""
    return [number for number in range(1, last + 1) if await world.ranking.loaded(day(number))]


async def test_the_least_recently_used_period_gives_way(small: World) -> None:
    await small.load(day(1), small.standing(day(1), "ada", 1))
    await small.load(day(2))
    await small.ranking.top(day(1), 1)
    await small.load(day(3))
    assert await loaded(small, 3) == [1, 3]
    with pytest.raises(NotLoaded):
        await small.ranking.top(day(2), 1)


async def test_a_projection_counts_as_use(small: World) -> None:
    await small.load(day(1))
    await small.load(day(2))
    await small.ranking.project([small.standing(day(1), "ada", 1)])
    await small.load(day(3))
    assert await loaded(small, 3) == [1, 3]


async def test_an_open_period_never_gives_way(small: World) -> None:
    OPEN.update(day(number) for number in (1, 2, 3, 4))
    for number in range(1, 8):
        await small.load(day(number))
    assert await loaded(small, 7) == [1, 2, 3, 4, 6, 7]


async def test_a_period_gives_way_once_it_is_not_open_any_more(small: World) -> None:
    OPEN.update(day(number) for number in (1, 2, 3))
    for number in (1, 2, 3, 4):
        await small.load(day(number))
    OPEN.clear()
    OPEN.update(day(number) for number in (5, 6, 7))
    for number in (5, 6, 7):
        await small.load(day(number))
    assert await loaded(small, 7) == [3, 4, 5, 6, 7]


async def test_periods_of_too_many_standings_give_way(small: World) -> None:
    OPEN.add(day(1))
    for number, count in ((1, 6), (2, 3), (3, 1), (4, 2)):
        await small.load(day(number), *many(small, number, count))
    assert await loaded(small, 4) == [1, 3, 4]


async def test_a_period_beyond_every_bound_can_be_read_all_the_same(small: World) -> None:
    await small.load(day(1), *many(small, 1, 1))
    await small.load(day(2), *many(small, 2, 9))
    assert await loaded(small, 2) == [2]


async def test_names_nobody_needs_are_forgotten_beyond_a_bound(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_SPARE_NAMES", 2)
    await small.load(day(1), small.standing(day(1), "ada", 1))
    await small.ranking.project([hidden(day(1), "eve", 1)])
    for player in ("bob", "cy", "dee"):
        await small.ranking.rename(player, "Newer", 9)
    await small.ranking.project([small.standing(day(1), player, 1, name="Older") for player in ("ada", "bob", "eve")])
    names = {row.player_id: row.name for row in (await small.ranking.top(day(1), 10)).rows}
    assert names == {"ada": "Older", "bob": "Older", "eve": "Older"}


async def test_a_long_page_is_taken_in_whole() -> None:
    told: list[Changed] = []
    world = World(MemoryBackend())
    main = world.board()
    ranking = MemoryRanking(lambda _: BoardSettings(), told.extend)
    count = 2 * memory.LOAD_SLICE + 1
    page = [world.standing(main, f"p{number:05}", -number) for number in range(count)]
    await ranking.load(main, 1, pages([page]))
    assert await ranking.digest(main) == (count, -count * (count - 1) // 2)
    assert ids(await ranking.around(main, f"p{count - 1:05}", 0)) == [f"p{count - 1:05}"]
    assert told == [Changed(main, 1, 1)]


async def test_a_closed_ranking_has_let_go_of_everything(small: World) -> None:
    await small.load(day(1), small.standing(day(1), "ada", 1))
    await small.ranking.close()
    assert not await small.ranking.loaded(day(1))
