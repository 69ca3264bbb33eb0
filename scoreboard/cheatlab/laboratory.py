"""Trials of generated play: honest crowds, and crowds with one cheat among them."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from random import Random

from scoreboard.anticheat.history import LENGTH
from scoreboard.cheatlab.cheats import CHEATS
from scoreboard.cheatlab.crowd import crowd
from scoreboard.cheatlab.findings import FIRST, Suspect
from scoreboard.cheatlab.people import Game
from scoreboard.cheatlab.trial import cost_us, tried
from scoreboard.clock import MINUTE, SECOND
from scoreboard.model import ActionRule, Board, BoardSettings

BEGINS = 1_800_000_000 * SECOND
USUAL_TOP = 100
CROWD = 40
"""Honest players around one cheat; they have been playing for a while when it comes."""

WARM = 40
AFTER = 20 * MINUTE
HONEST_EACH = 1000
PLAYERS_AT_ONCE = 100
"""Honest players on one board."""

ACTION = "play"
BOARD = BoardSettings(operator="sum", actions={ACTION: ActionRule(max_score=USUAL_TOP)})
"""What is played on unless told: the defaults, and the most that one action can earn."""


class Laboratory:
    """Makes trials on a board; the same seed makes the same ones."""

    def __init__(self, settings: BoardSettings = BOARD, action: str = ACTION, seed: int = 1) -> None:
        self._board = Board("cheatlab", settings, 1, 0, 0)
        self._action = action
        self._seed = seed
        top = settings.actions.get(action, ActionRule()).max_score
        self._game = Game(max(1, top or USUAL_TOP), settings.order)

    def cheats(self, runs: int, kinds: Sequence[str] = tuple(CHEATS)) -> Iterator[Callable[[], list[Suspect]]]:
        """For each kind of cheat so many trials, each of one among honest players."""
        for kind in kinds:
            for run in range(runs):
                yield partial(self._cheat, kind, run)

    def honest(self, players: int) -> Iterator[Callable[[], list[Suspect]]]:
        """Trials of so many honest players, each with a thousand submissions."""
        for start in range(0, players, PLAYERS_AT_ONCE):
            yield partial(self._honest, start, min(PLAYERS_AT_ONCE, players - start))

    def cost_us(self, players: int) -> float:
        """What a verdict on so many honest players costs, in microseconds."""
        play = crowd("cost", self._chance("cost", 0), self._game, players, 2 * LENGTH, BEGINS)
        return cost_us(self._board, self._action, play)

    def _cheat(self, kind: str, run: int) -> list[Suspect]:
        chance = self._chance(kind, run)
        honest = crowd(f"crowd-{kind}-{run}", chance, self._game, CROWD, WARM, BEGINS)
        cheat = CHEATS[kind](f"{kind}-{run}", chance, self._game, BEGINS + AFTER)
        return tried(self._board, self._action, chain(honest, islice(cheat, FIRST)))

    def _honest(self, start: int, players: int) -> list[Suspect]:
        chance = self._chance("honest", start)
        play = crowd(f"honest-{start}", chance, self._game, players, HONEST_EACH, BEGINS)
        return tried(self._board, self._action, play)

    def _chance(self, kind: str, number: int) -> Random:
        return Random(f"{self._seed}/{kind}/{number}")
