"""What every storage promises of its reads, the outbox, the audit trail, bans, and of being opened again."""

import pytest

from scoreboard.clock import SECOND
from scoreboard.errors import Conflict, NotFound
from scoreboard.model import MAX_SCORE, AuditEntry, BoardPeriod, RankRule, Status
from scoreboard.storage.base import Touched
from tests.storage.contract import MAIN, Contract
from tests.storage.world import Backend, World


class ReadingContract(Contract):
    @pytest.mark.parametrize("limit", [1, 3, 100])
    async def test_pages_by_player_are_the_whole_period(self, world: World, limit: int) -> None:
        await world.board(order="asc")
        await world.commit(*(world.submission(f"p{number}", number * 7 % 11) for number in range(20)))
        seen: list[str] = []
        while page := await world.storage.standings_of(MAIN, seen[-1] if seen else None, limit):
            assert len(page) <= limit
            seen += [standing.player_id for standing in page]
        assert seen == sorted(f"p{number}" for number in range(20))

    @pytest.mark.parametrize(("rule", "ranks"), [
        ("competition", [1, 2, 2, 4]),
        ("dense", [1, 2, 2, 3]),
        ("unique", [1, 2, 3, 4]),
    ])  # fmt: skip
    async def test_a_page_has_the_ranks_of_the_board(self, world: World, rule: RankRule, ranks: list[int]) -> None:
        board = await world.board(rank=rule)
        for player, score in (("ada", 9), ("zoe", 7), ("bob", 7), ("cy", 5)):
            await world.submit(player, score, player_name=player.title())
        page = await world.storage.page(board, MAIN, 10)
        assert (page.total, page.stale, page.epoch, page.version) == (4, True, None, None)
        assert [(row.position, row.name, row.score) for row in page.rows] == [
            (1, "Ada", 9),
            (2, "Zoe", 7),
            (3, "Bob", 7),
            (4, "Cy", 5),
        ]
        assert [row.rank for row in page.rows] == ranks
        short = await world.storage.page(board, MAIN, 2)
        assert (short.total, short.rows) == (4, page.rows[:2])

    async def test_projections_are_the_standings_as_they_are_now(self, world: World) -> None:
        await world.board()
        outcome = await world.submit("ada", 9, player_name="Ada")
        touched = [Touched(MAIN, "ada"), Touched(MAIN, "nobody"), Touched(BoardPeriod("x", "all", "all"), "ada")]
        assert await world.storage.projections(touched) == outcome.changes

    async def test_the_history_goes_back_page_by_page(self, world: World) -> None:
        await world.board()
        ids = [(await world.submit("ada", score, action="coin", metadata="{}")).submission_id for score in range(5)]
        await world.submit("bob", 1)
        newest = await world.storage.history("main", "ada", None, 3)
        assert [item.id for item in newest] == ids[:1:-1]
        assert [item.id for item in await world.storage.history("main", "ada", newest[-1].id, 3)] == ids[1::-1]
        assert newest[0] == await world.storage.submission(ids[-1])
        assert (newest[0].action, newest[0].metadata, newest[0].state) == ("coin", "{}", "counted")

    async def test_the_history_of_what_counts_fills_its_pages(self, world: World) -> None:
        await world.board()
        statuses: list[Status] = ["accepted", "held", "accepted", "rejected", "held"]
        ids = [(await world.submit("ada", 1, status=status)).submission_id for status in statuses]
        counted = await world.storage.history("main", "ada", None, 1, counted_only=True)
        assert [item.id for item in counted] == [ids[2]]
        older = await world.storage.history("main", "ada", ids[2], 5, counted_only=True)
        assert [item.id for item in older] == [ids[0]]
        assert len(await world.storage.history("main", "ada", None, 5)) == 5

    async def test_a_board_counts_its_revisions(self, world: World) -> None:
        first = await world.board(title="One")
        second = await world.board(title="Two")
        await world.board("a")
        assert (first.revision, second.revision, second.created_at) == (1, 2, first.created_at)
        assert [board.id for board in await world.storage.boards()] == ["a", "main"]
        assert (await world.storage.boards())[1] == second

    @pytest.mark.parametrize("status", ["accepted", "held", "rejected"])
    async def test_a_board_with_submissions_keeps_what_they_fix(self, world: World, status: Status) -> None:
        await world.board(order="asc")
        before = await world.board(order="desc", title="One")
        await world.submit("ada", 1, status=status)
        with pytest.raises(Conflict, match="order, timezone"):
            await world.board(order="asc", timezone="Asia/Tokyo", title="Two")
        assert await world.storage.boards() == (before,)
        assert (await world.board(order="desc", title="Three", rank="dense")).revision == 3

    async def test_a_board_is_stored_with_its_audit_entry(self, world: World) -> None:
        board, entry = await world.board(), AuditEntry(1, "admin", "board.put", "main")
        await world.storage.put_board(board, [entry])
        assert await world.storage.audit(None, 10) == (entry,)

    @pytest.mark.parametrize("score", [7, -7, MAX_SCORE, -MAX_SCORE])
    async def test_the_digest_is_number_and_exact_sum_of_what_is_visible(self, world: World, score: int) -> None:
        await world.board()
        assert await world.storage.digest(MAIN) == (0, 0)
        await world.commit(*(world.submission(f"p{number}", score) for number in range(50)))
        await world.submit("hidden", 5)
        await world.storage.set_status("hidden", "hidden", world.clock.now())
        assert await world.storage.digest(MAIN) == (50, 50 * score)

    async def test_standings_that_must_not_be_seen_are_read_without_a_key(self, world: World) -> None:
        await world.board()
        await world.submit("ada", 5)
        await world.storage.set_status("ada", "hidden", world.clock.now())
        [standing] = await world.storage.standings_of(MAIN, None, 10)
        assert (standing.player_id, standing.revision, standing.key) == ("ada", 2, None)


