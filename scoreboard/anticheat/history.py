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
_instants = [struct.Struct("<" + count * "q8x") for count in range(LENGTH + 1)]
_scores = [struct.Struct("<" + count * "8xq") for count in range(LENGTH + 1)]


def entry(at: int, score: int) -> bytes:
    """One entry."""
    return _entry.pack(at, score)


def entered(history: bytes, at: int, score: int) -> tuple[bytes, bytes]:
    """What was there before an instant, and the history with an entry there; it replaces one of the same instant."""
    newest = last_at(history)
    if newest is None or newest < at:  # as it nearly always is
        return history, history[-(MAX_BYTES - ENTRY) :] + _entry.pack(at, score)
    without = removed(history, at)
    earlier = without[: bisect_left(instants(without), at) * ENTRY]
    return earlier, (earlier + entry(at, score) + without[len(earlier) :])[-MAX_BYTES:]


def added(history: bytes, at: int, score: int) -> bytes:
    """The history with an entry at its place in time."""
    return entered(history, at, score)[1]


def removed(history: bytes, at: int) -> bytes:
    """The history without the entry of an instant."""
    times = instants(history)
    index = bisect_left(times, at)
    if index == len(times) or times[index] != at:
        return history
    return history[: index * ENTRY] + history[(index + 1) * ENTRY :]


def read(history: bytes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The instants and the scores, oldest first."""
    return instants(history), scores(history)


def instants(history: bytes, most: int = LENGTH) -> tuple[int, ...]:
    """The newest instants, the oldest of them first."""
    count = min(most, len(history) // ENTRY)
    return _instants[count].unpack_from(history, len(history) - count * ENTRY)


def scores(history: bytes) -> tuple[int, ...]:
    """The scores, oldest first."""
    return _scores[len(history) // ENTRY].unpack(history)


def last_at(history: bytes, back: int = 1) -> int | None:
    """The instant of the newest entry, or of one further back; None where there is none."""
    start = len(history) - back * ENTRY
    return int.from_bytes(history[start : start + 8], "little") if start >= 0 else None
