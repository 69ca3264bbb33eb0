"""A player's recent submissions of one action on one board, as bytes that one process or Redis can keep.

Each entry is an instant in microseconds and a score, 8 bytes each, little-endian, the oldest entry first. At most
`LENGTH` are kept, in order of their instants.
"""

import struct
from bisect import bisect_left

LENGTH = 40
ENTRY = 16
MAX_BYTES = LENGTH * ENTRY

_entry = struct.Struct("<qq")
_readers = [struct.Struct(f"<{2 * count}q") for count in range(LENGTH + 1)]


def entry(at: int, score: int) -> bytes:
    """One entry."""
    return _entry.pack(at, score)


def before(history: bytes, at: int) -> bytes:
    """What was there before an instant."""
    if _is_newer(at, history):
        return history
    return history[: bisect_left(read(history)[0], at) * ENTRY]


def added(history: bytes, at: int, score: int) -> bytes:
    """The history with an entry at its place in time; it replaces one of the same instant."""
    if _is_newer(at, history):
        return history[-(MAX_BYTES - ENTRY) :] + entry(at, score)
    without = removed(history, at)
    earlier = before(without, at)
    return (earlier + entry(at, score) + without[len(earlier) :])[-MAX_BYTES:]


def removed(history: bytes, at: int) -> bytes:
    """The history without the entry of an instant."""
    times, _ = read(history)
    index = bisect_left(times, at)
    if index == len(times) or times[index] != at:
        return history
    return history[: index * ENTRY] + history[(index + 1) * ENTRY :]


def read(history: bytes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The instants and the scores, oldest first."""
    numbers = _readers[len(history) // ENTRY].unpack(history)
    return numbers[::2], numbers[1::2]


def last_at(history: bytes) -> int | None:
    """The instant of the newest entry, None where there is none."""
    return int.from_bytes(history[-ENTRY:-8], "little") if history else None


def _is_newer(at: int, history: bytes) -> bool:
    """Whether an instant is after all entries, as it nearly always is."""
    newest = last_at(history)
    return newest is None or newest < at
