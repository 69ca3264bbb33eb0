import pytest

from scoreboard.attempts import memory
from scoreboard.attempts.base import KNOWN_FOR, patience
from scoreboard.attempts.memory import MemoryAttempts
from scoreboard.clock import ManualClock
from tests.attempts.contract import HOME, OWNER, TRIES, AttemptsContract, Make, guess


class TestMemoryAttempts(AttemptsContract):
    @pytest.fixture
    def make(self, clock: ManualClock) -> Make:
        return lambda patience: MemoryAttempts(clock, patience)


async def test_what_is_remembered_is_bounded_whatever_names_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_COUNTS", 10)
    attempts = MemoryAttempts(ManualClock(), patience(TRIES))
    for number in range(100):
        await guess(attempts, f"player{number}", f"198.51.100.{number}")
    assert len(attempts) == 10


async def test_an_address_not_seen_for_long_is_a_stranger_again() -> None:
    clock = ManualClock()
    attempts = MemoryAttempts(clock, patience(TRIES))
    await attempts.succeeded(await attempts.enter(OWNER, HOME))
    clock.advance(KNOWN_FOR)
    assert not (await attempts.enter(OWNER, HOME)).known
