"""What every storage promises moderators and admins: reviews, players kept out, and the audit trail."""

import asyncio
from typing import Any

import pytest

from scoreboard.clock import DAY, MINUTE
from scoreboard.errors import Conflict, NotFound, ScoreboardError, ScoreOutOfRange, Unavailable
from scoreboard.model import MAX_SCORE, AuditEntry, BoardPeriod, Committed, Evidence, Player, Session, TieColumn
from scoreboard.oversight import (
    MAX_NOTES,
    AuditFilter,
    Ban,
    Decided,
    Decision,
    Note,
    PlayerFilter,
    ReviewFilter,
)
from scoreboard.periods import board_periods
from scoreboard.storage.base import Touched
from scoreboard.storage.retention import month_of
from tests.storage.contract import MAIN, Contract
from tests.storage.world import World

EVIDENCE = (Evidence("too_fast", "hold", {"took_ms": 3}),)
UNKNOWN = "01930000-0000-7000-8000-000000000000"


async def held(world: World, player_id: str, score: int, board: str = "main", **fields: Any) -> Committed:
    """A held submission."""
    return await world.submit(player_id, score, board, status="held", **{"evidence": EVIDENCE, **fields})


def decision(world: World, submission_id: str, by: str = "mod") -> Decision:
    return Decision(submission_id, by, world.clock.now(), "looked at it")


def entry(world: World, act: str, subject: str) -> AuditEntry:
    return AuditEntry(world.clock.now(), "mod", act, subject, '{"reason":"looked at it"}')


async def approve(world: World, submission_id: str, by: str = "mod") -> Decided:
    item = await world.storage.submission(submission_id)
    assert item is not None
    board = world.boards[item.board]
    periods = board_periods(board, item.accepted_at)
    decided = decision(world, submission_id, by)
    return await world.storage.approve(board, periods, decided, [entry(world, "review.approve", submission_id)])


async def reject(world: World, submission_id: str, ban: Ban | None = None, by: str = "mod") -> Decided:
    entries = [entry(world, "review.reject", submission_id)]
    return await world.storage.reject(decision(world, submission_id, by), ban, entries)


async def state_of(world: World, submission_id: str) -> str:
    item = await world.storage.submission(submission_id)
    assert item is not None
    return item.state


async def acts(world: World) -> list[str]:
    return [each.act for each in reversed(await world.storage.audit(None, 100))]


def session(session_id: str, player_id: str, at: int) -> Session:
    return Session(session_id, player_id, at, at + DAY, b"hash of " + session_id.encode(), address="192.0.2.1")


