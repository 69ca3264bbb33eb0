"""Differences between ranking and database are found, told apart from what is on its way, and repaired."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scoreboard.boards import Boards
from scoreboard.metrics import Metrics
from scoreboard.model import BoardPeriod, Projection
from scoreboard.pipeline import Auditor, Outbox, Rebuilder, Verifier, auditor
from scoreboard.ranking.base import NotLoaded
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.storage.sqlite import SqliteStorage
from scoreboard.tasks import Tasks
from tests.ranking.world import hidden, ids
from tests.storage.world import World

MAIN = BoardPeriod("main", "all", "all")
PLAYERS = [f"p{number}" for number in range(20)]


class House:
    """A board of twenty players, ranked, and those who look after it."""

    def __init__(self, storage: SqliteStorage, world: World, boards: Boards, tasks: Tasks) -> None:
        self.world = world
        self.ranking = MemoryRanking(boards.settings, lambda _: None)
        self.rebuilder = Rebuilder(storage, self.ranking, tasks)
        self.verifier = Verifier(storage, self.ranking, grace_s=0)
        self.metrics = Metrics()
        outbox = Outbox(storage, self.ranking, self.rebuilder, world.clock, after_s=0)
        self.auditor = Auditor(self.verifier, storage, outbox, self.rebuilder, boards, self.metrics)

    async def commit(self, player: str, score: int) -> Projection:
        """A score that is stored and not ranked."""
        return (await self.world.submit(player, score)).changes[0]


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(auditor, "LOOK_AGAIN_AFTER_S", 0)
    storage, tasks = await SqliteStorage.open(tmp_path / "scoreboard.db"), Tasks()
    world = World(storage)
    await world.board()
    await world.commit(*(world.submission(player, 100) for player in PLAYERS))
    boards = Boards(storage, world.clock)
    await boards.open({})
    house = House(storage, world, boards, tasks)
    await house.rebuilder.ensure(MAIN)
    yield house
    await tasks.cancel()
    await storage.close()


async def test_a_ranking_that_is_right_has_no_drift(house: House) -> None:
    drift = await house.verifier.verify(MAIN)
    assert (drift.compared, drift.players, drift.surplus) == (20, (), 0)
    assert not await house.auditor.audit(MAIN)


async def test_a_period_that_is_not_ranked_cannot_be_compared(house: House) -> None:
    await house.ranking.drop(MAIN)
    with pytest.raises(NotLoaded):
        await house.verifier.verify(MAIN)


async def test_every_kind_of_difference_is_found_and_repaired(house: House) -> None:
    await house.commit("p3", 500)
    await house.commit("new", 7)
    await house.ranking.project([hidden(MAIN, "p5", 1)])
    assert set((await house.verifier.verify(MAIN)).players) == {"new", "p3", "p5"}
    drift = await house.auditor.audit(MAIN)
    assert set(drift.players) == {"new", "p3", "p5"}
    assert "scoreboard_drift_total 3.0" in house.metrics.render().decode()
    assert not await house.verifier.verify(MAIN)


async def test_a_standing_that_the_database_does_not_know_is_gone_after_the_audit(house: House) -> None:
    known = await house.commit("p0", 100)
    ghost = Projection(MAIN, "ghost", 1, (known.key or b"")[:-2] + b"ghost", "Ghost", 1)
    await house.ranking.project([known, ghost])
    assert (await house.verifier.verify(MAIN)).surplus == 1
    assert (await house.auditor.audit(MAIN)).surplus == 1
    assert "ghost" not in ids(await house.ranking.top(MAIN, 100))


async def test_a_standing_from_the_future_is_put_right_by_a_rebuild(house: House) -> None:
    stored = await house.commit("p0", 200)
    await house.ranking.project([hidden(MAIN, "p0", stored.revision + 5)])
    assert (await house.auditor.audit(MAIN)).players == ("p0",)
    assert not await house.verifier.verify(MAIN)


async def test_what_arrives_within_the_grace_is_no_drift(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    late = await house.commit("p3", 500)
    confirm = house.verifier.confirm

    async def confirm_late(period: BoardPeriod, suspects: list[str]) -> tuple[str, ...]:
        assert suspects == ["p3"]
        await house.ranking.project([late])
        return await confirm(period, suspects)

    monkeypatch.setattr(house.verifier, "confirm", confirm_late)
    assert not await house.verifier.verify(MAIN)


async def test_a_sample_compares_those_behind_an_id(house: House) -> None:
    await house.commit("p3", 500)
    assert (await house.verifier.sample(MAIN, "p2", 2)).players == ("p3",)
    assert not await house.verifier.sample(MAIN, "p3", 100)
