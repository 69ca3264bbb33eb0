"""Reading a board while its ranking is being loaded, and other people's history."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scoreboard import leaderboard
from scoreboard.boards import Boards
from scoreboard.clock import DAY
from scoreboard.errors import NotFound
from scoreboard.leaderboard import Leaderboard
from scoreboard.model import BoardPeriod
from scoreboard.oversight import PlayerStatus
from scoreboard.pipeline import Hidden, Rebuilder
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.tasks import Tasks
from scoreboard.tokens import Cursors, Keyring
from scoreboard.wire import History, Standings, Top
from tests.storage.slow import SlowStorage
from tests.storage.world import World

MAIN = BoardPeriod("main", "all", "all")


class House:
    """A leaderboard of two players, none of its periods loaded, and what it stands on."""

    def __init__(self, storage: SlowStorage, world: World, boards: Boards, tasks: Tasks) -> None:
        self.storage = storage
        self.world = world
        ranking = MemoryRanking(boards.settings, lambda _: None)
        self.rebuilder = Rebuilder(storage, ranking, tasks)
        cursors = Cursors(Keyring.from_secrets(b"s" * 32))
        hidden = Hidden(storage, ranking, boards)
        self.leaderboard = Leaderboard(boards, ranking, self.rebuilder, storage, cursors, world.clock, tasks, hidden)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    storage, tasks = await SlowStorage.opened(tmp_path / "scoreboard.db"), Tasks()
    world = World(storage)
    await world.board(windows=("all", "day"))
    await world.submit("ada", 5)
    await world.submit("bob", 7)
    boards = Boards(storage, world.clock)
    await boards.open({})
    yield House(storage, world, boards, tasks)
    storage.gate.set()
    await tasks.cancel()
    await storage.close()


async def test_a_top_that_takes_long_to_load_comes_from_the_database(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaderboard, "PATIENCE_S", 0.01)
    top = await house.leaderboard.top(Top(board="main", limit=1))
    assert (top.etag, top.output.stale, top.output.epoch, top.output.version) == (None, True, None, None)
    assert (top.output.total, [row.player_id for row in top.output.rows]) == (2, ["bob"])
    house.storage.gate.set()
    await house.rebuilder.ensure(MAIN)
    loaded = await house.leaderboard.top(Top(board="main", limit=1))
    assert (loaded.output.stale, loaded.output.rows) == (False, top.output.rows)
    assert loaded.etag is not None


async def test_a_ranking_that_is_being_loaded_is_not_waited_for_and_read_once_for_all(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaderboard, "PATIENCE_S", 3_600)
    loading = asyncio.create_task(house.rebuilder.ensure(MAIN))
    await house.storage.reading.wait()
    tops = await asyncio.gather(*(house.leaderboard.top(Top(board="main", limit=n)) for n in (1, 2, 100)))
    assert [len(top.output.rows) for top in tops] == [1, 2, 2]
    assert (house.storage.pages, house.storage.rebuilds) == (1, 1)
    page = await house.leaderboard.standings(Standings(board="main"))
    assert (page.stale, [row.player_id for row in page.rows]) == (True, ["bob", "ada"])
    house.storage.gate.set()
    await loading


async def test_a_current_period_that_loads_at_once_is_read_from_the_ranking(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaderboard, "PATIENCE_S", 3_600)
    house.storage.gate.set()
    assert not (await house.leaderboard.top(Top(board="main"))).output.stale
    assert house.storage.pages == 0


async def test_a_past_period_is_waited_for(house: House) -> None:
    [_, day] = house.world.submission("ada", 1).periods
    house.world.clock.advance(DAY)
    reading = asyncio.create_task(house.leaderboard.top(Top(board="main", window="day", period=day.period)))
    await house.storage.reading.wait()
    house.storage.gate.set()
    top = (await reading).output
    assert (top.stale, top.total, house.storage.pages) == (False, 2, 0)


async def test_others_get_full_pages_of_what_counts(house: House) -> None:
    for _ in range(3):
        await house.world.submit("ada", 99, status="held")
    asked = History(board="main", player_id="ada", limit=1)
    shown = await house.leaderboard.history(asked, trusted=False)
    assert [(item.score, item.state) for item in shown.submissions] == [(5, "counted")]
    own = await house.leaderboard.history(asked, trusted=True)
    assert [(item.score, item.state) for item in own.submissions] == [(99, "held")]


@pytest.mark.parametrize("status", ["banned", "hidden"])
async def test_the_history_of_who_is_not_seen_is_not_shown_to_others(house: House, status: PlayerStatus) -> None:
    await house.storage.set_status("ada", status, house.world.clock.now())
    asked = History(board="main", player_id="ada")
    with pytest.raises(NotFound):
        await house.leaderboard.history(asked, trusted=False)
    assert len((await house.leaderboard.history(asked, trusted=True)).submissions) == 1