class ReviewContract(Contract):
    async def test_a_held_submission_waits_with_its_evidence(self, world: World) -> None:
        board = await world.board()
        outcome = await held(world, "ada", 9, address="192.0.2.1", player_name="Ada")
        review = await world.storage.review(outcome.submission_id)
        assert review is not None
        assert (review.submission.id, review.submission.score, review.submission.state) == (
            outcome.submission_id,
            9,
            "held",
        )
        assert (review.player_name, review.player_status, review.address) == ("Ada", "active", "192.0.2.1")
        assert (review.evidence, review.rules_revision) == (EVIDENCE, board.revision)
        assert (review.state, review.claimed_by, review.notes) == ("open", None, ())
        assert await world.storage.open_reviews() == 1
        assert await world.storage.review(UNKNOWN) is None
        assert await world.storage.review("no id") is None

    async def test_reviews_are_listed_oldest_first_by_what_is_wanted(self, world: World) -> None:
        await world.board()
        await world.board("other")
        jump = (Evidence("jump", "hold", {}), *EVIDENCE)
        ids = [
            (await held(world, player, 9, board=board, evidence=evidence)).submission_id
            for player, board, evidence in [
                ("ada", "main", EVIDENCE),
                ("bob", "main", jump),
                ("ada", "other", EVIDENCE),
            ]
        ]
        await reject(world, ids[2])

        async def listed(wanted: ReviewFilter, after: str | None = None, limit: int = 10) -> list[int]:
            found = await world.storage.reviews(wanted, after, limit)
            return [ids.index(review.submission.id) for review in found]

        assert await listed(ReviewFilter()) == [0, 1, 2]
        assert await listed(ReviewFilter(), limit=2) == [0, 1]
        assert await listed(ReviewFilter(), after=ids[1]) == [2]
        assert await listed(ReviewFilter(state="open")) == [0, 1]
        assert await listed(ReviewFilter(state="rejected")) == [2]
        assert await listed(ReviewFilter(board="main")) == [0, 1]
        assert await listed(ReviewFilter(player_id="ada")) == [0, 2]
        assert await listed(ReviewFilter(rule="jump")) == [1]
        assert await listed(ReviewFilter(rule="too_fast", player_id="bob")) == [1]

    async def test_an_approved_submission_counts_at_its_own_time(self, world: World) -> None:
        await world.board(operator="latest", windows=("all", "day"))
        first = await held(world, "ada", 5)
        item = await world.storage.submission(first.submission_id)
        assert item is not None
        day = board_periods(world.boards["main"], item.accepted_at)[1]
        world.clock.advance(2 * DAY)
        await world.submit("ada", 7)
        decided = await approve(world, first.submission_id)
        assert await world.shown() == [("ada", 7)]  # the latest one still is
        assert await world.shown("main", "day", day.period) == [("ada", 5)]
        [past] = await world.standings("main", "day", day.period)
        assert past.achieved_at == item.accepted_at
        assert {change.period for change in decided.changes} == {MAIN, day}
        assert await state_of(world, first.submission_id) == "counted"
        review = await world.storage.review(first.submission_id)
        assert review is not None
        assert (review.state, review.decided_by, review.reason) == ("approved", "mod", "looked at it")
        assert await acts(world) == ["review.approve"]
        row = (await world.outbox())[-1]
        assert row.id == decided.outbox_id
        assert set(row.touched) == {Touched(MAIN, "ada"), Touched(day, "ada")}

    async def test_approving_raises_revisions_and_nothing_is_lost_beside_it(self, world: World) -> None:
        await world.board(operator="sum")
        outcome = await held(world, "ada", 5)
        await asyncio.gather(
            approve(world, outcome.submission_id), *(world.submit("ada", 1, player_name=None) for _ in range(10))
        )
        assert await world.shown() == [("ada", 15)]
        [standing] = await world.storage.standings_of(MAIN, None, 10)
        assert standing.revision == 11

    async def test_a_rejected_submission_is_dropped(self, world: World) -> None:
        await world.board()
        outcome = await held(world, "ada", 5)
        assert await reject(world, outcome.submission_id) == Decided()
        assert await state_of(world, outcome.submission_id) == "rejected"
        assert await world.shown() == []
        assert await world.storage.open_reviews() == 0
        assert await acts(world) == ["review.reject"]

    async def test_a_rejection_may_ban_in_the_same_transaction(self, world: World) -> None:
        await world.board()
        await world.submit("ada", 3)
        await world.storage.open_session(session("s1", "ada", world.clock.now()))
        outcome = await held(world, "ada", 5)
        decided = await reject(world, outcome.submission_id, Ban(until=world.clock.now() + DAY))
        assert [change.key for change in decided.changes] == [None]
        assert decided.ended == ("s1",)
        assert (await world.outbox())[-1].id == decided.outbox_id
        assert await world.shown() == []
        player = await world.storage.player("ada")
        assert player is not None
        assert player.banned
        assert player.banned_until is not None

    async def test_a_case_is_decided_once(self, world: World) -> None:
        await world.board(operator="sum")
        outcome = await held(world, "ada", 5)
        tries = await asyncio.gather(
            *(approve(world, outcome.submission_id, f"mod{number}") for number in range(5)),
            *(reject(world, outcome.submission_id, Ban(), f"mod{number}") for number in range(5, 10)),
            return_exceptions=True,
        )
        assert [type(each) for each in tries if isinstance(each, BaseException)] == [Conflict] * 9
        assert len(await acts(world)) == 1
        review = await world.storage.review(outcome.submission_id)
        player = await world.storage.player("ada")
        assert review is not None
        assert player is not None
        assert player.banned == (review.state == "rejected")
        assert await world.shown() == ([("ada", 5)] if review.state == "approved" else [])

    async def test_a_claim_keeps_others_out_until_its_lease_ends(self, world: World) -> None:
        await world.board()
        outcome = await held(world, "ada", 5)
        now = world.clock.now()
        assert await world.storage.claim_review(outcome.submission_id, "one", now, now + MINUTE)
        assert not await world.storage.claim_review(outcome.submission_id, "two", now + 1, now + MINUTE)
        assert await world.storage.claim_review(outcome.submission_id, "one", now + 2, now + 2 * MINUTE)
        with pytest.raises(Conflict):
            await approve(world, outcome.submission_id, "two")
        assert not await world.storage.release_review(outcome.submission_id, "two")
        world.clock.advance(3 * MINUTE)
        assert await world.storage.claim_review(
            outcome.submission_id, "two", world.clock.now(), world.clock.now() + MINUTE
        )
        with pytest.raises(Conflict):
            await reject(world, outcome.submission_id, by="one")
        assert await world.storage.release_review(outcome.submission_id, "two")
        await approve(world, outcome.submission_id, "one")
        assert not await world.storage.claim_review(outcome.submission_id, "one", now, now + MINUTE)
        assert not await world.storage.claim_review(UNKNOWN, "one", now, now + MINUTE)

    async def test_what_cannot_be_decided_changes_nothing(self, world: World) -> None:
        old = await world.board(operator="sum")
        outcome = await held(world, "ada", 5)
        await world.submit("ada", MAX_SCORE)
        periods = [MAIN]
        with pytest.raises(ScoreOutOfRange):
            await approve(world, outcome.submission_id)
        await world.board(operator="sum", title="another")
        faults: list[type[ScoreboardError]] = []
        for board, submission_id in [(old, outcome.submission_id), (world.boards["main"], UNKNOWN)]:
            with pytest.raises(ScoreboardError) as raised:
                await world.storage.approve(board, periods, decision(world, submission_id), [entry(world, "a", "b")])
            faults.append(raised.type)
        assert faults == [Unavailable, NotFound]
        with pytest.raises(NotFound):
            await reject(world, UNKNOWN)
        assert await state_of(world, outcome.submission_id) == "held"
        assert await world.shown() == [("ada", MAX_SCORE)]
        assert await acts(world) == []
        assert await world.storage.open_reviews() == 1

    async def test_an_approved_score_of_a_banned_player_is_seen_once_the_ban_is_lifted(self, world: World) -> None:
        await world.board()
        outcome = await held(world, "ada", 5)
        await world.storage.set_status("ada", "banned", world.clock.now())
        await approve(world, outcome.submission_id)
        assert await world.shown() == []
        await world.storage.set_status("ada", "active", world.clock.now())
        assert await world.shown() == [("ada", 5)]

    async def test_notes_are_kept_in_order_and_their_number_is_bounded(self, world: World) -> None:
        await world.board()
        outcome = await held(world, "ada", 5)
        written = [Note(world.clock.now(), "mod", f"note '{number}' \u00e9") for number in range(MAX_NOTES)]
        for note in written:
            assert await world.storage.note_review(outcome.submission_id, note, [])
        assert not await world.storage.note_review(outcome.submission_id, written[0], [entry(world, "a", "b")])
        assert not await world.storage.note_review(UNKNOWN, written[0], [])
        review = await world.storage.review(outcome.submission_id)
        assert review is not None
        assert review.notes == tuple(written)
        assert await acts(world) == []

    async def test_a_sample_of_a_board_has_what_was_counted_of_late(self, world: World) -> None:
        await world.board()
        await world.board("other")
        for score in range(4):
            await world.submit("ada", score)
            await world.submit("bob", score, "other")
        await held(world, "ada", 99)
        sample = await world.storage.board_sample("main", 100, 3)
        assert [item.score for item in sample] == [3, 2, 1]
        assert [item.score for item in await world.storage.board_sample("main", 3, 10)] == [3]


