"""Time as an argument: microseconds since the Unix epoch, and the ids made from them."""

import random
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

STEP_NS = 1_000_000
"""By how much the time of day must run ahead to be followed; less is the noise of reading two clocks."""

_random = random.Random()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> int:
        """The instant, in microseconds since the Unix epoch; strictly increasing within a process."""


class SystemClock:
    """The machine's clock, never the same instant twice and never backwards.

    Time passes at the pace of the monotonic clock: where the machine is set forward it is followed, where it is set
    back time goes on, ahead of the machine's until that has caught up.
    """

    def __init__(self) -> None:
        self._last = 0
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        """The instant in microseconds, at least one after the previous answer."""
        steady_ns = time.monotonic_ns()
        offset_ns = time.time_ns() - steady_ns
        if offset_ns > self._offset_ns + STEP_NS:
            self._offset_ns = offset_ns
        now = (steady_ns + self._offset_ns) // 1_000
        self._last = now = now if now > self._last else self._last + 1
        return now


class ManualClock:
    """A clock that a test moves by hand; each reading still differs from the last."""

    def __init__(self, start: int = 1_800_000_000 * SECOND) -> None:
        self._now = start

    def now(self) -> int:
        """The instant in microseconds; each call advances it by one."""
        self._now += 1
        return self._now

    def advance(self, microseconds: int) -> None:
        """Move the clock forward."""
        self._now += microseconds


def uuid7(at: int) -> str:
    """A UUID version 7 for an instant in microseconds; ids sort as their instants do, those before 1970 as if in it.

    The twelve bits after the millisecond hold its fraction (RFC 9562, section 6.2, method 3). It need not be hard to
    guess, so the rest is of the quick kind of random.
    """
    milliseconds, fraction = divmod(max(0, at), MILLISECOND)
    high = (milliseconds << 16) | 0x7000 | (fraction * 4096 // MILLISECOND)
    text = (high << 64 | 0b10 << 62 | _random.getrandbits(62)).to_bytes(16).hex("-", 2)
    return text[:4] + text[5:29] + text[30:34] + text[35:]  # without the dashes that a UUID does not have


def rfc3339(at: int) -> str:
    """An instant in microseconds as RFC 3339 in UTC with six digits of a second."""
    # Each row of each page has such a time: days are remembered, and digits split rather than formatted.
    minute, rest = divmod(at, MINUTE)
    digits = str(rest + 100 * SECOND)  # a 1, and eight digits
    return f"{_day(minute // 1440)}T{_MINUTES[minute % 1440]}:{digits[1:3]}.{digits[3:]}Z"


_MINUTES = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60)]


@lru_cache(maxsize=4096)
def _day(days: int) -> str:
    """A day, counted from the epoch, as YYYY-MM-DD."""
    return (_EPOCH + timedelta(days=days)).date().isoformat()


def to_datetime(at: int) -> datetime:
    """An instant in microseconds as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=at)


def from_rfc3339(text: str) -> int:
    """An instant written with its zone. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return from_datetime(moment)


def from_datetime(moment: datetime) -> int:
    """An aware datetime as microseconds since the Unix epoch, without rounding."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
