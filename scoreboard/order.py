"""The order key: one byte string per standing whose byte order is the board's order, everywhere.

Eight bytes big-endian of ``n + 2**63`` for each integer (negated where the order is descending): the score, the
declared tie columns, then ``achieved_at`` ascending; after them the bytes of the player id. Compared as bytes this is
the order in the database (`bytea` index), in process (sorted list) and in Redis (member of the sorted set).
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from scoreboard.model import BoardSettings, Order, TieColumn

_OFFSET = 2**63
_SIGNS = {"desc": -1, "asc": 1}


class Decoded(NamedTuple):
    """The parts of an order key; `achieved_at` in microseconds."""

    score: int
    tiebreakers: tuple[int, ...]
    achieved_at: int
    player_id: str


class OrderKeys:
    """Encodes and decodes the order keys of one board: `signs` is -1 per descending column, the score first."""

    def __init__(self, signs: tuple[int, ...]) -> None:
        self._signs = signs
        numbers = struct.Struct(f">{len(signs) + 1}Q")
        self._pack = numbers.pack
        self._unpack = numbers.unpack_from
        self._size = numbers.size
        self._sign, *self._ties = signs
        self._group = 8 * len(signs)

    @property
    def signs(self) -> tuple[int, ...]:
        """-1 for each descending column and 1 for each ascending one, the score first."""
        return self._signs

    def encode(self, score: int, tiebreakers: Sequence[int], achieved_at: int, player_id: str) -> bytes:
        """The order key of a standing; tie columns not given count as 0, surplus ones are an error.

        Raises struct.error for a number beyond 63 bits.
        """
        if not self._ties and not tiebreakers:  # most boards; each score is encoded once and each row decoded
            return self._pack(self._sign * score + _OFFSET, achieved_at + _OFFSET) + player_id.encode()
        values = [score, *tiebreakers]
        values += [0] * (len(self._signs) - len(values))
        encoded = [sign * value + _OFFSET for sign, value in zip(self._signs, values, strict=True)]
        return self._pack(*encoded, achieved_at + _OFFSET) + player_id.encode()

    def decode(self, key: bytes) -> Decoded:
        """The parts of a key made by `encode`."""
        return Decoded(*self.parts((key,))[0])

    def parts(self, keys: Sequence[bytes]) -> list[tuple[int, tuple[int, ...], int, str]]:
        """As `decode` of each, without names for the parts: every row of every page comes by here."""
        unpack, sign, size = self._unpack, self._sign, self._size
        if not self._ties:
            return [
                (sign * (first - _OFFSET), (), achieved - _OFFSET, key[size:].decode())
                for key in keys
                for first, achieved in (unpack(key),)
            ]
        return [
            (sign * (first - _OFFSET), self._columns(columns), achieved - _OFFSET, key[size:].decode())
            for key in keys
            for first, *columns, achieved in (unpack(key),)
        ]

    def _columns(self, columns: Sequence[int]) -> tuple[int, ...]:
        return tuple([sign * (n - _OFFSET) for sign, n in zip(self._ties, columns, strict=True)])

    def score(self, key: bytes) -> int:
        """The score alone, in a fraction of the time that `decode` takes."""
        return self._sign * (int.from_bytes(key[:8]) - _OFFSET)

    def group(self, key: bytes) -> bytes:
        """The part that standings of a shared rank have in common: score and tie columns."""
        return key[: self._group]

    def probe(self, score: int, tiebreakers: Sequence[int] = ()) -> bytes:
        """The lowest possible key with that score and tie columns: its place is the rank the score would take."""
        return self.group(self.encode(score, tiebreakers, 0, ""))


@lru_cache(maxsize=1024)
def _keys(signs: tuple[int, ...]) -> OrderKeys:
    return OrderKeys(signs)


@lru_cache(maxsize=1024)
def _keys_of(order: Order, tiebreakers: tuple[TieColumn, ...]) -> OrderKeys:
    return _keys((_SIGNS[order], *[_SIGNS[column.order] for column in tiebreakers]))


def order_keys(settings: BoardSettings) -> OrderKeys:
    """The encoder for a board's order and tie columns."""
    return _keys_of(settings.order, settings.tiebreakers)
