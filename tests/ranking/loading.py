"""What every ranking promises of loads: the old state until the new is whole, and no projection lost between them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from scoreboard.model import BoardPeriod, Projection
from scoreboard.ranking.base import Changed, Neighbours, NotLoaded, Ranking
from tests.ranking.contract import FIVE, Contract
from tests.ranking.world import Feed, World, hidden, ids, pages

READS: dict[str, Callable[[Ranking, BoardPeriod], Awaitable[object]]] = {
    "version": lambda ranking, period: ranking.version(period),
    "top": lambda ranking, period: ranking.top(period, 10),
    "page": lambda ranking, period: ranking.page(period, Neighbours(), 10),
    "around": lambda ranking, period: ranking.around(period, "ada", 1),
    "rows_of": lambda ranking, period: ranking.rows_of(period, ["ada"]),
    "placings": lambda ranking, period: ranking.placings(period, ["ada"]),
    "placing_of_score": lambda ranking, period: ranking.placing_of_score(period, 1, ()),
    "digest": lambda ranking, period: ranking.digest(period),
}


class Broken(Exception):
    """The database went away."""


class LoadingContract(Contract):
    @pytest.mark.parametrize("read", READS)
    async def test_a_period_that_was_never_loaded_cannot_be_read(self, world: World, read: str) -> None:
        main = world.board()
        assert not await world.ranking.loaded(main)
        with pytest.raises(NotLoaded) as refusal:
            await READS[read](world.ranking, main)
        assert refusal.value.period == main

    async def test_projections_of_a_period_that_is_not_loaded_have_no_placing(self, world: World) -> None:
        main, other = world.board("main"), world.board("other")
        await world.load(other)
        placings = await world.ranking.project([world.standing(main, "ada", 1), world.standing(other, "ada", 1)])
        assert placings[0] is None
        assert placings[1] is not None
        assert await world.told() == [[Changed(other, 1, 2)]]
        assert not await world.ranking.loaded(main)

    async def test_a_load_begins_a_new_epoch_at_version_one(self, world: World) -> None:
        main = world.board()
        first, second = world.standings(main, FIVE)[:2], world.standings(main, FIVE)[2:]
        await world.ranking.load(main, 5, pages([first, second]))
        assert await world.told() == [[Changed(main, 5, 1)]]
        assert await world.ranking.loaded(main)
        assert ids(await world.ranking.top(main, 10)) == list(FIVE)
        await world.ranking.load(main, 6, pages([]))
        assert await world.told() == [[Changed(main, 6, 1)]]
        assert (await world.ranking.top(main, 10)).total == 0

    async def test_readers_see_the_old_state_until_a_load_is_complete(self, world: World) -> None:
        main, feed = world.board(), Feed()
        await world.load(main, world.standing(main, "old", 1), epoch=1)
        loading = asyncio.create_task(world.ranking.load(main, 2, feed.pages()))
        await feed.give(world.standing(main, "new", 1))
        assert ids(await world.ranking.top(main, 10)) == ["old"]
        feed.end()
        await loading
        assert ids(await world.ranking.top(main, 10)) == ["new"]
        assert await world.ranking.version(main) == (2, 1)

    async def test_a_first_load_cannot_be_read_until_it_is_complete(self, world: World) -> None:
        main, feed = world.board(), Feed()
        loading = asyncio.create_task(world.ranking.load(main, 1, feed.pages()))
        await feed.give(world.standing(main, "ada", 1))
        assert await world.ranking.project([world.standing(main, "bob", 2)]) == (None,)
        assert not await world.ranking.loaded(main)
        with pytest.raises(NotLoaded):
            await world.ranking.top(main, 10)
        feed.end()
        await loading
        assert ids(await world.ranking.top(main, 10)) == ["bob", "ada"]

    @pytest.mark.parametrize("loaded_before", [False, True])
    @pytest.mark.parametrize("page_first", [False, True])
    async def test_projections_during_a_load_are_not_lost(
        self, world: World, loaded_before: bool, page_first: bool
    ) -> None:
        main, feed = world.board(), Feed()
        if loaded_before:
            await world.load(main, *world.standings(main, FIVE), epoch=1)
        loading = asyncio.create_task(world.ranking.load(main, 2, feed.pages()))
        await feed.give()
        page = [world.standing(main, player, 10, 5) for player in ("hid", "moved", "stale")]
        live = [
            hidden(main, "hid", 6),
            world.standing(main, "moved", 60, 6),
            world.standing(main, "stale", 90, 4),
            world.standing(main, "new", 30),
        ]
        if page_first:
            await feed.give(*page)
        await world.ranking.project(live)
        if not page_first:
            await feed.give(*page)
        assert await world.ranking.loaded(main) == loaded_before
        feed.end()
        await loading
        rows = (await world.ranking.top(main, 10)).rows
        assert [(row.player_id, row.score) for row in rows] == [("moved", 60), ("new", 30), ("stale", 10)]

    async def test_projections_during_a_load_are_seen_in_the_old_state_too(self, world: World) -> None:
        main, feed = world.board(), Feed()
        await world.load(main, world.standing(main, "ada", 1), epoch=1)
        loading = asyncio.create_task(world.ranking.load(main, 2, feed.pages()))
        await feed.give()
        await world.ranking.project([world.standing(main, "bob", 2)])
        assert await world.told() == [[Changed(main, 1, 2)]]
        assert ids(await world.ranking.top(main, 10)) == ["bob", "ada"]
        feed.end()
        await loading
        assert ids(await world.ranking.top(main, 10)) == ["bob"]

    async def test_a_rename_during_a_load_outlives_the_page_read_before_it(self, world: World) -> None:
        main, feed = world.board(), Feed()
        loading = asyncio.create_task(world.ranking.load(main, 1, feed.pages()))
        await feed.give()
        await world.ranking.rename("ada", "New", 2)
        await feed.give(world.standing(main, "ada", 1, name="Old", name_revision=1))
        feed.end()
        await loading
        assert (await world.ranking.top(main, 1)).rows[0].name == "New"

    async def test_a_hidden_player_stays_hidden_through_a_load(self, world: World) -> None:
        main = world.board()
        await world.load(main, world.standing(main, "ada", 1), epoch=1)
        await world.ranking.project([hidden(main, "ada", 2)])
        await world.load(main, hidden(main, "ada", 2), epoch=2)
        await world.ranking.project([world.standing(main, "ada", 1, 1)])
        assert (await world.ranking.top(main, 10)).total == 0

    @pytest.mark.parametrize("higher_first", [False, True])
    async def test_of_two_loads_the_higher_epoch_stays(self, world: World, higher_first: bool) -> None:
        main, feeds = world.board(), {2: Feed(), 3: Feed()}
        loads = {
            epoch: asyncio.create_task(world.ranking.load(main, epoch, feed.pages())) for epoch, feed in feeds.items()
        }
        for epoch, feed in feeds.items():
            await feed.give(world.standing(main, f"of{epoch}", 1))
        await world.ranking.project([world.standing(main, "live", 5)])
        for epoch in (3, 2) if higher_first else (2, 3):
            feeds[epoch].end()
            await loads[epoch]
        assert ids(await world.ranking.top(main, 10)) == ["live", "of3"]
        assert await world.ranking.version(main) == (3, 1)

    async def test_a_load_that_fails_leaves_the_old_state(self, world: World) -> None:
        async def broken() -> AsyncIterator[Sequence[Projection]]:
            yield [world.standing(main, "new", 1)]
            raise Broken

        main = world.board()
        await world.load(main, world.standing(main, "old", 1), epoch=1)
        with pytest.raises(Broken):
            await world.ranking.load(main, 2, broken())
        assert await world.told() == []
        assert ids(await world.ranking.top(main, 10)) == ["old"]
        await world.load(main, world.standing(main, "newer", 1), epoch=3)
        assert ids(await world.ranking.top(main, 10)) == ["newer"]

    async def test_a_dropped_period_is_not_loaded_until_it_is_loaded_again(self, world: World) -> None:
        main = world.board()
        await world.load(main, world.standing(main, "ada", 1), epoch=1)
        await world.ranking.drop(main)
        assert not await world.ranking.loaded(main)
        with pytest.raises(NotLoaded):
            await world.ranking.top(main, 10)
        await world.load(main, world.standing(main, "bob", 1), epoch=2)
        assert ids(await world.ranking.top(main, 10)) == ["bob"]

    async def test_a_boards_periods_are_those_loaded_or_building(self, world: World) -> None:
        main, other, feed = world.board(), world.board("other"), Feed()
        day = main._replace(window="day", period="2026-11-23")
        for period in (main, other):
            await world.load(period)
        building = asyncio.create_task(world.ranking.load(day, 1, feed.pages()))
        await feed.give()
        assert set(await world.ranking.periods("main")) == {main, day}
        feed.end()
        await building
        await world.ranking.drop(main)
        assert await world.ranking.periods("main") == (day,)
        assert await world.ranking.periods("nothing") == ()

    async def test_a_load_during_which_the_period_is_dropped_comes_to_nothing(self, world: World) -> None:
        main, feed = world.board(), Feed()
        loading = asyncio.create_task(world.ranking.load(main, 1, feed.pages()))
        await feed.give(world.standing(main, "ada", 1))
        await world.ranking.drop(main)
        feed.end()
        await loading
        assert not await world.ranking.loaded(main)
        assert await world.told() == []

    async def test_a_load_takes_the_settings_of_its_time(self, world: World) -> None:
        main = world.board(rank="competition")
        equals = {"ada": 2, "bob": 2, "cy": 1}
        await world.load(main, *world.standings(main, equals), epoch=1)
        world.board(rank="dense")
        assert (await world.ranking.placings(main, ["cy"]))[0].rank == 3
        await world.load(main, *world.standings(main, equals), epoch=2)
        assert (await world.ranking.placings(main, ["cy"]))[0].rank == 2
