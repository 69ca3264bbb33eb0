"""What every ranking promises; a backend runs it by a subclass with a fixture `backend`."""

from collections.abc import AsyncIterator

import pytest

from scoreboard.model import MAX_SCORE, BoardPeriod, Placing, Projection, RankRule, TieColumn
from scoreboard.ranking.base import Changed, Neighbours
from tests.ranking.world import Backend, World, hidden, ids, ranks

FIVE = {"ada": 50, "bob": 40, "cy": 30, "dee": 20, "eve": 10}


class Contract:
    @pytest.fixture
    async def world(self, backend: Backend) -> AsyncIterator[World]:
        world = World(backend)
        async with world.open() as world.ranking:
            yield world


class ReadingContract(Contract):
    async def test_the_first_to_reach_a_score_stands_above_its_equals(self, world: World) -> None:
        main = world.board()
        await world.load(main, world.standing(main, "ada", 7, at=20), world.standing(main, "zoe", 7, at=10))
        assert ids(await world.ranking.top(main, 10)) == ["zoe", "ada"]

    async def test_equals_of_the_same_instant_stand_by_the_bytes_of_their_id(self, world: World) -> None:
        main = world.board()
        players = ["p", "P", "p1", "_", "9", "p:1", "p.1", "p-1"]
        await world.load(main, *(world.standing(main, player, 7) for player in players))
        assert ids(await world.ranking.top(main, 10)) == sorted(players, key=str.encode)

    async def test_a_descending_board_shows_high_scores_first(self, world: World) -> None:
        main = world.board(order="desc")
        await world.load(main, *world.standings(main, {"ada": -5, "bob": 0, "cy": 12}))
        assert ids(await world.ranking.top(main, 10)) == ["cy", "bob", "ada"]

    async def test_an_ascending_board_shows_low_scores_first(self, world: World) -> None:
        main = world.board(order="asc")
        await world.load(main, *world.standings(main, {"ada": 12, "bob": 0, "cy": -5}))
        assert ids(await world.ranking.top(main, 10)) == ["cy", "bob", "ada"]

    async def test_each_tie_column_has_its_own_direction(self, world: World) -> None:
        columns = (TieColumn("kills", "desc"), TieColumn("penalty", "asc"))
        main = world.board(tiebreakers=columns)
        ties = {"ada": (3, 9), "bob": (4, 9), "cy": (4, 2), "dee": (-4, 0)}
        await world.load(main, *(world.standing(main, player, 7, ties=tie) for player, tie in ties.items()))
        page = await world.ranking.top(main, 10)
        assert [(row.player_id, row.tiebreakers, row.rank) for row in page.rows] == [
            ("cy", (4, 2), 1),
            ("bob", (4, 9), 2),
            ("ada", (3, 9), 3),
            ("dee", (-4, 0), 4),
        ]

    @pytest.mark.parametrize("order", ["asc", "desc"])
    async def test_the_largest_numbers_keep_every_digit(self, world: World, order: str) -> None:
        main = world.board(order=order, tiebreakers=(TieColumn("laps"),))
        extremes = [MAX_SCORE, MAX_SCORE - 1, 0, -MAX_SCORE + 1, -MAX_SCORE]
        await world.load(main, *(world.standing(main, f"p{n}", n, ties=(-n,)) for n in extremes))
        rows = (await world.ranking.top(main, 10)).rows
        expected = extremes if order == "desc" else extremes[::-1]
        assert [(row.score, row.tiebreakers) for row in rows] == [(n, (-n,)) for n in expected]
        assert await world.ranking.digest(main) == (5, 0)

    async def test_a_row_tells_the_whole_standing(self, world: World) -> None:
        main = world.board()
        standing = world.standing(main, "ada", -3, at=1_700_000_000_123_456, name="Ada ☃")
        await world.load(main, standing, epoch=7)
        page = await world.ranking.top(main, 10)
        (row,) = page.rows
        assert (page.period, page.epoch, page.version, page.total, page.stale) == (main, 7, 1, 1, False)
        assert (row.position, row.rank, row.player_id, row.name) == (1, 1, "ada", "Ada ☃")
        assert (row.score, row.tiebreakers, row.achieved_at) == (-3, (), "2023-11-14T22:13:20.123456Z")
        assert page.keys == (standing.key,)

    @pytest.mark.parametrize(
        ("rule", "expected"),
        [("competition", [1, 2, 2, 4, 4, 6]), ("dense", [1, 2, 2, 3, 3, 4]), ("unique", [1, 2, 3, 4, 5, 6])],
    )
    async def test_every_read_tells_the_same_rank(self, world: World, rule: RankRule, expected: list[int]) -> None:
        main = world.board(rank=rule)
        players = {"ada": 9, "bob": 8, "cy": 8, "dee": 5, "eve": 5, "fay": 1}
        await world.load(main, *world.standings(main, players))
        ranking = world.ranking
        assert ranks(await ranking.top(main, 10)) == expected
        assert [placing.rank for placing in await ranking.placings(main, list(players))] == expected
        assert ranks(await ranking.rows_of(main, list(players))) == expected
        for index, player in enumerate(players):
            (row,) = (await ranking.around(main, player, 0)).rows
            assert (row.player_id, row.position, row.rank) == (player, index + 1, expected[index])
        third = (await ranking.top(main, 3)).keys[-1]
        assert ranks(await ranking.page(main, Neighbours(third), 10)) == expected[3:]

    async def test_dense_ranks_close_up_when_a_group_empties(self, world: World) -> None:
        main = world.board(rank="dense")
        await world.load(main, *world.standings(main, {"ada": 9, "bob": 8, "cy": 8, "dee": 5}))
        await world.ranking.project([hidden(main, "bob", 2)])
        assert ranks(await world.ranking.top(main, 10)) == [1, 2, 3]
        await world.ranking.project([hidden(main, "cy", 2)])
        assert ranks(await world.ranking.top(main, 10)) == [1, 2]

    @pytest.mark.parametrize(
        ("player", "k", "expected"),
        [
            ("cy", 0, ["cy"]),
            ("cy", 1, ["bob", "cy", "dee"]),
            ("ada", 1, ["ada", "bob", "cy"]),
            ("bob", 2, ["ada", "bob", "cy", "dee", "eve"]),
            ("eve", 1, ["cy", "dee", "eve"]),
            ("dee", 50, ["ada", "bob", "cy", "dee", "eve"]),
        ],
    )
    async def test_around_is_shifted_at_the_edges(self, world: World, player: str, k: int, expected: list[str]) -> None:
        main = world.board()
        await world.load(main, *world.standings(main, FIVE))
        page = await world.ranking.around(main, player, k)
        assert ids(page) == expected
        assert [row.position for row in page.rows] == [list(FIVE).index(name) + 1 for name in expected]

    async def test_around_a_player_who_is_not_on_the_board_is_empty(self, world: World) -> None:
        main = world.board()
        await world.load(main, *world.standings(main, FIVE))
        page = await world.ranking.around(main, "zoe", 3)
        assert (page.rows, page.total) == ((), 5)

    async def test_pages_follow_each_other_both_ways(self, world: World) -> None:
        main = world.board()
        await world.load(main, *world.standings(main, FIVE))
        first = await world.ranking.page(main, Neighbours(), 2)
        second = await world.ranking.page(main, Neighbours(first.keys[-1]), 2)
        third = await world.ranking.page(main, Neighbours(second.keys[-1]), 2)
        assert [ids(first), ids(second), ids(third)] == [["ada", "bob"], ["cy", "dee"], ["eve"]]
        assert await world.ranking.page(main, Neighbours(third.keys[0], backwards=True), 2) == second
        assert await world.ranking.page(main, Neighbours(second.keys[0], backwards=True), 2) == first
        assert ids(await world.ranking.page(main, Neighbours(first.keys[0], backwards=True), 2)) == []
        assert ids(await world.ranking.page(main, Neighbours(backwards=True), 2)) == ["dee", "eve"]

    @pytest.mark.parametrize("backwards", [False, True])
    async def test_a_row_that_did_not_move_is_neither_skipped_nor_repeated(self, world: World, backwards: bool) -> None:
        main = world.board()
        scores = {f"p{n:02}": n for n in range(40)}
        still = set(list(scores)[1::2])
        await world.load(main, *world.standings(main, scores))
        seen: list[str] = []
        start = Neighbours(backwards=backwards)
        while (page := await world.ranking.page(main, start, 3)).rows:
            seen += [row.player_id for row in page.rows]
            start = Neighbours(page.keys[0 if backwards else -1], backwards)
            edge = page.rows[0 if backwards else -1].player_id
            movers = [player for player in scores if player not in still and player <= edge][:2]
            revision = len(seen) + 2
            moves = [world.standing(main, player, 100 - len(seen), revision) for player in movers]
            await world.ranking.project([*moves, hidden(main, "p00", revision)])
        assert sorted(player for player in seen if player in still) == sorted(still)

    async def test_players_whose_ids_begin_alike_are_told_apart(self, world: World) -> None:
        main = world.board()
        players = ["a", "a-", "a.b", "aa", "aab", "ab"]  # in the order of their bytes
        await world.load(main, *(world.standing(main, player, 5, at=7, name="\x7f☃ a") for player in players))
        top = await world.ranking.top(main, 10)
        assert ids(top) == players
        for index, key in enumerate(top.keys):
            assert ids(await world.ranking.page(main, Neighbours(key), 10)) == players[index + 1 :]
            assert ids(await world.ranking.page(main, Neighbours(key, backwards=True), 10)) == players[:index]
            assert ids(await world.ranking.around(main, players[index], 0)) == [players[index]]
        await world.ranking.rename("a", "b", 2)
        assert [(row.player_id, row.name) for row in (await world.ranking.top(main, 2)).rows] == [
            ("a", "b"),
            ("a-", "\x7f☃ a"),
        ]

    async def test_a_page_may_start_at_a_row_that_is_gone(self, world: World) -> None:
        main = world.board()
        await world.load(main, *world.standings(main, FIVE))
        cy = (await world.ranking.around(main, "cy", 0)).keys[0]
        await world.ranking.project([hidden(main, "cy", 2)])
        assert ids(await world.ranking.page(main, Neighbours(cy), 10)) == ["dee", "eve"]
        assert ids(await world.ranking.page(main, Neighbours(cy, backwards=True), 10)) == ["ada", "bob"]

    async def test_the_rows_of_some_players_come_best_first(self, world: World) -> None:
        main = world.board()
        await world.load(main, *world.standings(main, FIVE))
        page = await world.ranking.rows_of(main, ["eve", "zoe", "bob", "eve"])
        assert [(row.player_id, row.position) for row in page.rows] == [("bob", 2), ("eve", 5)]
        assert page.total == 5

    async def test_placings_come_in_the_order_asked(self, world: World) -> None:
        main = world.board()
        await world.load(main, *world.standings(main, FIVE), epoch=3)
        placings = await world.ranking.placings(main, ["eve", "zoe", "ada"])
        assert placings == (Placing(3, 1, 5, 5, 10), Placing(3, 1), Placing(3, 1, 1, 1, 50))

    @pytest.mark.parametrize(("rule", "rank"), [("competition", 4), ("dense", 3), ("unique", 4)])
    async def test_a_new_score_would_stand_ahead_of_its_equals(self, world: World, rule: RankRule, rank: int) -> None:
        main = world.board(rank=rule)
        await world.load(main, *world.standings(main, {"ada": 9, "bob": 8, "cy": 8, "dee": 5, "eve": 5}))
        assert await world.ranking.placing_of_score(main, 5, ()) == Placing(1, 1, 4, rank, 5)
        assert await world.ranking.placing_of_score(main, 6, ()) == Placing(1, 1, 4, rank, 6)
        assert (await world.ranking.placing_of_score(main, 10, ())).position == 1
        assert (await world.ranking.placing_of_score(main, 4, ())).position == 6

    async def test_tie_columns_place_a_new_score_too(self, world: World) -> None:
        main = world.board(tiebreakers=(TieColumn("penalty", "asc"),))
        await world.load(main, *(world.standing(main, f"p{n}", 7, ties=(n,)) for n in range(5)))
        assert (await world.ranking.placing_of_score(main, 7, (3,))).position == 4

    async def test_the_digest_counts_what_can_be_seen(self, world: World) -> None:
        main = world.board(order="desc")
        await world.load(main, *world.standings(main, {"ada": 9, "bob": -20, "cy": 4}))
        await world.ranking.project([world.standing(main, "ada", 11, 2), hidden(main, "cy", 2)])
        assert await world.ranking.digest(main) == (2, -9)


