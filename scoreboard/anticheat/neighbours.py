"""What fresh accounts behind one address did of late, all together."""

from collections import deque

KEPT = 40
"""Submissions remembered of an address."""

LOOKED_AT_EVERY = 4
"""So many submissions come in before the rules look at an address again: it costs, and it changes slowly."""


class Neighbours:
    """The recent submissions of the fresh accounts at one address, on one board and action.

    `scores` and whose they are, `scorers`; `intervals`, in microseconds between two submissions of one player, and
    whose, `movers`. `count` is how many submissions there were.
    """

    __slots__ = ("count", "intervals", "movers", "scorers", "scores")

    def __init__(self) -> None:
        self.count = 0
        self.scores: deque[int] = deque(maxlen=KEPT)
        self.scorers: deque[str] = deque(maxlen=KEPT)
        self.intervals: deque[int] = deque(maxlen=KEPT)
        self.movers: deque[str] = deque(maxlen=KEPT)

    def add(self, player_id: str, interval: int | None, score: int) -> None:
        """Remember one submission, the player's first where there is no interval; the oldest is forgotten for it."""
        self.count += 1
        self.scores.append(score)
        self.scorers.append(player_id)
        if interval is not None:
            self.intervals.append(interval)
            self.movers.append(player_id)