class EpochContract(Contract):
    async def test_every_epoch_is_higher_than_all_before(self, world: World) -> None:
        periods = [MAIN, BoardPeriod("main", "day", "2026-11-23"), MAIN, BoardPeriod("b", "all", "all"), MAIN]
        epochs = [await world.storage.next_epoch(period) for period in periods]
        assert epochs == sorted(set(epochs))

    async def test_the_ranking_that_stands_is_the_one_confirmed_with_the_highest_epoch(self, world: World) -> None:
        assert await world.storage.confirmed_epoch(MAIN) is None
        assert await world.storage.confirm_epoch(MAIN, 3, "here")
        assert await world.storage.confirm_epoch(MAIN, 5, "there")
        assert not await world.storage.confirm_epoch(MAIN, 4, "here")
        assert await world.storage.confirmed_epoch(MAIN) == (5, "there")
        assert await world.storage.confirmed_epoch(BoardPeriod("b", "all", "all")) is None


class OutboxContract(Contract):
    async def test_a_transaction_names_what_it_moved_until_that_is_settled(self, world: World) -> None:
        await world.board(windows=("all", "month"))
        first = await world.commit(world.submission("ada", 1), world.submission("bob", 2))
        second = await world.commit(world.submission("ada", 3))
        rows = await world.outbox()
        assert [row.id for row in rows] == [first.outbox_id, second.outbox_id]
        moved = [Touched(change.period, change.player_id) for item in first.outcomes for change in item.changes]
        assert sorted(rows[0].touched) == sorted(moved)
        assert await world.outbox(before=rows[1].at) == rows[:1]
        assert await world.outbox(limit=1) == rows[:1]
        await world.storage.settle([rows[0].id], {})
        assert await world.outbox() == rows[1:]

    async def test_what_one_has_taken_is_left_alone_by_others_for_a_while(self, world: World) -> None:
        await world.board()
        for score in range(5):
            await world.submit("ada", score)
        now = world.clock.now()
        first = await world.storage.take_outbox(now, now, 3, lease_s=5)
        second = await world.storage.take_outbox(now + 1, now, 3, lease_s=5)
        assert (len(first), len(second)) == (3, 2)
        assert not {row.id for row in first} & {row.id for row in second}
        assert await world.storage.take_outbox(now + 5 * SECOND - 1, now, 3, lease_s=5) == ()
        assert await world.storage.take_outbox(now + 5 * SECOND, now, 3, lease_s=5) == first

    async def test_the_backlog_is_what_is_not_settled(self, world: World) -> None:
        await world.board()
        assert await world.storage.backlog() == (0, None)
        committals = [await world.commit(world.submission("ada", score)) for score in range(3)]
        oldest, *_ = await world.outbox()
        assert await world.storage.backlog() == (3, oldest.at)
        await world.storage.settle([each.outbox_id for each in committals if each.outbox_id is not None], {})
        assert await world.storage.backlog() == (0, None)

    @pytest.mark.parametrize(("used", "left"), [(5, 0), (4, 1), (6, 1), (None, 0)])
    async def test_what_went_to_a_ranking_that_no_longer_stands_is_not_settled(
        self, world: World, used: int | None, left: int
    ) -> None:
        await world.board()
        committal = await world.commit(world.submission("ada", 1))
        await world.storage.confirm_epoch(MAIN, 5, "here")
        assert committal.outbox_id is not None
        epochs = {BoardPeriod("main", "all", "other"): 1} | ({} if used is None else {MAIN: used})
        await world.storage.settle([committal.outbox_id], epochs)
        assert (await world.storage.backlog()).rows == left

    async def test_a_settled_id_is_never_used_again(self, world: World) -> None:
        await world.board()
        ids = []
        for score in range(3):
            committal = await world.commit(world.submission("ada", score))
            assert committal.outbox_id is not None
            ids.append(committal.outbox_id)
            await world.storage.settle(ids, {})
        assert ids == sorted(set(ids))

    async def test_voids_and_bans_are_named_too(self, world: World) -> None:
        await world.board()
        outcome = await world.submit("ada", 1)
        voided = await world.void("main", outcome.submission_id)
        await world.storage.set_status("ada", "banned", world.clock.now())
        rows = await world.outbox()
        assert [row.touched for row in rows] == [(Touched(MAIN, "ada"),)] * 3
        assert voided is not None
        assert voided.outbox_id == rows[1].id


