"""People who play: log-normal intervals with bursts, fatigue and breaks, and scores that get better by learning.

Log-normal intervals and their spread are as in the works that `anticheat.tempo` names; learning follows the exponential
law of practice (Heathcote, Brown and Mewhort, "The power law repealed", Psychonomic Bulletin & Review 7, 2000).
"""

import math
from collections.abc import Iterator
from random import Random

from msgspec import Struct

from scoreboard.clock import DAY, SECOND
from scoreboard.model import Order

QUICKEST_S = 0.15


class Game(Struct, frozen=True):
    """What is played for: the score of good play, and whether high or low is good."""

    top: int = 100
    order: Order = "desc"

    def score(self, quality: float) -> int:
        """The score of play that is so good: 0 is no good, 1 as good as can be, beyond it as good as nobody is."""
        if self.order == "desc":
            return max(1, round(self.top * quality))
        return max(1, round(self.top / (0.25 + quality)))


class Move(Struct, frozen=True):
    """One action: microseconds since the last one, how many of them it took, and how good it was."""

    interval: int
    took: int
    quality: float


class Person:
    """Somebody's way to play, drawn from that of people at large."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._pace_s = max(0.7, chance.lognormvariate(math.log(5), 0.7))
        self._unevenness = chance.uniform(0.35, 0.8)
        self._skill = chance.gauss(-0.5, 0.6)
        self._wavering = chance.uniform(0.4, 0.9)
        self._talent = chance.uniform(0, 0.8)
        self._tires = chance.uniform(0, 0.004)
        self.age = round(chance.uniform(0, 1) * DAY if chance.random() < 0.5 else chance.uniform(1, 365) * DAY)

    def moves(self) -> Iterator[Move]:
        """What they do, one action after the other."""
        chance, done, since_break, burst = self._chance, 0, 0, 0
        while True:
            if not burst and chance.random() < 0.02:
                burst = chance.randint(3, 15)
            hurry = 0.6 if burst else 1.0
            burst = max(0, burst - 1)
            fatigue = 1 + self._tires * since_break
            interval_s = self._pace_s * hurry * fatigue * chance.lognormvariate(0, self._unevenness)
            if chance.random() < 0.01:
                interval_s, since_break = interval_s + chance.lognormvariate(6, 1), 0
            learned = self._talent * (1 - math.exp(-done / 150))
            form = self._skill + learned - (fatigue - 1) + chance.gauss(0, self._wavering)
            interval = round(max(QUICKEST_S, interval_s) * SECOND)
            yield Move(interval, round(interval * chance.uniform(0.2, 1.0)), 1 / (1 + math.exp(-form)))
            done, since_break = done + 1, since_break + 1
