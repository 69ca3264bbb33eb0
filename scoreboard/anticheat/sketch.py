"""How everybody scores on a board: a histogram with bounded memory, whose quantiles are good to five percent.

Its buckets grow by a fixed factor, as in DDSketch (Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile
sketch with relative-error guarantees", PVLDB 12, 2019), so that a score of any size is one logarithm and one count.
"""

import math
from bisect import bisect_left
from itertools import accumulate

GROWTH = 1.05
"""Factor between the edges of a bucket."""

MAX_TOTAL = 1_000_000
"""At so many scores all counts are halved: what was played long ago fades."""

SETTLED_WITHIN = 1.05
"""Quantiles are worked out anew once there are so many times more scores."""

_PER_LOG = 1 / math.log(GROWTH)


class Sketch:
    """Counts scores. At most some 1,500 buckets; `players` are those heard of, at most `max_players` of them."""

    __slots__ = ("_counts", "_cumulative", "_edges", "_max_players", "_quantiles", "_settled", "players", "total")

    def __init__(self, max_players: int) -> None:
        self.total = 0
        self.players: set[str] = set()
        self._max_players = max_players
        self._counts: dict[int, int] = {}
        self._settled = 0
        self._edges: list[int] = []
        self._cumulative: list[int] = []
        self._quantiles: dict[float, float] = {}

    def add(self, player_id: str, bucket: int) -> None:
        """Count one score of a player, by its bucket."""
        self._counts[bucket] = self._counts.get(bucket, 0) + 1
        self.total += 1
        if len(self.players) < self._max_players:
            self.players.add(player_id)
        if self.total >= MAX_TOTAL:
            self._counts = {bucket: count // 2 for bucket, count in self._counts.items() if count > 1}
            self.total = sum(self._counts.values())
            self._settled = 0

    def quantile(self, share: float) -> float:
        """The score that this share of all scores does not exceed, to a factor of `GROWTH`; 0 where there are none."""
        if self.total > self._settled * SETTLED_WITHIN:
            self._settle()
        quantile = self._quantiles.get(share)
        if quantile is None:
            quantile = self._quantiles[share] = self._at(share)
        return quantile

    def _at(self, share: float) -> float:
        if not self._edges:
            return 0.0
        index = bisect_left(self._cumulative, share * self._settled)
        return _upper_edge(self._edges[min(index, len(self._edges) - 1)])

    def count_from(self, score: int) -> int:
        """How many scores are as high as this one, or in its bucket, or higher."""
        least = bucket_of(score)
        return sum(count for bucket, count in self._counts.items() if bucket >= least)

    def count_to(self, score: int) -> int:
        """How many scores are as low as this one, or in its bucket, or lower."""
        most = bucket_of(score)
        return sum(count for bucket, count in self._counts.items() if bucket <= most)

    def _settle(self) -> None:
        self._edges = sorted(self._counts)
        self._cumulative = list(accumulate(self._counts[edge] for edge in self._edges))
        self._settled = self.total
        self._quantiles.clear()


def bucket_of(score: int) -> int:
    """Where a score is counted."""
    if score > 0:
        return 1 + int(math.log(score) * _PER_LOG)
    return 0 if score == 0 else -1 - int(math.log(-score) * _PER_LOG)


def _upper_edge(bucket: int) -> float:
    if bucket > 0:
        return math.exp(bucket / _PER_LOG)
    return 0.0 if bucket == 0 else -math.exp((-1 - bucket) / _PER_LOG)