class ModerationContract(Contract):
    async def test_a_ban_ends_the_sessions_and_is_in_the_outbox_with_its_audit_entry(self, world: World) -> None:
        await world.board()
        await world.submit("ada", 5)
        await world.storage.open_session(session("s1", "ada", world.clock.now()))
        changed = await world.storage.set_status(
            "ada", "banned", world.clock.now(), entries=[entry(world, "player.ban", "ada")]
        )
        assert (changed.player.banned, changed.ended) == (True, ("s1",))
        state = await world.storage.session_state("s1")
        assert state is not None
        assert (state.revoked, state.banned) == (True, True)
        assert (await world.outbox())[-1].id == changed.outbox_id
        assert await acts(world) == ["player.ban"]

    async def test_a_new_role_ends_the_sessions_of_the_old_one(self, world: World) -> None:
        await world.board()
        await world.submit("ada", 5)
        await world.storage.open_session(session("s1", "ada", world.clock.now()))
        acted = [entry(world, "player.role", "ada")]
        changed = await world.storage.set_role("ada", "moderator", world.clock.now(), acted)
        assert changed is not None
        assert (changed.player.role, changed.ended) == ("moderator", ("s1",))
        assert await acts(world) == ["player.role"]
        assert await world.storage.set_role("nobody", "moderator", world.clock.now(), acted) is None
        await world.storage.erase_player("ada", world.clock.now(), [])
        assert await world.storage.set_role("ada", "moderator", world.clock.now(), acted) is None
        assert await acts(world) == ["player.role"]
        assert await world.shown() == []

    async def test_whoever_was_hidden_before_a_ban_is_hidden_after_it(self, world: World) -> None:
        await world.board()
        await world.submit("ada", 5)
        for status, expected in [
            ("hidden", (False, True)),
            ("banned", (True, False)),
            ("active", (False, True)),
            ("banned", (True, False)),
            ("hidden", (True, False)),
            ("active", (False, True)),
            ("active", (False, False)),
            ("banned", (True, False)),
            ("active", (False, False)),
        ]:
            changed = await world.storage.set_status("ada", status, world.clock.now())  # type: ignore[arg-type] # a literal
            assert (changed.player.banned, changed.player.hidden) == expected
        assert await world.shown() == [("ada", 5)]

    async def test_a_timed_ban_is_lifted_once_it_has_ended(self, world: World) -> None:
        await world.board()
        await world.commit(world.submission("ada", 5), world.submission("bob", 6), world.submission("cy", 7))
        before = await world.standings()
        now = world.clock.now()
        await world.storage.set_status("ada", "banned", now, until=now + MINUTE)
        await world.storage.set_status("bob", "banned", now, until=now + 2 * MINUTE)
        await world.storage.set_status("cy", "banned", now)
        lift = [entry(world, "player.lift", "ada")]
        assert await world.storage.ended_bans(now, 10) == ()
        assert await world.storage.lift_ended_ban("ada", now, lift) is None
        assert await world.storage.ended_bans(now + MINUTE, 10) == ("ada",)
        changed = await world.storage.lift_ended_ban("ada", now + MINUTE, lift)
        assert changed is not None
        assert (changed.player.banned, changed.player.banned_until) == (False, None)
        assert await world.storage.lift_ended_ban("ada", now + MINUTE, lift) is None
        assert await acts(world) == ["player.lift"]
        assert await world.storage.ended_bans(now + DAY, 1) == ("bob",)
        await world.storage.lift_ended_ban("bob", now + DAY, [])
        assert await world.storage.ended_bans(now + DAY, 10) == ()
        assert await world.standings() == [standing for standing in before if standing.player_id != "cy"]

    async def test_a_longer_ban_outlives_the_end_of_the_first(self, world: World) -> None:
        await world.storage.upsert_player("ada", None, world.clock.now())
        now = world.clock.now()
        await world.storage.set_status("ada", "banned", now, until=now + MINUTE)
        await world.storage.set_status("ada", "banned", now)
        assert await world.storage.lift_ended_ban("ada", now + DAY, []) is None
        assert await world.storage.ended_bans(now + DAY, 10) == ()

    async def test_an_erased_player_leaves_no_trace_of_who_it_was(self, world: World) -> None:
        await world.board()
        ada = Player("p_ada", "Ada", "moderator", world.clock.now(), username="ada")
        await world.storage.register(ada, "ada", "hash")
        await world.storage.open_session(session("s1", "p_ada", world.clock.now()))
        counted = await world.submit("p_ada", 5, address="192.0.2.1", metadata='{"mail":"ada@example.org"}')
        waiting = await held(world, "p_ada", 9, address="192.0.2.1")
        await world.storage.note_review(waiting.submission_id, Note(1, "mod", "lives in London"), [])
        await world.storage.add_audit([entry(world, "login", "p_ada"), entry(world, "login", "p_bob")])
        erased = await world.storage.erase_player("p_ada", world.clock.now(), [entry(world, "player.erase", "p_ada")])
        assert erased is not None
        assert (erased.player.name, erased.player.username, erased.player.role) == ("", None, "player")
        assert (erased.player.erased, erased.player.banned, erased.ended) == (True, True, ("s1",))
        assert [(change.key, change.name) for change in erased.changes] == [(None, "")]
        assert await world.shown() == []
        assert await world.storage.session("s1") is None
        assert await world.storage.credentials("ada") is None
        assert await world.storage.password_hash("p_ada") is None
        item = await world.storage.submission(counted.submission_id)
        assert item is not None
        assert item.metadata is None
        assert await state_of(world, waiting.submission_id) == "rejected"
        review = await world.storage.review(waiting.submission_id)
        assert review is not None
        assert (review.address, review.evidence, review.notes, review.state) == ("", (), (), "rejected")
        details = {(each.act, each.subject): each.detail for each in await world.storage.audit(None, 10)}
        assert details[("login", "p_ada")] is None
        assert details[("login", "p_bob")] is not None
        assert details[("player.erase", "p_ada")] is not None

    async def test_erasing_is_for_ever_and_frees_the_username(self, world: World) -> None:
        await world.board()
        await world.storage.register(Player("p_ada", "Ada", "player", 1, username="ada"), "ada", "hash")
        await world.storage.erase_player("p_ada", world.clock.now(), [])
        assert await world.storage.erase_player("p_ada", world.clock.now(), [entry(world, "a", "b")]) is None
        assert await acts(world) == []
        for status in ("active", "banned", "hidden"):
            with pytest.raises(NotFound):
                await world.storage.set_status("p_ada", status, world.clock.now())
        outcome = await world.submit("p_ada", 5, creates_player=False)
        assert (outcome.status, outcome.code) == ("rejected", "player_banned")
        await world.storage.register(Player("p_2", "Ada", "player", 1, username="ada"), "ada", "hash")
        with pytest.raises(NotFound):
            await world.storage.erase_player("nobody", world.clock.now(), [])

    async def test_players_are_found_by_the_beginning_of_id_name_or_username(self, world: World) -> None:
        for player_id, name, username in [("p_1", "Ada", "countess"), ("p_2", "Bob", "bob"), ("p_3", "adam", "eve")]:
            player = Player(player_id, name, "player", world.clock.now(), username=username)
            await world.storage.register(player, username, "hash")
        await world.storage.upsert_player("ada:1", "Zoe", world.clock.now())
        await world.storage.set_status("p_2", "banned", world.clock.now())

        async def found(
            query: str | None = None, after: str | None = None, limit: int = 10, **wanted: Any
        ) -> list[str]:
            wanted_ones = PlayerFilter(query=query, skeleton=query, **wanted)
            players = await world.storage.players(wanted_ones, after, limit)
            return [player.id for player in players]

        assert await found() == ["ada:1", "p_1", "p_2", "p_3"]
        assert await found(after="p_1", limit=1) == ["p_2"]
        assert await found("ada") == ["ada:1", "p_1", "p_3"]
        assert await found("ADA") == ["p_1", "p_3"]
        assert await found("count") == ["p_1"]
        assert await found("p_", limit=2) == ["p_1", "p_2"]
        assert await found("p_", after="p_2") == ["p_3"]
        assert await found(status="banned") == ["p_2"]
        assert await found("p_", status="active") == ["p_1", "p_3"]
        assert await found("%") == []

    async def test_what_a_hidden_player_would_be_seen_with_is_told_of_no_other(self, world: World) -> None:
        await world.board(tiebreakers=(TieColumn("laps"),))
        outcome = await world.submit("ada", 5, tiebreakers=(3,), player_name="Ada")
        item = await world.storage.submission(outcome.submission_id)
        assert item is not None
        assert await world.storage.hidden_standing(MAIN, "ada") is None
        await world.storage.set_status("ada", "hidden", world.clock.now())
        assert await world.storage.hidden_standing(MAIN, "ada") == ("Ada", 5, (3,), item.accepted_at)
        await world.void("main", outcome.submission_id)
        assert await world.storage.hidden_standing(MAIN, "ada") is None

    async def test_the_standings_of_a_player_are_listed(self, world: World) -> None:
        await world.board("one")
        await world.board("two", windows=("all", "day"))
        await world.submit("ada", 5, "two")
        outcome = await world.submit("ada", 3, "one")
        await world.void("one", outcome.submission_id, [BoardPeriod("one", "all", "all")])
        places = await world.storage.places("ada", 10)
        assert [(place.period.board, place.period.window, place.score) for place in places] == [
            ("one", "all", None),
            ("two", "all", 5),
            ("two", "day", 5),
        ]
        assert len(await world.storage.places("ada", 2)) == 2