class WritingContract(Contract):
    async def test_an_older_revision_is_refused(self, world: World) -> None:
        main = world.board()
        await world.load(main, world.standing(main, "ada", 30, 3))
        (placing,) = await world.ranking.project([world.standing(main, "ada", 20, 2)])
        assert placing == Placing(1, 1, 1, 1, 30)

    async def test_an_equal_revision_overwrites(self, world: World) -> None:
        main = world.board()
        await world.load(main, world.standing(main, "ada", 30, 3))
        (placing,) = await world.ranking.project([world.standing(main, "ada", 20, 3)])
        assert placing == Placing(1, 2, 1, 1, 20)

    async def test_a_replay_changes_nothing_and_tells_nobody(self, world: World) -> None:
        main = world.board()
        await world.load(main)
        batch = [*world.standings(main, FIVE), hidden(main, "zoe", 1)]
        first = await world.ranking.project(batch)
        await world.told()
        assert await world.ranking.project(batch) == first
        assert await world.told() == []
        assert await world.ranking.version(main) == (1, 2)

    async def test_a_higher_revision_that_moves_nothing_tells_nobody(self, world: World) -> None:
        main = world.board()
        await world.load(main, world.standing(main, "ada", 30, 3))
        await world.ranking.project([world.standing(main, "ada", 30, 4)])
        assert await world.told() == []
        await world.ranking.project([world.standing(main, "ada", 20, 3)])
        assert await world.told() == []

    async def test_a_hidden_standing_is_in_no_answer(self, world: World) -> None:
        main = world.board()
        await world.load(main, *world.standings(main, FIVE))
        assert await world.ranking.project([hidden(main, "bob", 2)]) == (Placing(1, 2),)
        page = await world.ranking.top(main, 10)
        assert (ids(page), page.total) == (["ada", "cy", "dee", "eve"], 4)
        assert (await world.ranking.rows_of(main, ["bob"])).rows == ()
        assert (await world.ranking.around(main, "bob", 1)).rows == ()
        assert await world.ranking.digest(main) == (4, 110)

    async def test_a_stale_replay_does_not_bring_a_hidden_standing_back(self, world: World) -> None:
        main = world.board()
        await world.load(main)
        await world.ranking.project([hidden(main, "bob", 2)])
        await world.ranking.project([world.standing(main, "bob", 40, 1)])
        assert (await world.ranking.top(main, 10)).rows == ()
        await world.ranking.project([world.standing(main, "bob", 40, 3)])
        assert ids(await world.ranking.top(main, 10)) == ["bob"]

    async def test_only_the_placings_wanted_are_told(self, world: World) -> None:
        main = world.board()
        await world.load(main)
        batch = world.standings(main, FIVE)
        placings = await world.ranking.project(batch, [3, 0])
        assert [placing and placing.position for placing in placings] == [4, 1]
        assert await world.ranking.project(batch, []) == ()
        assert ids(await world.ranking.top(main, 10)) == list(FIVE)

    async def test_placings_are_read_after_the_whole_batch(self, world: World) -> None:
        main, other = world.board("main"), world.board("other", order="asc")
        await world.load(main)
        await world.load(other, epoch=2)
        placings = await world.ranking.project(
            [
                world.standing(main, "ada", 10),
                world.standing(other, "ada", 10),
                world.standing(main, "bob", 20),
                world.standing(other, "bob", 20),
            ]
        )
        assert placings == (
            Placing(1, 2, 2, 2, 10),
            Placing(2, 2, 1, 1, 10),
            Placing(1, 2, 1, 1, 20),
            Placing(2, 2, 2, 2, 20),
        )

    async def test_subscribers_are_told_once_of_all_that_a_batch_changed(self, world: World) -> None:
        main, other, third = world.board("main"), world.board("other"), world.board("third")
        await world.load(main, epoch=1)
        await world.load(other, epoch=2)
        await world.load(third, world.standing(third, "ada", 1), epoch=3)
        batch: list[Projection] = []
        for period in (main, other):
            batch += world.standings(period, FIVE)
        await world.ranking.project([*batch, world.standing(third, "ada", 1)])
        (told,) = await world.told()
        assert sorted(told) == [Changed(main, 1, 2), Changed(other, 2, 2)]

    async def test_the_version_rises_by_one_with_each_change(self, world: World) -> None:
        main = world.board()
        await world.load(main)
        for score in range(1, 6):
            (placing,) = await world.ranking.project([world.standing(main, "ada", score, score)])
            assert placing == Placing(1, 1 + score, 1, 1, score)
        assert [change.version for told in await world.told() for change in told] == [2, 3, 4, 5, 6]
        assert await world.ranking.version(main) == (1, 6)

    async def test_touch_raises_the_version_of_the_periods_of_one_board(self, world: World) -> None:
        main, other = world.board("main"), world.board("other")
        day = BoardPeriod("main", "day", "2026-11-23")
        for period in (main, day, other):
            await world.load(period)
        await world.ranking.touch("main")
        (told,) = await world.told()
        assert sorted(told) == [Changed(main, 1, 2), Changed(day, 1, 2)]
        await world.ranking.touch("nobody's")
        assert await world.told() == []


