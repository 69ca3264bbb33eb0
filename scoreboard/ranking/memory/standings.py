"""One board period in this process.

The visible standings are order keys in a sorted list, which answers "how many are below" in logarithmic time: that is
a position, and with the part of the key that standings of a shared rank have in common, a rank. All the rest of a row
is decoded from its key.
"""

from collections.abc import Iterable, Sequence

from sortedcontainers import SortedList

from scoreboard.clock import rfc3339
from scoreboard.model import BoardPeriod, BoardSettings, Page, Placing, Row
from scoreboard.order import order_keys
from scoreboard.ranking.base import Changed, Neighbours
from scoreboard.ranking.memory.groups import Groups
from scoreboard.ranking.memory.names import Names


class Standings:
    """The standings of one board period under one epoch; `version` starts at 0, which nobody was shown."""

    def __init__(self, period: BoardPeriod, epoch: int, settings: BoardSettings, names: Names) -> None:
        self.period = period
        self.epoch = epoch
        self.version = 0
        self._names = names
        self._codec = order_keys(settings)
        self._rule = settings.rank
        self._revisions: dict[str, int] = {}
        self._visible: dict[str, bytes] = {}
        self._keys: SortedList[bytes] = SortedList()
        self._groups = Groups() if settings.rank == "dense" else None
        self._score_sum = 0

    def __len__(self) -> int:
        """Players known, visible or not."""
        return len(self._revisions)

    def __contains__(self, player_id: str) -> bool:
        return player_id in self._revisions

    def shows(self, player_id: str) -> bool:
        """Whether the player can be seen here."""
        return player_id in self._visible

    # Writing

    def take(self, player_id: str, revision: int, key: bytes | None) -> bool:
        """Take in a standing, None to hide it, unless a newer one is known; tells whether a viewer sees a change."""
        known = self._revisions.get(player_id)
        if known is not None and revision < known:
            return False
        self._revisions[player_id] = revision
        before = self._visible.get(player_id)
        if before == key:
            return False
        if before is not None:
            self._remove(player_id, before)
        if key is not None:
            self._add(player_id, key)
        return True

    def raise_version(self) -> Changed:
        """Count one more change that a viewer can see."""
        self.version += 1
        return Changed(self.period, self.epoch, self.version)

    def _add(self, player_id: str, key: bytes) -> None:
        self._visible[player_id] = key
        self._keys.add(key)
        self._score_sum += self._codec.score(key)
        if self._groups is not None:
            self._groups.add(self._codec.group(key))

    def _remove(self, player_id: str, key: bytes) -> None:
        del self._visible[player_id]
        self._keys.remove(key)
        self._score_sum -= self._codec.score(key)
        if self._groups is not None:
            self._groups.remove(self._codec.group(key))

    # Reading

    def placing(self, player_id: str) -> Placing:
        """Where a player stands."""
        key = self._visible.get(player_id)
        if key is None:
            return Placing(self.epoch, self.version)
        position = self._keys.bisect_left(key) + 1
        rank = self._rank(self._codec.group(key), position)
        return Placing(self.epoch, self.version, position, rank, self._codec.score(key))

    def placing_of_score(self, score: int, tiebreakers: Sequence[int]) -> Placing:
        """Where a standing with this score would stand, ahead of its equals."""
        probe = self._codec.probe(score, tiebreakers)
        position = self._keys.bisect_left(probe) + 1
        return Placing(self.epoch, self.version, position, self._rank(probe, position), score)

    def top(self, limit: int) -> Page:
        """The first rows."""
        return self._slice(0, limit)

    def page(self, start: Neighbours, limit: int) -> Page:
        """Rows after an order key, which need not be there, or just before it; without one, from that end."""
        if not start.backwards:
            return self._slice(0 if start.key is None else self._keys.bisect_right(start.key), limit)
        end = len(self._keys) if start.key is None else self._keys.bisect_left(start.key)
        first = max(0, end - limit)
        return self._slice(first, end - first)

    def around(self, player_id: str, k: int) -> Page:
        """The player's row among its neighbours."""
        key = self._visible.get(player_id)
        if key is None:
            return self._page((), ())
        count = min(2 * k + 1, len(self._keys))
        first = self._keys.bisect_left(key) - k
        return self._slice(max(0, min(first, len(self._keys) - count)), count)

    def rows_of(self, player_ids: Iterable[str]) -> Page:
        """The rows of these players, best first."""
        keys = sorted(self._visible[player_id] for player_id in set(player_ids) if player_id in self._visible)
        return self._page([row for key in keys for row in self._rows(self._keys.bisect_left(key), (key,))], keys)

    def digest(self) -> tuple[int, int]:
        """Number of visible standings and the sum of their scores."""
        return len(self._keys), self._score_sum

    def _slice(self, first: int, count: int) -> Page:
        keys = self._keys[first : first + count]
        return self._page(self._rows(first, keys), keys)

    def _page(self, rows: Sequence[Row], keys: Sequence[bytes]) -> Page:
        return Page(self.period, self.epoch, self.version, len(self._keys), tuple(rows), tuple(keys))

    def _rows(self, first: int, keys: Sequence[bytes]) -> list[Row]:
        """Rows of adjacent keys, the first of which has `first` keys before it."""
        if not keys:
            return []
        # What every page of every reader is made by: no call or look-up that one row can do without.
        parts, names = self._codec.parts(keys), self._names.shown
        unique, dense = self._rule == "unique", self._rule == "dense"
        rank = self._rank(self._codec.group(keys[0]), first + 1)
        shared_score, shared_ties, *_ = parts[0]
        rows = []
        for position, (score, ties, achieved_at, player_id) in enumerate(parts, first + 1):
            if unique:
                rank = position
            elif score != shared_score or ties != shared_ties:
                rank = rank + 1 if dense else position
                shared_score, shared_ties = score, ties
            rows.append(Row(position, rank, player_id, names[player_id], score, rfc3339(achieved_at), ties))
        return rows

    def _rank(self, group: bytes, position: int) -> int:
        if self._rule == "unique":
            return position
        if self._groups is not None:
            return self._groups.before(group) + 1
        return self._keys.bisect_left(group) + 1
