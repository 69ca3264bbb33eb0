"""Order keys as a sorted set holds them: the score by itself, by which the set is in order, and the rest as member.

The set's score is the board's, negated where high ones come first. Sets are read from the low end.
"""

from collections.abc import Sequence
from functools import lru_cache

import msgpack

from scoreboard.clock import rfc3339
from scoreboard.model import BoardSettings, Projection, Row
from scoreboard.order import OrderKeys, order_keys

Keyed = tuple[bytes, Row]
"""A row with its order key before it."""

SCORE_BYTES = 8
_OFFSET = 2**63


class Members:
    """Turns the keys of one kind of board into scores and members, and back into rows."""

    def __init__(self, keys: OrderKeys) -> None:
        self._keys = keys
        self._sign = self._keys.signs[0]
        self.ties = SCORE_BYTES * (len(self._keys.signs) - 1)
        """Bytes at the beginning of a member that hold the tie columns."""

    def split(self, key: bytes) -> tuple[str, bytes]:
        """The score as text, and the member."""
        return str(int.from_bytes(key[:SCORE_BYTES]) - _OFFSET), key[SCORE_BYTES:]

    def probe(self, score: int, tiebreakers: Sequence[int]) -> tuple[str, bytes]:
        """The same of the lowest key with that score and tie columns."""
        return self.split(self._keys.probe(score, tiebreakers))

    def score(self, text: bytes) -> int:
        """The board's score."""
        return self._sign * int(text)

    def key(self, text: bytes, member: bytes) -> bytes:
        """The whole order key."""
        return (int(text) + _OFFSET).to_bytes(SCORE_BYTES) + member

    def row(self, position: int, rank: int, text: bytes, member: bytes, name: bytes | None) -> Keyed:
        """A row of the board and its key; `name` is what the script found, which begins with the name's revision."""
        key = self.key(text, member)
        score, tiebreakers, achieved_at, player_id = self._keys.decode(key)
        at = rfc3339(achieved_at)
        return key, Row(position, rank, player_id, _name(name) or player_id, score, at, tiebreakers)

    def rows(
        self, rule: str, first: int, rank: int, found: Sequence[bytes], names: Sequence[bytes | None]
    ) -> list[Keyed]:
        """Rows of adjacent members: the first one's position and rank, members and scores in turn, and names."""
        rows: list[Keyed] = []
        shared = None
        for position, name in enumerate(names, first):
            index = 2 * (position - first)
            member, text = found[index], found[index + 1]
            group = (text, member[: self.ties])
            if shared is not None and rule == "unique":
                rank = position
            elif shared is not None and group != shared:
                rank = rank + 1 if rule == "dense" else position
            shared = group
            rows.append(self.row(position, rank, text, member, name))
        return rows

    def packed(self, batch: Sequence[Projection]) -> bytes:
        """Standings as the scripts take them."""
        # What Lua reads knows one kind of string, so bytes go as text.
        packed: bytes = msgpack.packb([self._packed(each) for each in batch], use_bin_type=False)
        return packed

    def _packed(self, each: Projection) -> tuple[str, int, str, bytes, str, int]:
        score, member = ("", b"") if each.key is None else self.split(each.key)
        return each.player_id, each.revision, score, member, each.name, each.name_revision


def members_of(settings: BoardSettings) -> Members:
    """Those of a board."""
    return _members(order_keys(settings))


@lru_cache(maxsize=1024)
def _members(keys: OrderKeys) -> Members:
    return Members(keys)


def _name(found: bytes | None) -> str:
    return "" if found is None else found.partition(b" ")[2].decode()
