"""Wrong passwords remembered, so that each further guess has to wait longer, and the owner of an account has not.

Three counts: by account and address together, by account alone, by address alone. An account guessed at from many
addresses makes strangers to it wait, but not addresses where its password was right before: whoever guesses must not
lock the owner out. (The idea is that of the device cookies in OWASP's "Slow Down Online Guessing Attacks".)
"""

from typing import Protocol

from msgspec import Struct

from scoreboard.clock import DAY, HOUR, MINUTE, SECOND

KNOWN_FOR = 30 * DAY
"""How long an address stays known to an account after a right password."""


class Backoff(Struct, frozen=True):
    """After `free` failures each further try waits, twice as long each time, from `first` to `longest` microseconds.

    All is forgotten when nothing failed for `forgotten` microseconds. `free` of 0 means that nothing ever waits.
    """

    free: int
    first: int
    longest: int
    forgotten: int = HOUR

    def wait(self, failures: int, last_at: int, now: int) -> int:
        """Microseconds from `now` until the next try may be made, after so many failures, the last one at `last_at`."""
        if not self.free or failures < self.free or now - last_at >= self.forgotten:
            return 0
        pause = min(self.longest, self.first << min(failures - self.free, 40))
        return max(0, last_at + pause - now)


class Patience(Struct, frozen=True):
    """How the three counts grow."""

    pair: Backoff
    account: Backoff
    address: Backoff


def patience(tries: int) -> Patience:
    """So many wrong passwords are free for one account from one address, and four times as many for each alone."""
    return Patience(
        pair=Backoff(tries, SECOND, 5 * MINUTE),
        account=Backoff(4 * tries, SECOND, 30 * SECOND),
        address=Backoff(4 * tries, SECOND, 5 * MINUTE),
    )


class Attempt(Struct, frozen=True):
    """A password that somebody wants to try for an account, from an address.

    `wait_s` is None where it may be tried, or the seconds until it may. `known` tells that a password of this account
    was right at this address before.
    """

    account: str
    address: str
    wait_s: float | None = None
    known: bool = False


class Attempts(Protocol):
    """What is remembered of sign-ins. `account` is a name as it looks, `address` what an address is counted as."""

    async def enter(self, account: str, address: str) -> Attempt:
        """Ask to try a password; where it may be tried it counts as wrong until the contrary is told."""

    async def succeeded(self, attempt: Attempt) -> None:
        """The password was right: it does not count, and the address is known to the account from now on."""

    async def withdraw(self, attempt: Attempt) -> None:
        """The password was not looked at after all: it does not count."""
