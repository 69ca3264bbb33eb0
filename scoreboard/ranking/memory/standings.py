"""One board period in this process.

The visible standings are a sorted list, which answers "how many are below" in logarithmic time: that is a position,
and with the part of the order key that standings of a shared rank have in common, a rank. An entry of the list is all
that there is to know of its row: the order key, which the rest is decoded from, and after a NUL the name. To look each
name of a page up elsewhere in memory would take longer than all the rest. No player id holds a NUL, so entries are in
the order of their keys, and a key comes just before its entry.
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
        self._entries: SortedList[bytes] = SortedList()
        self._groups = Groups() if settings.rank == "dense" else None
        self._score_sum = 0

    def __len__(self) -> int:
        """Players known, visible or not."""
        return len(self._revisions)

    def __contains__(self, player_id: str) -> bool:
        return player_id in self._revisions

    # Writing

    def take(self, player_id: str, revision: int, key: bytes | None) -> bool:
        """Take in a standing, None to hide it, unless a newer one is known; tells whether a viewer sees a change.

        The player's name must be known.
        """
        known = self._revisions.get(player_id)
        if known is not None and revision < known:
            return False
        self._revisions[player_id] = revision
        before = self._visible.get(player_id)
        entry = None if key is None else b"%b\0%b" % (key, self._names.shown[player_id].encode())
        if before == entry:
            return False
        if before is not None:
            self._remove(player_id, before)
        if entry is not None:
            self._add(player_id, entry)
        return True

    def rename(self, player_id: str) -> bool:
        """Show the player's new name; tells whether the player can be seen here."""
        before = self._visible.get(player_id)
        if before is None:
            return False
        self._entries.remove(before)
        key, _, _ = before.rpartition(b"\0")
        entry = self._visible[player_id] = b"%b\0%b" % (key, self._names.shown[player_id].encode())
        self._entries.add(entry)
        return True

    def raise_version(self) -> Changed:
        """Count one more change that a viewer can see."""
        self.version += 1
        return Changed(self.period, self.epoch, self.version)

    def _add(self, player_id: str, entry: bytes) -> None:
        self._visible[player_id] = entry
        self._entries.add(entry)
        self._score_sum += self._codec.score(entry)
        if self._groups is not None:
            self._groups.add(self._codec.group(entry))

    def _remove(self, player_id: str, entry: bytes) -> None:
        del self._visible[player_id]
        self._entries.remove(entry)
        self._score_sum -= self._codec.score(entry)
        if self._groups is not None:
            self._groups.remove(self._codec.group(entry))

    # Reading

    def placing(self, player_id: str) -> Placing:
        """Where a player stands."""
        entry = self._visible.get(player_id)
        if entry is None:
            return Placing(self.epoch, self.version)
        position = self._entries.bisect_left(entry) + 1
        rank = self._rank(self._codec.group(entry), position)
        return Placing(self.epoch, self.version, position, rank, self._codec.score(entry))

    def placing_of_score(self, score: int, tiebreakers: Sequence[int]) -> Placing:
        """Where a standing with this score would stand, ahead of its equals."""
        probe = self._codec.probe(score, tiebreakers)
        position = self._entries.bisect_left(probe) + 1
        return Placing(self.epoch, self.version, position, self._rank(probe, position), score)

    def top(self, limit: int) -> Page:
        """The first rows."""
        return self._slice(0, limit)

    def page(self, start: Neighbours, limit: int) -> Page:
        """Rows after an order key, which need not be there, or just before it; without one, from that end."""
        if not start.backwards:
            return self._slice(0 if start.key is None else self._entries.bisect_left(start.key + b"\1"), limit)
        end = len(self._entries) if start.key is None else self._entries.bisect_left(start.key)
        first = max(0, end - limit)
        return self._slice(first, end - first)

    def around(self, player_id: str, k: int) -> Page:
        """The player's row among its neighbours."""
        entry = self._visible.get(player_id)
        if entry is None:
            return self._page((), ())
        count = min(2 * k + 1, len(self._entries))
        first = self._entries.bisect_left(entry) - k
        return self._slice(max(0, min(first, len(self._entries) - count)), count)

    def rows_of(self, player_ids: Iterable[str]) -> Page:
        """The rows of these players, best first."""
        entries = sorted(self._visible[player_id] for player_id in set(player_ids) if player_id in self._visible)
        found = [self._rows(self._entries.bisect_left(entry), (entry,)) for entry in entries]
        return self._page([row for (row,), _ in found], [key for _, (key,) in found])

    def digest(self) -> tuple[int, int]:
        """Number of visible standings and the sum of their scores."""
        return len(self._entries), self._score_sum

    def _slice(self, first: int, count: int) -> Page:
        return self._page(*self._rows(first, self._entries[first : first + count]))

    def _page(self, rows: Sequence[Row], keys: Sequence[bytes]) -> Page:
        return Page(self.period, self.epoch, self.version, len(self._entries), tuple(rows), tuple(keys))

    def _rows(self, first: int, entries: Sequence[bytes]) -> tuple[list[Row], list[bytes]]:
        """Rows and keys of adjacent entries, the first of which has `first` entries before it."""
        if not entries:
            return [], []
        # What every page of every reader is made by: no call or look-up that one row can do without.
        split = [entry.rpartition(b"\0") for entry in entries]
        keys = [key for key, _, _ in split]
        parts = self._codec.parts(keys)
        unique, dense = self._rule == "unique", self._rule == "dense"
        rank = self._rank(self._codec.group(entries[0]), first + 1)
        shared_score, shared_ties, *_ = parts[0]
        rows: list[Row] = []
        position = first
        for (_, _, name), (score, ties, achieved_at, player_id) in zip(split, parts, strict=True):
            position += 1
            if unique:
                rank = position
            elif score != shared_score or ties != shared_ties:
                rank = rank + 1 if dense else position
                shared_score, shared_ties = score, ties
            rows.append(Row(position, rank, player_id, name.decode(), score, rfc3339(achieved_at), ties))
        return rows, keys

    def _rank(self, group: bytes, position: int) -> int:
        if self._rule == "unique":
            return position
        if self._groups is not None:
            return self._groups.before(group) + 1
        # Nearly always the entry above is of another group: to see that is less than to search for the first of it.
        if position == 1 or self._codec.group(self._entries[position - 2]) != group:
            return position
        return self._entries.bisect_left(group) + 1
