"""Sign-ins as one process remembers them."""

from collections import OrderedDict
from collections.abc import Sequence

from scoreboard.attempts.base import KNOWN_FOR, Attempt, Backoff, Patience
from scoreboard.clock import SECOND, Clock

MAX_COUNTS = 100_000
MAX_KNOWN = 100_000
"""Beyond each of these the entry that was left alone for longest is forgotten."""

_Place = tuple[str | None, str | None]
"""What a count is of: an account, an address, or both."""


class MemoryAttempts:
    """`Attempts` in this process."""

    def __init__(self, clock: Clock, patience: Patience) -> None:
        self._clock = clock
        self._patience = patience
        self._counts: OrderedDict[_Place, tuple[int, int]] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], int] = OrderedDict()

    def __len__(self) -> int:
        """How many counts are remembered."""
        return len(self._counts)

    async def enter(self, account: str, address: str) -> Attempt:
        """Ask to try a password; where it may be tried it counts as wrong until the contrary is told."""
        now = self._clock.now()
        known = now - self._known.get((account, address), now - KNOWN_FOR) < KNOWN_FOR
        attempt = Attempt(account, address, known=known)
        counted = self._counted(attempt)
        wait = max(backoff.wait(*self._counts.get(place, (0, 0)), now) for place, backoff in counted)
        if wait:
            return Attempt(account, address, wait / SECOND, known)
        for place, backoff in counted:
            self._fail(place, backoff, now)
        return attempt

    async def succeeded(self, attempt: Attempt) -> None:
        """The password was right: it does not count, and the address is known to the account from now on."""
        await self.withdraw(attempt)
        pair = (attempt.account, attempt.address)
        self._counts.pop(pair, None)
        self._known[pair] = self._clock.now()
        self._known.move_to_end(pair)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    async def withdraw(self, attempt: Attempt) -> None:
        """The password was not looked at after all: it does not count."""
        for place, _ in self._counted(attempt):
            failures, last_at = self._counts.get(place, (0, 0))
            if failures > 1:
                self._counts[place] = (failures - 1, last_at)
            else:
                self._counts.pop(place, None)

    def _counted(self, attempt: Attempt) -> Sequence[tuple[_Place, Backoff]]:
        """What a try counts for: all but the account's own count where the address is known to it."""
        account, address, patience = attempt.account, attempt.address, self._patience
        counted: list[tuple[_Place, Backoff]] = [
            ((account, address), patience.pair),
            ((None, address), patience.address),
        ]
        return counted if attempt.known else [*counted, ((account, None), patience.account)]

    def _fail(self, place: _Place, backoff: Backoff, now: int) -> None:
        if not backoff.free:
            return
        failures, last_at = self._counts.get(place, (0, now))
        self._counts[place] = (failures + 1 if now - last_at < backoff.forgotten else 1, now)
        self._counts.move_to_end(place)
        if len(self._counts) > MAX_COUNTS:
            self._counts.popitem(last=False)
