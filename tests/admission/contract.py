"""What every admission state promises: sessions, reservations, write budget and the time of the last submission."""

import asyncio
from typing import Protocol

import pytest

from scoreboard.admission.base import Admission, Admissions, Knock
from scoreboard.anticheat.history import LENGTH, read
from scoreboard.clock import SECOND, ManualClock
from scoreboard.model import Committed, SessionState, Submission

OUTCOME = Committed("accepted", "01-first", "main", "p_ada", True, 5)
FAR = 2**52
"""An instant long after all that happens here."""


class Make(Protocol):
    def __call__(self, budget: int) -> Admissions:
        """An empty admission state; `budget` is writes per minute and player."""


def session(*, revoked: bool = False, banned: bool = False, expires_at: int = FAR) -> SessionState:
    return SessionState("s1", "p_ada", "player", expires_at, revoked, banned)


def knock(action_id: str, at: int = 0, player_id: str = "p_ada", score: int = 0, action: str = "coin") -> Knock:
    session_id = "s1" if player_id == "p_ada" else "s2"
    return Knock(action_id, player_id, session_id, "main", action, START + at, FAR, score)


START = 1_800_000_000 * SECOND


def submission(action_id: str, player_id: str = "p_ada") -> Submission:
    return Submission("01-first", action_id, FAR, player_id, "main", 5, (), 0, (), action="coin")


async def admit(
    admissions: Admissions, action_id: str, at: int = 0, player_id: str = "p_ada", score: int = 0, action: str = "coin"
) -> Admission:
    return await admissions.admit(knock(action_id, at, player_id, score, action))


def past(admission: Admission) -> list[tuple[int, int]]:
    """What was told of the submissions before: microseconds since the start, and scores."""
    times, scores = read(admission.history)
    return [(at - START, score) for at, score in zip(times, scores, strict=True)]


