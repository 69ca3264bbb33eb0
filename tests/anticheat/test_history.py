"""A player's recent submissions as bytes."""

from hypothesis import given
from hypothesis import strategies as some

from scoreboard.anticheat.history import LENGTH, added, entered, last_at, read, removed

INSTANTS = some.lists(some.integers(0, 2**52), unique=True, max_size=60)


def pack(instants: list[int]) -> bytes:
    packed = b""
    for at in instants:
        packed = added(packed, at, -at)
    return packed


@given(INSTANTS)
def test_the_newest_are_kept_in_order_of_time_however_they_come(instants: list[int]) -> None:
    times, scores = read(pack(instants))
    assert list(times) == sorted(times)
    assert set(times) <= set(instants)
    assert len(times) == min(LENGTH, len(instants))
    assert scores == tuple(-at for at in times)
    assert last_at(pack(instants)) == (max(instants) if instants else None)


@given(INSTANTS.filter(bool))
def test_what_was_added_twice_is_there_once_and_what_is_removed_is_gone(instants: list[int]) -> None:
    packed = pack(sorted(instants)[:LENGTH])
    newest = max(read(packed)[0])
    assert added(packed, newest, -newest) == packed
    assert newest not in read(removed(packed, newest))[0]
    assert removed(packed, newest + 1) == packed
    assert entered(packed, newest + 1, 7) == (packed, added(packed, newest + 1, 7))
    assert entered(packed, newest, 7)[0] == removed(packed, newest)
