"""What was committed reaches the ranking, and is done with only when it has."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from scoreboard.errors import Unavailable
from scoreboard.model import BoardPeriod, Committed, Placing, Projection
from scoreboard.pipeline import Outbox, Rebuilder, outbox
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.storage.sqlite import SqliteStorage
from scoreboard.tasks import Tasks
from tests.ranking.world import ids
from tests.storage.world import World

MAIN = BoardPeriod("main", "all", "all")
OTHER = BoardPeriod("other", "all", "all")


class Reachable(MemoryRanking):
    """A ranking that may be away."""

    is_away = False

    async def project(
        self, batch: Sequence[Projection], wanted: Sequence[int] | None = None
    ) -> tuple[Placing | None, ...]:
        if self.is_away:
            raise Unavailable
        return await super().project(batch, wanted)

    async def claim(self, period: BoardPeriod) -> bool:
        if self.is_away:
            raise Unavailable
        return await super().claim(period)


class House:
    """An outbox over two boards, of which only `main` is loaded."""

    def __init__(self, storage: SqliteStorage, world: World, tasks: Tasks) -> None:
        self.storage = storage
        self.world = world
        self.ranking = Reachable(lambda board: world.boards[board].settings, lambda _: None)
        self.rebuilder = Rebuilder(storage, self.ranking, tasks)
        self.outbox = Outbox(storage, self.ranking, self.rebuilder, world.clock, after_s=0)

    async def shown(self) -> list[str]:
        """The players on the board."""
        return ids(await self.ranking.top(MAIN, 10))

    async def rows(self) -> int:
        """How many transactions are not settled."""
        return (await self.storage.backlog()).rows

    async def confirm(self, epoch: int) -> None:
        """Have the database say that the ranking is that of an epoch."""
        assert await self.storage.confirm_epoch(MAIN, epoch, "here")


async def committed(house: House, *players: str, board: str = "main") -> tuple[int, tuple[Committed, ...]]:
    """Scores stored in one transaction and not ranked: its outbox row and outcomes."""
    committal = await house.world.commit(*(house.world.submission(player, 5, board=board) for player in players))
    assert committal.outbox_id is not None
    return committal.outbox_id, committal.outcomes


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    storage, tasks = await SqliteStorage.open(tmp_path / "scoreboard.db"), Tasks()
    world = World(storage)
    await world.board()
    await world.board("other")
    house = House(storage, world, tasks)
    await house.rebuilder.ensure(MAIN)
    yield house
    await tasks.cancel()
    await storage.close()


async def test_what_was_committed_but_not_ranked_is_swept_up(house: House) -> None:
    await committed(house, "ada")
    await committed(house, "bob")
    assert await house.shown() == []
    assert await house.outbox.sweep() == 2
    assert await house.shown() == ["ada", "bob"]
    await house.outbox.settle()
    assert await house.rows() == 0


async def test_what_was_ranked_is_not_swept_again(house: House) -> None:
    row, outcomes = await committed(house, "ada")
    await house.outbox.project(outcomes[0].changes, (0,), (row,))
    assert await house.outbox.sweep() == 0
    await house.outbox.settle()
    assert await house.rows() == 0


async def test_what_went_to_a_ranking_that_was_replaced_is_not_settled(house: House) -> None:
    row, outcomes = await committed(house, "ada")
    await house.outbox.project(outcomes[0].changes, (), (row,))
    _, epoch = (await house.ranking.version(MAIN))[::-1]
    await house.confirm(epoch + 1)
    await house.outbox.settle()
    assert await house.rows() == 1


async def test_what_went_to_the_ranking_that_stands_is_settled(house: House) -> None:
    row, outcomes = await committed(house, "ada")
    await house.outbox.project(outcomes[0].changes, (), (row,))
    epoch, _ = await house.ranking.version(MAIN)
    await house.confirm(epoch)
    await house.outbox.settle()
    assert await house.rows() == 0


async def test_a_ranking_that_changes_between_two_projections_has_the_first_projected_again(house: House) -> None:
    first, outcomes = await committed(house, "ada")
    await house.outbox.project(outcomes[0].changes, (), (first,))
    await house.rebuilder.rebuild(MAIN)
    second, outcomes = await committed(house, "bob")
    await house.outbox.project(outcomes[0].changes, (), (second,))
    await house.outbox.settle()
    assert await house.rows() == 1
    assert await house.outbox.sweep() == 1


async def test_standings_of_a_period_that_is_not_loaded_are_done_with(house: House) -> None:
    await committed(house, "ada", board="other")
    await house.outbox.catch_up()
    await house.outbox.settle()
    assert await house.rows() == 0
    await house.rebuilder.ensure(OTHER)
    assert ids(await house.ranking.top(OTHER, 10)) == ["ada"]


async def test_many_transactions_are_swept_in_turns(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "SWEEP_ROWS", 3)
    monkeypatch.setattr(outbox, "SWEEP_STANDINGS", 2)
    players = [f"p{number}" for number in range(10)]
    for player in players:
        await committed(house, player)
    await house.outbox.catch_up()
    assert await house.shown() == players


async def test_too_many_transactions_are_made_good_by_a_rebuild(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "REBUILD_BEYOND", 3)
    for number in range(5):
        await committed(house, f"p{number}")
    before, _ = await house.ranking.version(MAIN)
    await house.outbox.catch_up()
    after, _ = await house.ranking.version(MAIN)
    assert after > before
    assert await house.shown() == [f"p{number}" for number in range(5)]
    assert await house.rows() == 0


@pytest.mark.parametrize("many", [1, 5])
async def test_what_could_not_be_projected_is_projected_as_soon_as_the_ranking_is_back(
    house: House, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(outbox, "REBUILD_BEYOND", 3)
    players = [f"p{number}" for number in range(many)]
    for player in players:
        await committed(house, player)
    house.ranking.is_away = True
    with pytest.raises(Unavailable):
        await house.outbox.catch_up()
    house.ranking.is_away = False
    await house.outbox.catch_up()
    assert await house.shown() == players