class NamesContract(Contract):
    async def test_a_new_name_is_shown_wherever_the_player_is_seen(self, world: World) -> None:
        main, other, third = world.board("main"), world.board("other"), world.board("third")
        await world.load(main, world.standing(main, "ada", 1))
        await world.load(other, world.standing(other, "ada", 2))
        await world.load(third, world.standing(third, "bob", 3))
        await world.ranking.project([hidden(other, "ada", 2)])
        await world.told()
        await world.ranking.rename("ada", "Countess", 2)
        assert await world.told() == [[Changed(main, 1, 2)]]
        assert (await world.ranking.top(main, 1)).rows[0].name == "Countess"
        await world.ranking.project([world.standing(other, "ada", 2, 3)])
        assert (await world.ranking.top(other, 1)).rows[0].name == "Countess"

    async def test_an_older_name_never_replaces_a_newer_one(self, world: World) -> None:
        main = world.board()
        await world.load(main, world.standing(main, "ada", 1, name="Third", name_revision=3))
        await world.ranking.rename("ada", "Second", 2)
        await world.ranking.project([world.standing(main, "ada", 1, 2, name="First", name_revision=1)])
        assert (await world.ranking.top(main, 1)).rows[0].name == "Third"
        assert await world.told() == []

    async def test_the_same_name_again_tells_nobody(self, world: World) -> None:
        main = world.board()
        await world.load(main, world.standing(main, "ada", 1, name="Ada"))
        await world.ranking.rename("ada", "Ada", 2)
        assert await world.told() == []

    async def test_a_name_that_comes_before_the_standing_is_kept(self, world: World) -> None:
        main = world.board()
        await world.load(main)
        await world.ranking.rename("ada", "New", 2)
        await world.ranking.project([world.standing(main, "ada", 1, name="Old", name_revision=1)])
        assert (await world.ranking.top(main, 1)).rows[0].name == "New"

    async def test_a_name_that_comes_with_a_standing_is_shown_on_other_boards_too(self, world: World) -> None:
        main, other = world.board("main"), world.board("other")
        await world.load(main, world.standing(main, "ada", 1))
        await world.load(other, world.standing(other, "ada", 1))
        await world.ranking.project([world.standing(main, "ada", 1, 2, name="New", name_revision=2)])
        (told,) = await world.told()
        assert sorted(told) == [Changed(main, 1, 2), Changed(other, 1, 2)]
        assert (await world.ranking.top(other, 1)).rows[0].name == "New"
