"""What every storage promises of submissions; a backend runs it by a subclass with a fixture `backend`."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from scoreboard.errors import ScoreOutOfRange
from scoreboard.model import MAX_SCORE, BoardPeriod, Committed, Evidence, TieColumn
from tests.storage.world import Backend, World

MAIN = BoardPeriod("main", "all", "all")


class Contract:
    @pytest.fixture
    async def world(self, backend: Backend) -> AsyncIterator[World]:
        """A new world; whatever a test does in it, in the end its standings are what its histories come to."""
        async with backend.open() as storage:
            world = World(storage)
            yield world
            assert await world.misfolded() == []


class CommitContract(Contract):
    async def test_an_accepted_submission_moves_the_standing_and_tells_what_was_before(self, world: World) -> None:
        await world.board(operator="sum")
        first = world.submission("ada", 10)
        second = world.submission("ada", 15)
        outcome = (await world.commit(first)).outcomes[0]
        assert (outcome.status, outcome.applied, outcome.score, outcome.previous) == ("accepted", True, 10, None)
        outcome = (await world.commit(second)).outcomes[0]
        assert (outcome.submission_id, outcome.applied, outcome.score, outcome.previous) == (second.id, True, 25, 10)
        assert [change.revision for change in outcome.changes] == [2]
        assert await world.shown() == [("ada", 25)]

    async def test_a_score_that_improves_nothing_raises_the_revision_and_is_not_applied(self, world: World) -> None:
        await world.board(operator="best")
        await world.submit("ada", 10, at=world.clock.now())
        before = await world.standings()
        outcome = await world.submit("ada", 9)
        assert (outcome.applied, outcome.score, outcome.previous) == (False, 10, 10)
        assert outcome.changes[0].revision == 2
        assert await world.standings() == before

    async def test_a_batch_holds_many_players_and_boards(self, world: World) -> None:
        await world.board("one")
        await world.board("two", order="asc")
        batch = [world.submission(f"p{number}", number, board) for number in range(100) for board in ("one", "two")]
        committal = await world.commit(*batch)
        assert [outcome.submission_id for outcome in committal.outcomes] == [item.id for item in batch]
        assert await world.shown("one") == [(f"p{number}", number) for number in reversed(range(100))]
        assert await world.shown("two") == [(f"p{number}", number) for number in range(100)]

    async def test_two_submissions_of_one_player_on_one_board_are_no_batch(self, world: World) -> None:
        await world.board()
        with pytest.raises(ValueError, match="one submission per board and player"):
            await world.commit(world.submission("ada", 1), world.submission("ada", 2))
        assert await world.storage.player("ada") is None

    async def test_each_window_has_its_own_standing(self, world: World) -> None:
        await world.board(operator="sum", windows=("day", "all"))
        await world.submit("ada", 10)
        day = (await world.submit("ada", 5)).changes[0].period
        world.clock.advance(24 * 3_600 * 1_000_000)
        outcome = await world.submit("ada", 1)
        assert (outcome.score, outcome.previous) == (1, None)
        assert await world.shown() == [("ada", 16)]
        assert await world.shown("main", "day", day.period) == [("ada", 15)]
        assert await world.storage.periods("main") == (MAIN, day, outcome.changes[0].period)

    async def test_tie_columns_are_replaced_with_the_score(self, world: World) -> None:
        await world.board(operator="best", tiebreakers=(TieColumn("laps", "desc"), TieColumn("faults", "asc")))
        await world.submit("ada", 5, tiebreakers=(3, 2))
        outcome = await world.submit("ada", 5, tiebreakers=(3, 1))
        assert outcome.applied
        assert [standing.tiebreakers for standing in await world.standings()] == [(3, 1)]

    async def test_a_use_of_a_taken_action_id_is_answered_as_the_first(self, world: World) -> None:
        await world.board(operator="sum")
        item = world.submission("ada", 10, fingerprint=b"same")
        await world.submit("ada", 5)
        first = (await world.commit(item)).outcomes[0]
        await world.submit("ada", 100)
        committal = await world.commit(item)
        expected = Committed("accepted", item.id, "main", "ada", True, 15, 5, None, repeat=True)
        assert committal.outcomes == (expected,)
        assert committal.outbox_id is None
        assert await world.storage.outcome(item.action_id) == expected
        assert (first.score, first.previous) == (15, 5)
        assert await world.shown() == [("ada", 115)]

    async def test_a_batch_committed_again_changes_nothing(self, world: World) -> None:
        await world.board(operator="sum")
        batch = [world.submission(f"p{number}", number) for number in range(20)]
        await world.commit(*batch)
        before = await world.storage.standings_of(MAIN, None, 100)
        again = await world.commit(*batch, world.submission("new", 7))
        assert [outcome.repeat for outcome in again.outcomes] == [True] * 20 + [False]
        after = await world.storage.standings_of(MAIN, None, 100)
        assert [standing for standing in after if standing.player_id != "new"] == list(before)

    @pytest.mark.parametrize(("first", "second", "mismatch"), [
        (b"one", b"two", True),
        (b"one", b"one", False),
        (b"one", None, False),
        (None, b"two", False),
    ])  # fmt: skip
    async def test_a_repeat_with_another_fingerprint_is_a_mismatch(
        self, world: World, first: bytes | None, second: bytes | None, mismatch: bool
    ) -> None:
        await world.board()
        await world.submit("ada", 1, action_id="a", fingerprint=first)
        outcome = await world.submit("ada", 1, action_id="a", fingerprint=second)
        assert (outcome.repeat, outcome.mismatch) == (True, mismatch)

    async def test_a_repeat_by_another_player_or_on_another_board_is_a_mismatch(self, world: World) -> None:
        await world.board()
        await world.board("other")
        await world.submit("ada", 1, action_id="a")
        assert (await world.submit("bob", 1, action_id="a")).mismatch
        assert (await world.submit("ada", 1, "other", action_id="a")).mismatch
        assert await world.shown() == [("ada", 1)]

    async def test_within_a_batch_the_first_use_of_an_action_id_wins(self, world: World) -> None:
        await world.board()
        committal = await world.commit(
            world.submission("ada", 1, action_id="a"), world.submission("bob", 2, action_id="a")
        )
        first, second = committal.outcomes
        assert (first.repeat, second.repeat, second.mismatch) == (False, True, True)
        assert second.submission_id == first.submission_id
        assert await world.shown() == [("ada", 1)]

    async def test_a_held_submission_takes_its_action_id_and_no_standing(self, world: World) -> None:
        await world.board()
        evidence = (Evidence("too_fast", "hold", {"took_ms": 3}),)
        held = world.submission("ada", 99, status="held", evidence=evidence)
        committal = await world.commit(held)
        outcome = committal.outcomes[0]
        assert (outcome.status, outcome.applied, outcome.score, outcome.changes) == ("held", False, None, ())
        assert committal.outbox_id is None
        assert (await world.commit(held)).outcomes[0].repeat
        assert await world.storage.periods("main") == ()
        item = await world.storage.submission(held.id)
        assert item is not None
        assert item.state == "held"

    async def test_a_rejected_submission_takes_its_action_id_and_keeps_its_code(self, world: World) -> None:
        await world.board()
        item = world.submission("ada", 99, status="rejected", code="rule_rejected")
        await world.commit(item)
        stored = await world.storage.outcome(item.action_id)
        assert stored == Committed("rejected", item.id, "main", "ada", code="rule_rejected", repeat=True)
        assert await world.shown() == []

    async def test_an_unknown_player_is_created_only_where_that_is_allowed(self, world: World) -> None:
        await world.board()
        refused = world.submission("ada", 1, creates_player=False)
        outcome = (await world.commit(refused)).outcomes[0]
        assert (outcome.status, outcome.code) == ("rejected", "not_found")
        assert await world.storage.outcome(refused.action_id) is None
        await world.commit(world.submission("bob", 1, player_name="Bob"), world.submission("cy", 2))
        bob, cy = await world.storage.player("bob"), await world.storage.player("cy")
        assert bob is not None
        assert cy is not None
        assert (bob.name, cy.name, bob.revision) == ("Bob", "cy", 1)
        assert (await world.submit("bob", 3, creates_player=False)).status == "accepted"

    @pytest.mark.parametrize("status", ["accepted", "held"])
    async def test_a_submission_may_bring_another_name(self, world: World, status: str) -> None:
        await world.board()
        await world.submit("ada", 1, player_name="Ada")
        committal = await world.commit(world.submission("ada", 2, player_name="Countess", status=status))
        assert [(change.name, change.name_revision) for change in committal.outcomes[0].changes] == [("Countess", 2)]
        assert committal.outbox_id is not None
        assert [row.name for row in (await world.storage.page(world.boards["main"], MAIN, 10)).rows] == ["Countess"]

    async def test_a_rejected_submission_or_one_by_the_player_brings_no_name(self, world: World) -> None:
        await world.board()
        await world.submit("ada", 1, player_name="Ada")
        await world.submit("ada", 2, player_name="Eve", status="rejected")
        await world.submit("ada", 2, player_name="Eve", creates_player=False)
        player = await world.storage.player("ada")
        assert player is not None
        assert (player.name, player.revision) == ("Ada", 1)

    @pytest.mark.parametrize("status", ["accepted", "held"])
    async def test_what_was_judged_by_other_settings_is_refused_and_may_come_again(
        self, world: World, status: str
    ) -> None:
        old = await world.board(order="desc")
        await world.board(order="asc")
        item, fine = world.submission("ada", 1, status=status), world.submission("bob", 2)
        committal = await world.storage.commit([old, world.boards["main"]], [item, fine], world.clock.now())
        outcomes = [(outcome.status, outcome.code) for outcome in committal.outcomes]
        assert outcomes == [("rejected", "unavailable"), ("accepted", None)]
        assert await world.storage.outcome(item.action_id) is None
        assert await world.storage.submission(item.id) is None
        assert await world.storage.player("ada") is None
        assert (await world.commit(item)).outcomes[0].status == status
        repeat = (await world.storage.commit([old], [item], world.clock.now())).outcomes[0]
        assert (repeat.status, repeat.repeat) == (status, True)

    @pytest.mark.parametrize(("start", "more"), [(MAX_SCORE, 1), (-MAX_SCORE, -1)])
    async def test_a_sum_out_of_range_leaves_nothing(self, world: World, start: int, more: int) -> None:
        await world.board(operator="sum", windows=("day", "all"))
        await world.submit("ada", start)
        world.clock.advance(24 * 3_600 * 1_000_000)
        before = await world.storage.standings_of(MAIN, None, 10)
        item = world.submission("ada", more, player_name="Other")
        committal = await world.commit(item, world.submission("bob", 5))
        assert (committal.outcomes[0].status, committal.outcomes[0].code) == ("rejected", "score_out_of_range")
        assert committal.outcomes[1].status == "accepted"
        assert await world.storage.outcome(item.action_id) is None
        assert await world.storage.submission(item.id) is None
        visible = await world.storage.standings_of(MAIN, None, 10)
        assert [standing for standing in visible if standing.player_id == "ada"] == list(before)
        assert await world.shown("main", "day", item.periods[0].period) == [("bob", 5)]

    async def test_a_banned_player_scores_nothing_and_keeps_the_action_id(self, world: World) -> None:
        await world.board()
        await world.submit("ada", 5, action_id="before")
        await world.storage.set_status("ada", "banned", world.clock.now())
        item = world.submission("ada", 9)
        outcome = (await world.commit(item)).outcomes[0]
        assert (outcome.status, outcome.code) == ("rejected", "player_banned")
        assert await world.storage.outcome(item.action_id) is None
        assert (await world.submit("ada", 5, action_id="before")).repeat
        await world.storage.set_status("ada", "active", world.clock.now())
        assert (await world.commit(item)).outcomes[0].score == 9

    async def test_a_hidden_player_scores_unseen(self, world: World) -> None:
        await world.board(operator="sum")
        await world.submit("ada", 5)
        await world.storage.set_status("ada", "hidden", world.clock.now())
        outcome = await world.submit("ada", 2)
        assert (outcome.score, [change.key for change in outcome.changes]) == (7, [None])
        assert await world.shown() == []
        await world.storage.set_status("ada", "active", world.clock.now())
        assert await world.shown() == [("ada", 7)]

    async def test_racing_uses_of_one_action_id_count_once(self, world: World) -> None:
        await world.board(operator="sum")
        item = world.submission("ada", 10)
        committals = await asyncio.gather(*(world.commit(item) for _ in range(10)))
        assert sorted(committal.outcomes[0].repeat for committal in committals) == [False] + [True] * 9
        assert await world.shown() == [("ada", 10)]

    async def test_expired_action_ids_are_forgotten_and_others_kept(self, world: World) -> None:
        await world.board()
        now = world.clock.now()
        old = [world.submission(f"p{number}", 1, kept_until=now - 1) for number in range(1_200)]
        kept = world.submission("ada", 1, kept_until=now)
        await world.commit(*old, kept)
        assert await world.storage.sweep(now) == 1_200
        assert await world.storage.sweep(now) == 0
        assert await world.storage.outcome(old[0].action_id) is None
        assert await world.storage.outcome(kept.action_id) is not None


class VoidContract(Contract):
    async def test_a_void_is_the_fold_without_it(self, world: World) -> None:
        await world.board(operator="best")
        await world.submit("ada", 5)
        best = await world.submit("ada", 9)
        voided = await world.void("main", best.submission_id)
        assert voided is not None
        assert voided.submission.state == "voided"
        assert [change.revision for change in voided.changes] == [3]
        assert await world.shown() == [("ada", 5)]

    async def test_a_second_void_changes_nothing(self, world: World) -> None:
        await world.board(operator="sum")
        await world.submit("ada", 5)
        wrong = await world.submit("ada", 9)
        await world.void("main", wrong.submission_id)
        again = await world.void("main", wrong.submission_id)
        assert again is not None
        assert (again.submission.state, again.changes, again.outbox_id) == ("voided", (), None)
        assert await world.shown() == [("ada", 5)]
        assert len(await world.storage.audit(None, 10)) == 1

    async def test_voiding_what_was_never_counted_changes_nothing(self, world: World) -> None:
        await world.board()
        held = await world.submit("ada", 9, status="held")
        voided = await world.void("main", held.submission_id)
        assert voided is not None
        assert (voided.submission.state, voided.changes) == ("held", ())
        assert await world.void("main", "01930000-0000-7000-8000-000000000000") is None

    async def test_voiding_the_only_submission_leaves_an_invisible_standing(self, world: World) -> None:
        await world.board()
        only = await world.submit("ada", 9)
        voided = await world.void("main", only.submission_id)
        assert voided is not None
        assert [(change.revision, change.key) for change in voided.changes] == [(2, None)]
        assert await world.shown() == []
        outcome = await world.submit("ada", 3)
        assert (outcome.applied, outcome.previous, outcome.changes[0].revision) == (True, None, 3)
        assert await world.shown() == [("ada", 3)]

    async def test_a_void_touches_only_the_periods_named(self, world: World) -> None:
        await world.board(operator="sum", windows=("all", "day"))
        await world.submit("ada", 1)
        world.clock.advance(24 * 3_600 * 1_000_000)
        wrong = await world.submit("ada", 2)
        today = wrong.changes[1].period
        voided = await world.void("main", wrong.submission_id, [MAIN, today])
        assert voided is not None
        assert [change.period for change in voided.changes] == [MAIN, today]
        assert await world.shown() == [("ada", 1)]
        assert await world.shown("main", "day", today.period) == []

    async def test_a_void_that_leaves_a_sum_out_of_range_changes_nothing(self, world: World) -> None:
        await world.board(operator="sum")
        lowered = await world.submit("ada", -5)
        await world.submit("ada", MAX_SCORE)
        await world.submit("ada", 3)
        with pytest.raises(ScoreOutOfRange):
            await world.void("main", lowered.submission_id)
        assert await world.shown() == [("ada", MAX_SCORE - 2)]
        item = await world.storage.submission(lowered.submission_id)
        assert item is not None
        assert item.state == "counted"

    async def test_a_void_may_pass_a_sum_out_of_range_on_its_way(self, world: World) -> None:
        await world.board(operator="sum")
        lowered = [await world.submit("ada", score) for score in (MAX_SCORE, -MAX_SCORE, 5, -5)][1]
        await world.submit("ada", -MAX_SCORE)
        voided = await world.void("main", lowered.submission_id)
        assert voided is not None
        assert await world.shown() == [("ada", 0)]

    async def test_a_repeat_of_a_voided_submission_tells_its_first_answer(self, world: World) -> None:
        await world.board()
        item = world.submission("ada", 9)
        await world.commit(item)
        await world.void("main", item.id)
        outcome = (await world.commit(item)).outcomes[0]
        assert (outcome.repeat, outcome.status, outcome.score) == (True, "accepted", 9)
        assert await world.shown() == []