class DeletedBoardContract(Contract):
    async def test_a_deleted_board_takes_no_scores_and_comes_back_with_those_it_had(self, world: World) -> None:
        before = await world.board()
        await world.submit("ada", 5)
        deleted = await world.storage.delete_board("main", world.clock.now(), [entry(world, "board.delete", "main")])
        assert deleted is not None
        assert (deleted.settings, deleted.revision) == (before.settings, before.revision + 1)
        assert deleted.deleted_at is not None
        assert await world.storage.boards() == (deleted,)
        assert await world.storage.delete_board("main", world.clock.now(), [entry(world, "a", "b")]) is None
        assert await world.storage.delete_board("none", world.clock.now(), [entry(world, "a", "b")]) is None
        assert await acts(world) == ["board.delete"]
        refused = await world.submit("ada", 6)
        assert (refused.status, refused.code) == ("rejected", "unavailable")
        await world.storage.set_status("ada", "banned", world.clock.now())
        await world.storage.set_status("ada", "active", world.clock.now())
        restored = await world.board()
        assert (restored.deleted_at, restored.revision) == (None, deleted.revision + 1)
        assert await world.shown() == [("ada", 5)]


def link(chain: str, number: int, at: int = 10, **fields: str) -> AuditEntry:
    """An entry of a chain; its hashes are made up."""
    given = {"actor": "ada", "act": "login", "subject": "session", **fields}
    hashes = [f"{kind} {chain} {number}".encode() for kind in ("digest", "previous", "hash")]
    return AuditEntry(at, given["actor"], given["act"], given["subject"], "{}", chain, number, *hashes)


