import uuid
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.clock import (
    MILLISECOND,
    SECOND,
    ManualClock,
    SystemClock,
    from_datetime,
    rfc3339,
    to_datetime,
    uuid7,
)

instants = st.integers(0, 4_000_000_000 * SECOND)


def test_the_system_clock_never_tells_an_instant_twice() -> None:
    clock = SystemClock()
    readings = [clock.now() for _ in range(10_000)]
    assert all(earlier < later for earlier, later in pairwise(readings))


class Machine:
    """A machine's two clocks, set by hand, in nanoseconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steady = 5 * SECOND * 1_000
        self.wall = 1_800_000_000 * SECOND * 1_000
        monkeypatch.setattr("time.monotonic_ns", lambda: self.steady)
        monkeypatch.setattr("time.time_ns", lambda: self.wall)

    def run(self, microseconds: int) -> None:
        self.steady += microseconds * 1_000
        self.wall += microseconds * 1_000


def test_the_system_clock_goes_on_at_its_pace_when_the_machine_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    clock = SystemClock()
    before = clock.now()
    machine.wall -= 60 * SECOND * 1_000
    for _ in range(3):
        machine.run(SECOND)
        clock.now()
    machine.run(SECOND)
    assert clock.now() == before + 4 * SECOND


def test_the_system_clock_follows_a_machine_that_is_set_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    clock = SystemClock()
    machine.wall += 60 * SECOND * 1_000
    machine.run(SECOND)
    assert clock.now() == machine.wall // 1_000


def test_the_system_clock_tells_the_time_of_day() -> None:
    earlier = datetime.now(UTC)
    told = to_datetime(SystemClock().now())
    # Two clocks are read, one after the other.
    noise = timedelta(milliseconds=1)
    assert earlier - noise <= told <= datetime.now(UTC) + noise


def test_a_manual_clock_moves_by_hand() -> None:
    clock = ManualClock(100)
    first = clock.now()
    clock.advance(5 * SECOND)
    assert clock.now() == first + 5 * SECOND + 1


@given(instants, instants)
def test_ids_sort_as_their_instants(one: int, other: int) -> None:
    earlier, later = sorted((one, other))
    # The twelve bits of the fraction tell every microsecond of a millisecond from the next.
    assert later == earlier or uuid7(earlier) < uuid7(later)


@given(instants)
def test_an_id_is_a_uuid_of_version_7_that_tells_its_millisecond(at: int) -> None:
    text = uuid7(at)
    parsed = uuid.UUID(text)
    assert str(parsed) == text
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert parsed.int >> 80 == at // MILLISECOND


def test_ids_of_one_instant_differ() -> None:
    assert len({uuid7(1_800_000_000 * SECOND) for _ in range(1_000)}) == 1_000


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))
def test_a_time_written_is_the_time_read(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    written = rfc3339(from_datetime(aware))
    assert len(written) == len("1970-01-01T00:00:00.000000Z")
    assert datetime.fromisoformat(written) == aware


def test_times_are_written_in_utc_with_six_digits() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000000Z"
    assert rfc3339(1_700_000_000_000_001) == "2023-11-14T22:13:20.000001Z"


@given(st.datetimes(datetime(1700, 1, 1), datetime(9000, 1, 1)), st.integers(-14, 14))
def test_datetimes_convert_without_rounding(moment: datetime, hours: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert to_datetime(from_datetime(aware)) == aware