class StatusContract(Contract):
    @pytest.mark.parametrize("status", ["banned", "hidden"])
    async def test_a_status_hides_every_standing_and_lifting_it_restores_them(self, world: World, status: str) -> None:
        await world.board("one")
        await world.board("two", order="asc", operator="sum", windows=("all", "day"))
        await world.commit(world.submission("ada", 5, "one"), world.submission("ada", 7, "two"))
        await world.submit("bob", 6, "one")
        hidden = await world.storage.set_status("ada", status, world.clock.now())  # type: ignore[arg-type] # a literal
        assert sorted((change.revision, change.key) for change in hidden.changes) == [(2, None)] * 3
        assert await world.shown("one") == [("bob", 6)]
        assert await world.shown("two") == []
        shown = await world.storage.set_status("ada", "active", world.clock.now())
        assert [change.revision for change in shown.changes] == [3] * 3
        assert await world.shown("one") == [("bob", 6), ("ada", 5)]
        assert await world.shown("two") == [("ada", 7)]

    async def test_only_a_ban_is_told_as_one(self, world: World) -> None:
        await world.storage.upsert_player("ada", None, world.clock.now())
        await world.storage.set_status("ada", "hidden", world.clock.now())
        hidden = await world.storage.player("ada")
        await world.storage.set_status("ada", "banned", world.clock.now())
        banned = await world.storage.player("ada")
        assert hidden is not None
        assert banned is not None
        assert (hidden.banned, banned.banned) == (False, True)
        assert (hidden.hidden, banned.hidden) == (True, False)

    async def test_the_status_of_an_unknown_player_cannot_be_set(self, world: World) -> None:
        with pytest.raises(NotFound):
            await world.storage.set_status("nobody", "banned", world.clock.now())


class DurabilityContract:
    async def test_what_was_answered_is_there_when_opened_again(self, backend: Backend) -> None:
        async with backend.open() as storage:
            world = World(storage)
            board = await world.board(operator="sum")
            item = world.submission("ada", 5)
            outcome = (await world.commit(item)).outcomes[0]
            epoch = await storage.next_epoch(MAIN)
        async with backend.open() as storage:
            assert await storage.boards() == (board,)
            assert await storage.standings_of(MAIN, None, 10) == outcome.changes
            assert await storage.next_epoch(MAIN) > epoch
            assert (await storage.commit([board], [item], item.accepted_at)).outcomes[0].repeat

    async def test_a_ping_is_answered(self, backend: Backend) -> None:
        async with backend.open() as storage:
            await storage.ping()
            await storage.ping()
