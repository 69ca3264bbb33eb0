"""What the rules look at: one submission, and what is known of its player, its board and its address."""

from collections.abc import Mapping
from operator import sub

from msgspec import Struct

from scoreboard.anticheat.history import LENGTH, instants, scores
from scoreboard.anticheat.neighbours import Neighbours
from scoreboard.anticheat.sketch import Sketch
from scoreboard.model import ActionRule, Order

Facts = Mapping[str, int | float | str]
"""The numbers that speak against a submission."""


class Case(Struct, frozen=True):
    """One submission before the rules; instants and intervals in microseconds.

    `started_at` is when the action began. `history` are the player's submissions of this action on this board before
    this one, packed.
    `everyone` tells how all players score here, `peers` how those do whose account is about as old; None where too
    little is known. `neighbours` are the fresh accounts at the same address, with this submission in it already; None
    where the account is not one of them.
    """

    score: int
    action: ActionRule
    at: int
    started_at: int
    order: Order = "desc"
    history: bytes = b""
    everyone: Sketch | None = None
    peers: Sketch | None = None
    neighbours: Neighbours | None = None

    @property
    def times(self) -> tuple[int, ...]:
        """When the player submitted before, oldest first."""
        return instants(self.history)

    @property
    def scores(self) -> tuple[int, ...]:
        """What the player claimed before, oldest first."""
        return scores(self.history)

    def intervals(self, most: int = LENGTH) -> list[int]:
        """The newest intervals between the submissions, oldest first; the last one leads to this submission."""
        times = (*instants(self.history, most), self.at)
        return list(map(sub, times[1:], times))
