"""What is promised of remembered sign-ins, wherever they are remembered."""

from collections.abc import Callable

import pytest

from scoreboard.attempts.base import KNOWN_FOR, Attempts, Patience, patience
from scoreboard.clock import HOUR, MINUTE, SECOND, ManualClock

TRIES = 3
OWNER, HOME = "ada", "192.0.2.1"

Make = Callable[[Patience], Attempts]


async def guess(attempts: Attempts, account: str = OWNER, address: str = HOME) -> float | None:
    """One wrong password; how long it would have had to wait."""
    return (await attempts.enter(account, address)).wait_s


async def guess_from_everywhere(attempts: Attempts, guesses: int, account: str = OWNER) -> list[float | None]:
    """Wrong passwords for one account, each from an address of its own."""
    return [await guess(attempts, account, f"198.51.100.{number}") for number in range(guesses)]


class AttemptsContract:
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def attempts(self, make: Make) -> Attempts:
        return make(patience(TRIES))

    async def test_some_wrong_passwords_are_free_and_then_each_waits_twice_as_long(
        self, attempts: Attempts, clock: ManualClock
    ) -> None:
        assert [await guess(attempts) for _ in range(TRIES)] == [None] * TRIES
        waits = []
        for _ in range(5):
            wait = await guess(attempts)
            assert wait is not None
            waits.append(round(wait))
            clock.advance(int(wait * SECOND) + 1)
            assert await guess(attempts) is None
        assert waits == [1, 2, 4, 8, 16]

    async def test_the_wait_has_a_bound(self, attempts: Attempts, clock: ManualClock) -> None:
        longest = 0.0
        for _ in range(30):
            wait = await guess(attempts) or 0.0
            longest = max(longest, wait)
            clock.advance(int(wait * SECOND) + 1)
        assert longest == pytest.approx(300, abs=1)

    async def test_asking_while_one_has_to_wait_makes_it_no_longer(
        self, attempts: Attempts, clock: ManualClock
    ) -> None:
        for _ in range(TRIES + 50):
            await guess(attempts)
        clock.advance(SECOND)
        assert await guess(attempts) is None

    async def test_an_hour_without_a_wrong_password_forgets_all(self, attempts: Attempts, clock: ManualClock) -> None:
        for _ in range(TRIES + 1):
            await guess(attempts)
        clock.advance(HOUR)
        assert [await guess(attempts) for _ in range(TRIES)] == [None] * TRIES

    async def test_a_right_password_makes_the_wrong_ones_before_it_forgotten(self, attempts: Attempts) -> None:
        for _ in range(TRIES):  # all in all fewer than the address may
            for _ in range(TRIES - 1):
                assert await guess(attempts) is None
            await attempts.succeeded(await attempts.enter(OWNER, HOME))

    async def test_an_account_guessed_at_from_everywhere_makes_strangers_wait_but_not_for_long(
        self, attempts: Attempts, clock: ManualClock
    ) -> None:
        assert await guess_from_everywhere(attempts, 4 * TRIES) == [None] * (4 * TRIES)
        for number in range(50):
            wait = await guess(attempts, address=f"203.0.113.{number}")
            assert wait is not None
            assert wait <= 30
            clock.advance(int(wait * SECOND) + 1)
            await guess(attempts, address=f"203.0.113.{number}")

    async def test_the_owner_is_not_locked_out_where_the_password_was_right_before(self, attempts: Attempts) -> None:
        await attempts.succeeded(await attempts.enter(OWNER, HOME))
        await guess_from_everywhere(attempts, 200)
        owner = await attempts.enter(OWNER, HOME)
        assert (owner.wait_s, owner.known) == (None, True)
        stranger = await attempts.enter(OWNER, "203.0.113.9")
        assert stranger.wait_s is not None
        assert not stranger.known

    async def test_an_address_is_known_for_thirty_days(self, attempts: Attempts, clock: ManualClock) -> None:
        await attempts.succeeded(await attempts.enter(OWNER, HOME))
        clock.advance(KNOWN_FOR - MINUTE)
        assert (await attempts.enter(OWNER, HOME)).known

    async def test_a_known_address_may_not_guess_for_ever_either(self, attempts: Attempts) -> None:
        await attempts.succeeded(await attempts.enter(OWNER, HOME))
        assert [await guess(attempts) is None for _ in range(TRIES + 1)] == [True] * TRIES + [False]

    async def test_an_address_that_tries_one_account_after_the_other_waits_too(self, attempts: Attempts) -> None:
        waits = [await guess(attempts, f"player{number}") for number in range(4 * TRIES + 1)]
        assert waits[:-1] == [None] * (4 * TRIES)
        assert waits[-1] is not None
        assert await guess(attempts, "player99", "203.0.113.1") is None

    async def test_who_is_refused_for_the_account_does_not_pay_for_the_address(
        self, attempts: Attempts, clock: ManualClock
    ) -> None:
        await guess_from_everywhere(attempts, 4 * TRIES)
        for _ in range(8 * TRIES):
            assert await guess(attempts) is not None
        assert await guess(attempts, "bob") is None

    async def test_a_password_that_was_not_looked_at_does_not_count(self, attempts: Attempts) -> None:
        for _ in range(10 * TRIES):
            attempt = await attempts.enter(OWNER, HOME)
            assert attempt.wait_s is None
            await attempts.withdraw(attempt)

    async def test_tries_of_zero_mean_no_limit(self, make: Make) -> None:
        attempts = make(patience(0))
        assert {await guess(attempts) for _ in range(100)} == {None}

    async def test_a_name_may_hold_anything(self, attempts: Attempts) -> None:
        for name in ("", "}{", "a:b/c", "\u00e9\U0001f600"):
            assert [await guess(attempts, name, f"2001:db8::{name!r}") is None for _ in range(TRIES + 1)] == [
                True
            ] * TRIES + [False]
