"""Admission in one process: sessions, reservations, write budget and the time of the last submission."""

import asyncio

import pytest

from scoreboard.admission import memory
from scoreboard.admission.base import Admission, Knock
from scoreboard.admission.memory import MemoryAdmissions
from scoreboard.clock import SECOND, ManualClock
from scoreboard.model import Committed, SessionState, Submission

OUTCOME = Committed("accepted", "01-first", "main", "p_ada", True, 5)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def strangers(clock: ManualClock) -> MemoryAdmissions:
    """Knows no session."""
    return MemoryAdmissions(clock, budget=0)


@pytest.fixture
async def admissions(strangers: MemoryAdmissions) -> MemoryAdmissions:
    """Knows one session; has no write limit."""
    await strangers.learn(session())
    return strangers


@pytest.fixture
async def frugal(clock: ManualClock) -> MemoryAdmissions:
    """Allows two writes a minute."""
    frugal = MemoryAdmissions(clock, budget=2)
    await frugal.learn(session())
    return frugal


def session(*, revoked: bool = False, banned: bool = False, expires_at: int = 2**60) -> SessionState:
    return SessionState("s1", "p_ada", "player", expires_at, revoked, banned)


def knock(action_id: str, at: int = 0, player_id: str = "p_ada") -> Knock:
    return Knock(action_id, player_id, "s1", "main", "coin", at, 2**60)


def submission(action_id: str, player_id: str = "p_ada") -> Submission:
    return Submission("01-first", action_id, 2**60, player_id, "main", 5, (), 0, ())


async def admit(admissions: MemoryAdmissions, action_id: str, at: int = 0, player_id: str = "p_ada") -> Admission:
    (admission,) = await admissions.admit([knock(action_id, at, player_id)])
    return admission


async def test_a_new_action_is_reserved_and_then_in_flight(admissions: MemoryAdmissions) -> None:
    assert (await admit(admissions, "a")).reserved == "new"
    assert (await admit(admissions, "a")).reserved == "in flight"


async def test_a_settled_action_answers_with_its_outcome(admissions: MemoryAdmissions) -> None:
    await admit(admissions, "a")
    await admissions.settle([(submission("a"), OUTCOME)])
    again = await admit(admissions, "a")
    assert (again.reserved, again.outcome) == ("done", OUTCOME)


async def test_a_released_action_may_be_tried_again_without_seeming_too_fast(admissions: MemoryAdmissions) -> None:
    await admit(admissions, "first", at=1 * SECOND)
    await admit(admissions, "retried", at=9 * SECOND)
    await admissions.settle([(submission("retried"), None)])
    again = await admit(admissions, "retried", at=10 * SECOND)
    assert (again.reserved, again.last_at) == ("new", 1 * SECOND)


async def test_waiting_ends_when_the_action_is_settled(admissions: MemoryAdmissions) -> None:
    await admit(admissions, "a")
    waiting = [asyncio.ensure_future(admissions.wait(knock("a"))) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(waiter.done() for waiter in waiting)
    await admissions.settle([(submission("a"), OUTCOME)])
    await asyncio.gather(*waiting)


async def test_waiting_for_nothing_returns_at_once(admissions: MemoryAdmissions) -> None:
    await admissions.wait(knock("never heard of"))


async def test_the_last_submission_of_the_lane_is_told(admissions: MemoryAdmissions) -> None:
    assert (await admit(admissions, "a", at=1 * SECOND)).last_at is None
    assert (await admit(admissions, "b", at=3 * SECOND)).last_at == 1 * SECOND
    assert (await admit(admissions, "c", at=4 * SECOND, player_id="p_bob")).last_at is None


async def test_an_unknown_session_must_be_learned_first(strangers: MemoryAdmissions) -> None:
    assert (await admit(strangers, "a")).session == "unknown"
    await strangers.learn(session())
    assert (await admit(strangers, "a")).session == "live"


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        (session(revoked=True), "revoked"),
        (session(expires_at=5), "revoked"),
        (session(banned=True), "banned"),
    ],
)
async def test_a_session_that_ended_is_not_admitted(
    strangers: MemoryAdmissions, state: SessionState, answer: str
) -> None:
    await strangers.learn(state)
    assert (await admit(strangers, "a", at=10)).session == answer


async def test_a_late_read_does_not_revive_a_revoked_session(admissions: MemoryAdmissions) -> None:
    await admissions.revoke(["s1", "s2"])
    await admissions.learn(session())
    assert (await admit(admissions, "a")).session == "revoked"


async def test_the_end_of_a_session_is_told_even_if_it_was_not_known(clock: ManualClock) -> None:
    told: list[str] = []
    await MemoryAdmissions(clock, 0, told.extend).revoke(["s1", "s2"])
    assert told == ["s1", "s2"]


async def test_two_players_with_the_same_action_id_are_not_confused(admissions: MemoryAdmissions) -> None:
    await admit(admissions, "a")
    await admissions.settle([(submission("a"), OUTCOME)])
    assert (await admit(admissions, "a", player_id="p_bob")).reserved == "new"


async def test_a_retry_is_not_compared_with_what_came_in_between(admissions: MemoryAdmissions) -> None:
    await admit(admissions, "a", at=1 * SECOND)
    await admissions.settle([(submission("a"), None)])
    await admit(admissions, "b", at=2 * SECOND)
    assert (await admit(admissions, "a", at=3 * SECOND)).last_at is None


async def test_a_spent_budget_reserves_nothing_and_fills_up_again(frugal: MemoryAdmissions, clock: ManualClock) -> None:
    for action_id in "ab":
        assert (await admit(frugal, action_id)).retry_after_s is None
    refused = await admit(frugal, "c")
    assert refused.retry_after_s == pytest.approx(30, abs=1)
    clock.advance(31 * SECOND)
    admitted = await admit(frugal, "c")
    assert (admitted.retry_after_s, admitted.reserved) == (None, "new")


async def test_a_repeat_is_answered_though_the_budget_is_spent(frugal: MemoryAdmissions) -> None:
    for action_id in "ab":
        await admit(frugal, action_id)
    await frugal.settle([(submission("a"), OUTCOME)])
    assert (await admit(frugal, "a")).outcome == OUTCOME


async def test_the_oldest_reservation_is_forgotten_at_the_bound(
    admissions: MemoryAdmissions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MAX_RESERVATIONS", 2)
    for action_id in "abc":
        await admit(admissions, action_id)
    assert [(await admit(admissions, action_id)).reserved for action_id in "cb"] == ["in flight"] * 2
    assert (await admit(admissions, "a")).reserved == "new"
