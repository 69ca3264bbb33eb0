"""Admission in one process."""

from collections.abc import Sequence

import pytest

from scoreboard.admission import memory
from scoreboard.admission.base import Admissions
from scoreboard.admission.memory import MemoryAdmissions
from scoreboard.clock import SECOND, ManualClock
from tests.admission.contract import AdmissionContract, Make, admit, session


class TestMemoryAdmissions(AdmissionContract):
    @pytest.fixture
    def make(self, clock: ManualClock) -> Make:
        return lambda budget: MemoryAdmissions(clock, budget)


async def test_the_oldest_reservation_is_forgotten_at_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admissions: Admissions = MemoryAdmissions(ManualClock(), 0)
    await admissions.learn(session())
    monkeypatch.setattr(memory, "MAX_RESERVATIONS", 2)
    for action_id in "abc":
        await admit(admissions, action_id)
    assert [(await admit(admissions, action_id)).reserved for action_id in "cb"] == ["in flight"] * 2
    assert (await admit(admissions, "a")).reserved == "new"


async def test_the_end_of_a_session_is_told_even_if_it_was_not_known() -> None:
    told: list[tuple[str, Sequence[str]]] = []
    await MemoryAdmissions(ManualClock(), 0, lambda *end: told.append(end)).revoke("p_ada", ["s1", "s2"])
    assert told == [("p_ada", ["s1", "s2"])]


async def test_a_session_is_believed_for_as_long_as_was_said() -> None:
    clock = ManualClock()
    admissions = MemoryAdmissions(clock, 0, session_ttl_s=2)
    await admissions.learn(session())
    clock.advance(2 * SECOND - 10)
    assert await admissions.session("p_ada", "s1") == session()
    clock.advance(20)
    assert await admissions.session("p_ada", "s1") is None
