"""Admission in one process: sessions, reservations, write budget and the time of the last submission."""

import asyncio

import pytest

from scoreboard.admission import memory
from scoreboard.admission.base import Admission, Knock
from scoreboard.admission.memory import MemoryAdmissions
from scoreboard.clock import SECOND, ManualClock
from scoreboard.model import Committed, SessionState

LANE = ("p_ada", "main", "coin")
OUTCOME = Committed("accepted", "01-first", "main", "p_ada", True, 5)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def admissions(clock: ManualClock) -> MemoryAdmissions:
    return MemoryAdmissions(clock, budget=2)


def session(*, revoked: bool = False, banned: bool = False, expires_at: int = 2**60) -> SessionState:
    return SessionState("s1", "p_ada", "player", expires_at, revoked, banned)


async def admit(
    admissions: MemoryAdmissions,
    action_id: str,
    at: int = 0,
    session_id: str | None = None,
    lane: tuple[str, str, str] | None = LANE,
) -> Admission:
    (admission,) = await admissions.admit([Knock(action_id, "p_ada", session_id, lane, at, 2**60)])
    return admission


async def test_a_new_action_is_reserved_and_then_in_flight(admissions: MemoryAdmissions) -> None:
    assert (await admit(admissions, "a")).reserved == "new"
    assert (await admit(admissions, "a")).reserved == "in flight"


async def test_a_settled_action_answers_with_its_outcome(admissions: MemoryAdmissions) -> None:
    await admit(admissions, "a")
    await admissions.settle([("a", OUTCOME)])
    again = await admit(admissions, "a")
    assert (again.reserved, again.outcome) == ("done", OUTCOME)


async def test_a_released_action_may_be_tried_again_without_seeming_too_fast(admissions: MemoryAdmissions) -> None:
    await admit(admissions, "first", at=1 * SECOND)
    await admit(admissions, "retried", at=9 * SECOND)
    await admissions.settle([("retried", None)])
    again = await admit(admissions, "retried", at=10 * SECOND)
    assert (again.reserved, again.last_at) == ("new", 1 * SECOND)


async def test_waiting_ends_when_the_action_is_settled(admissions: MemoryAdmissions) -> None:
    await admit(admissions, "a")
    waiting = [asyncio.ensure_future(admissions.wait("a")) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(waiter.done() for waiter in waiting)
    await admissions.settle([("a", OUTCOME)])
    await asyncio.gather(*waiting)


async def test_waiting_for_nothing_returns_at_once(admissions: MemoryAdmissions) -> None:
    await admissions.wait("never heard of")


async def test_the_last_submission_of_the_lane_is_told(admissions: MemoryAdmissions) -> None:
    assert (await admit(admissions, "a", at=1 * SECOND)).last_at is None
    assert (await admit(admissions, "b", at=3 * SECOND)).last_at == 1 * SECOND
    assert (await admit(admissions, "c", at=4 * SECOND, lane=("p_bob", "main", "coin"))).last_at is None


async def test_an_unknown_session_must_be_learned_first(admissions: MemoryAdmissions) -> None:
    assert (await admit(admissions, "a", session_id="s1")).session == "unknown"
    await admissions.learn(session())
    assert (await admit(admissions, "a", session_id="s1")).session == "live"


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        (session(revoked=True), "revoked"),
        (session(expires_at=5), "revoked"),
        (session(banned=True), "banned"),
    ],
)
async def test_a_session_that_ended_reserves_nothing(
    admissions: MemoryAdmissions, state: SessionState, answer: str
) -> None:
    await admissions.learn(state)
    assert (await admit(admissions, "a", at=10, session_id="s1")).session == answer
    assert (await admit(admissions, "a")).reserved == "new"


async def test_a_late_read_does_not_revive_a_revoked_session(admissions: MemoryAdmissions) -> None:
    await admissions.revoke(["s1"])
    await admissions.learn(session())
    assert (await admit(admissions, "a", session_id="s1")).session == "revoked"


async def test_a_spent_budget_reserves_nothing_and_fills_up_again(
    admissions: MemoryAdmissions, clock: ManualClock
) -> None:
    await admissions.learn(session())
    for action_id in "ab":
        assert (await admit(admissions, action_id, session_id="s1")).retry_after_s is None
    refused = await admit(admissions, "c", session_id="s1")
    assert refused.retry_after_s == pytest.approx(30, abs=1)
    clock.advance(31 * SECOND)
    admitted = await admit(admissions, "c", session_id="s1")
    assert (admitted.retry_after_s, admitted.reserved) == (None, "new")


async def test_a_repeat_is_answered_though_the_budget_is_spent(admissions: MemoryAdmissions) -> None:
    await admissions.learn(session())
    for action_id in "ab":
        await admit(admissions, action_id, session_id="s1")
    await admissions.settle([("a", OUTCOME)])
    assert (await admit(admissions, "a", session_id="s1")).outcome == OUTCOME


async def test_the_oldest_reservation_is_forgotten_at_the_bound(
    admissions: MemoryAdmissions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MAX_RESERVATIONS", 2)
    for action_id in "abc":
        await admit(admissions, action_id, lane=None)
    assert [(await admit(admissions, action_id, lane=None)).reserved for action_id in "cb"] == ["in flight"] * 2
    assert (await admit(admissions, "a", lane=None)).reserved == "new"