class TrailContract(Contract):
    async def test_the_trail_is_read_newest_first_and_back_from_a_place(self, world: World) -> None:
        entries = [link("a", 1, 10), link("a", 2, 20), link("a", 3, 20), link("b", 1, 20), link("b", 2, 30)]
        await world.storage.add_audit(entries[:2])
        await world.storage.add_audit(entries[2:])
        assert await world.storage.audit(None, 2) == (entries[4], entries[3])
        assert await world.storage.audit((20, "b", 1), 2) == (entries[2], entries[1])
        assert await world.storage.audit((20, "a", 2), 5) == (entries[0],)

    async def test_entries_are_found_by_who_what_whom_and_when(self, world: World) -> None:
        entries = [
            link("a", 1, 10, actor="mod", act="player.ban", subject="ada"),
            link("a", 2, 20, actor="mod", act="player.lift", subject="ada"),
            link("a", 3, 30, actor="ada", act="login", subject="ada"),
            link("a", 4, 40, actor="", act="login.failed", subject="bob"),
            link("a", 5, 50, actor="", act="logins", subject="bob"),
        ]
        await world.storage.add_audit(entries)

        async def found(**wanted: Any) -> list[int]:
            return [each.number for each in await world.storage.audit(None, 10, AuditFilter(**wanted))]

        assert await found(actor="mod") == [2, 1]
        assert await found(subject="ada") == [3, 2, 1]
        assert await found(subject="ada", actor="mod", since=20) == [2]
        assert await found(act="login") == [4, 3]
        assert await found(act="player.ban") == [1]
        assert await found(act="login", subject="bob") == [4]
        assert await found(since=40) == [5, 4]

    async def test_the_chains_are_known_by_their_last_entries(self, world: World) -> None:
        assert await world.storage.audit_heads(10) == ()
        await world.storage.add_audit([link("b", 1), link("a", 1), link("b", 2), link("a", 2), link("c", 1)])
        assert await world.storage.audit_heads(10) == (
            ("c", 1, b"hash c 1", "login"),
            ("b", 2, b"hash b 2", "login"),
            ("a", 2, b"hash a 2", "login"),
        )
        assert [head.chain for head in await world.storage.audit_heads(1)] == ["c"]

    async def test_the_first_entry_that_is_kept_of_each_chain_is_known(self, world: World) -> None:
        await world.storage.add_audit([link("a", 1, 10), link("a", 2, 20), link("b", 1, 10), link("c", 1, 30)])
        assert await world.storage.audit_kept(20) == {"a": 2, "b": 2}
        assert await world.storage.audit_kept(10) == {}

    async def test_entries_before_a_month_are_forgotten(self, world: World) -> None:
        month = month_of(world.clock.now())
        old = [link("a", number, month - 1_100 + number) for number in range(1_100)]
        kept = [link("a", 1_100, month), link("a", 1_101, month + DAY)]
        await world.storage.add_audit([*old, *kept])
        await world.storage.forget_audit(month)
        assert await world.storage.audit_chain("a", -1, 10) == tuple(kept)

    async def test_a_chain_is_read_by_number(self, world: World) -> None:
        entries = [link("a", number) for number in range(1, 6)]
        await world.storage.add_audit([*entries[::-1], link("b", 3)])
        assert await world.storage.audit_chain("a", 0, 2) == tuple(entries[:2])
        assert await world.storage.audit_chain("a", 2, 10) == tuple(entries[2:])

    async def test_adding_nothing_is_no_error(self, world: World) -> None:
        await world.storage.add_audit([])
        assert await world.storage.audit(None, 5) == ()