class AdmissionContract:
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    async def strangers(self, make: Make) -> Admissions:
        """Knows no session."""
        return make(0)

    @pytest.fixture
    async def admissions(self, strangers: Admissions) -> Admissions:
        """Knows one session each of two players; has no write limit."""
        await strangers.learn(session())
        await strangers.learn(SessionState("s2", "p_bob", "player", FAR, revoked=False, banned=False))
        return strangers

    @pytest.fixture
    async def frugal(self, make: Make) -> Admissions:
        """Allows two writes a minute."""
        frugal = make(2)
        await frugal.learn(session())
        return frugal

    async def test_a_new_action_is_reserved_and_then_in_flight(self, admissions: Admissions) -> None:
        assert (await admit(admissions, "a")).reserved == "new"
        assert (await admit(admissions, "a")).reserved == "in flight"

    async def test_a_settled_action_answers_with_its_outcome(self, admissions: Admissions) -> None:
        await admit(admissions, "a")
        await admissions.settle([(submission("a"), OUTCOME)])
        again = await admit(admissions, "a")
        assert again.reserved == "done"
        assert again.outcome in (OUTCOME, None)

    async def test_a_released_action_may_be_tried_again_without_seeming_too_fast(self, admissions: Admissions) -> None:
        await admit(admissions, "first", at=1 * SECOND)
        await admit(admissions, "retried", at=9 * SECOND)
        await admissions.settle([(submission("retried"), None)])
        again = await admit(admissions, "retried", at=10 * SECOND)
        assert (again.reserved, again.again, past(again)) == ("new", True, [(1 * SECOND, 0)])

    async def test_waiting_ends_when_the_action_is_settled(self, admissions: Admissions) -> None:
        await admit(admissions, "a")
        waiting = [asyncio.ensure_future(admissions.wait(knock("a"))) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(waiter.done() for waiter in waiting)
        await admissions.settle([(submission("a"), OUTCOME)])
        await asyncio.gather(*waiting)

    async def test_waiting_for_nothing_returns_at_once(self, admissions: Admissions) -> None:
        await admissions.wait(knock("never heard of"))

    async def test_what_the_player_did_before_by_the_same_action_is_told(self, admissions: Admissions) -> None:
        assert past(await admit(admissions, "a", at=1 * SECOND, score=-7)) == []
        assert past(await admit(admissions, "b", at=3 * SECOND, score=2**53 - 1)) == [(1 * SECOND, -7)]
        assert past(await admit(admissions, "c", at=4 * SECOND, player_id="p_bob")) == []
        assert past(await admit(admissions, "d", at=4 * SECOND, action="gem")) == []
        told = await admit(admissions, "e", at=5 * SECOND)
        assert past(told) == [(1 * SECOND, -7), (3 * SECOND, 2**53 - 1)]
        assert (told.reserved, told.again) == ("new", False)

    async def test_only_the_most_recent_submissions_are_told(self, admissions: Admissions) -> None:
        for number in range(LENGTH + 2):
            await admit(admissions, f"a{number}", at=number * SECOND, score=number)
        told = past(await admit(admissions, "b", at=(LENGTH + 2) * SECOND))
        assert told == [(number * SECOND, number) for number in range(2, LENGTH + 2)]

    async def test_what_was_released_is_forgotten_and_what_was_committed_is_not(self, admissions: Admissions) -> None:
        for number, action_id in enumerate(["kept", "released", "rejected"], 1):
            await admit(admissions, action_id, at=number * SECOND)
        rejected = Committed("rejected", "01", "main", "p_ada", code="rule_rejected")
        await admissions.settle(
            [(submission("kept"), OUTCOME), (submission("released"), None), (submission("rejected"), rejected)]
        )
        assert past(await admit(admissions, "next", at=9 * SECOND)) == [(1 * SECOND, 0), (3 * SECOND, 0)]

    async def test_a_retry_is_remembered_once_and_at_its_first_instant(self, admissions: Admissions) -> None:
        await admit(admissions, "retried", at=1 * SECOND, score=5)
        await admissions.settle([(submission("retried"), None)])
        await admit(admissions, "between", at=2 * SECOND, score=6)
        await admit(admissions, "retried", at=8 * SECOND, score=5)
        await admissions.settle([(submission("retried"), OUTCOME)])
        assert (await admit(admissions, "retried", at=9 * SECOND)).reserved == "done"
        assert past(await admit(admissions, "next", at=10 * SECOND)) == [(1 * SECOND, 5), (2 * SECOND, 6)]

    async def test_submissions_of_two_servers_whose_clocks_differ_are_told_in_order(
        self, admissions: Admissions
    ) -> None:
        await admit(admissions, "ahead", at=3 * SECOND)
        await admit(admissions, "behind", at=2 * SECOND)
        assert past(await admit(admissions, "next", at=4 * SECOND)) == [(2 * SECOND, 0), (3 * SECOND, 0)]

    async def test_an_unknown_session_must_be_learned_first(self, strangers: Admissions) -> None:
        assert (await admit(strangers, "a")).session == "unknown"
        await strangers.learn(session())
        assert (await admit(strangers, "a")).session == "live"

    @pytest.mark.parametrize(
        ("state", "answer"),
        [
            (session(revoked=True), "revoked"),
            (session(expires_at=START + 5), "revoked"),
            (session(banned=True), "banned"),
        ],
    )
    async def test_a_session_that_ended_is_not_admitted(
        self, strangers: Admissions, state: SessionState, answer: str
    ) -> None:
        await strangers.learn(state)
        assert (await admit(strangers, "a", at=10)).session == answer

    async def test_a_late_read_does_not_revive_a_revoked_session(self, admissions: Admissions) -> None:
        await admissions.revoke("p_ada", ["s1", "s9"])
        await admissions.learn(session())
        assert (await admit(admissions, "a")).session == "revoked"

    async def test_two_players_with_the_same_action_id_are_not_confused(self, admissions: Admissions) -> None:
        await admit(admissions, "a")
        await admissions.settle([(submission("a"), OUTCOME)])
        assert (await admit(admissions, "a", player_id="p_bob")).reserved == "new"

    async def test_a_retry_is_not_compared_with_what_came_in_between(self, admissions: Admissions) -> None:
        await admit(admissions, "a", at=1 * SECOND)
        await admissions.settle([(submission("a"), None)])
        await admit(admissions, "b", at=2 * SECOND)
        assert past(await admit(admissions, "a", at=3 * SECOND)) == []

    async def test_a_spent_budget_reserves_nothing_and_fills_up_again(
        self, frugal: Admissions, clock: ManualClock
    ) -> None:
        for action_id in "ab":
            assert (await admit(frugal, action_id)).retry_after_s is None
        refused = await admit(frugal, "c", at=1 * SECOND)
        assert refused.retry_after_s == pytest.approx(30, abs=1)
        clock.advance(31 * SECOND)
        admitted = await admit(frugal, "c", at=31 * SECOND)
        assert (admitted.retry_after_s, admitted.reserved) == (None, "new")
        assert [at for at, _ in past(admitted) if at >= 1 * SECOND] == []

    async def test_a_repeat_is_answered_though_the_budget_is_spent(self, frugal: Admissions) -> None:
        for action_id in "ab":
            await admit(frugal, action_id)
        await frugal.settle([(submission("a"), OUTCOME)])
        assert (await admit(frugal, "a")).reserved == "done"

    async def test_a_session_is_told_as_it_was_learned(self, strangers: Admissions) -> None:
        assert await strangers.session("p_ada", "s1") is None
        await strangers.learn(session())
        assert await strangers.session("p_ada", "s1") == session()
        await strangers.revoke("p_ada", ["s1"])
        ended = await strangers.session("p_ada", "s1")
        assert ended is not None
        assert ended.revoked

    async def test_a_ban_holds_for_sessions_learned_later_and_is_lifted(self, admissions: Admissions) -> None:
        await admissions.ban("p_ada", True)
        assert (await admit(admissions, "a")).session == "banned"
        await admissions.learn(session())
        assert (await admit(admissions, "a")).session == "banned"
        assert (await admit(admissions, "b", player_id="p_bob")).session == "live"
        await admissions.ban("p_ada", False)
        assert (await admit(admissions, "a")).session == "live"

    async def test_many_are_answered_in_their_order(self, admissions: Admissions) -> None:
        await admit(admissions, "used")
        asked = [knock(action_id) for action_id in ("a", "used", "b", "a")]
        answers = await asyncio.gather(*map(admissions.admit, asked))
        assert [each.reserved for each in answers] == ["new", "in flight", "new", "in flight"]
