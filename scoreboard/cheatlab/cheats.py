"""Cheats, each as a generator of what it sends: every one has its own way to be told from a person."""

from collections.abc import Callable, Iterator, Mapping
from itertools import cycle, islice
from random import Random

from scoreboard.cheatlab.attempt import Attempt
from scoreboard.cheatlab.people import Game, Move, Person
from scoreboard.clock import DAY, MILLISECOND, SECOND

NETWORK_MS = 5
"""The mean of what the network adds to the time of each submission."""

SLOWEST_BOT_S = 20
QUICKEST_BOT_S = 0.55
"""What is quicker than this is stopped by the default limit of writes already."""

STORE = 60

Cheat = Callable[[str, Random, Game, int], Iterator[Attempt]]
"""Attempts of one cheat, by its name, from an instant on; endless."""


def _bot(name: str, kind: str, chance: Random, game: Game, at: int, jitter: float) -> Iterator[Attempt]:
    """A program that waits a fixed time, give or take a share of it, and scores like a person."""
    every_s = chance.uniform(QUICKEST_BOT_S, SLOWEST_BOT_S)
    moves = Person(chance).moves()
    while True:
        at += round(every_s * chance.uniform(1 - jitter, 1 + jitter) * SECOND)
        score = game.score(next(moves).quality)
        yield Attempt(name, kind, name, score, at + _network(chance), at - SECOND // 5, at - 90 * DAY, name)


def fixed_interval(name: str, chance: Random, game: Game, at: int) -> Iterator[Attempt]:
    """A program that waits a fixed time."""
    return _bot(name, "fixed_interval", chance, game, at, 0)


def jittered(name: str, chance: Random, game: Game, at: int) -> Iterator[Attempt]:
    """A program that waits about a fixed time, up to 20 % more or less."""
    return _bot(name, "jittered", chance, game, at, chance.uniform(0.02, 0.2))


def replayer(name: str, chance: Random, game: Game, at: int) -> Iterator[Attempt]:
    """A recording of a person's play, up to sixteen actions of it, played again and again."""
    recorded = list(islice(Person(chance).moves(), chance.randint(3, 16)))
    return _moves(name, "replayer", chance, cycle(recorded), game, at)


def inflater(name: str, chance: Random, game: Game, at: int) -> Iterator[Attempt]:
    """A person who plays for a while, and then multiplies every score."""
    factor, honest = chance.uniform(3, 10), chance.randint(0, 20)
    moves = Person(chance).moves()
    inflated = (
        move if number < honest else Move(move.interval, move.took, move.quality * factor)
        for number, move in enumerate(moves)
    )
    return _moves(name, "inflater", chance, inflated, game, at)


def slow_inflater(name: str, chance: Random, game: Game, at: int) -> Iterator[Attempt]:
    """A person at play whose client claims 90 % and more of the most that can be had, and never more than that."""
    moves = (Move(move.interval, move.took, chance.uniform(0.9, 1.0)) for move in Person(chance).moves())
    return _moves(name, "slow_inflater", chance, moves, game, at)


def farm(name: str, chance: Random, game: Game, at: int) -> Iterator[Attempt]:
    """One program at one address for five to fifteen fresh accounts, each with its own pauses of about one length."""
    accounts = chance.randint(5, 15)
    every_s, jitter = chance.uniform(1, SLOWEST_BOT_S), chance.uniform(0, 0.2)
    moves = Person(chance).moves()
    due = [(at + round(chance.uniform(0, every_s) * SECOND), f"{name}-{number}") for number in range(accounts)]
    while True:
        now, account = min(due)
        due.remove((now, account))
        due.append((now + round(every_s * chance.uniform(1 - jitter, 1 + jitter) * SECOND), account))
        score = game.score(next(moves).quality)
        yield Attempt(name, "farm", account, score, now + _network(chance), now - SECOND // 5, at - SECOND, name)


def stockpiler(name: str, chance: Random, game: Game, at: int) -> Iterator[Attempt]:
    """Tokens collected in store, so that each looks as if its action had taken its time, and then used up."""
    moves = Person(chance).moves()
    hurry = chance.choice((1.0, 0.05))
    while True:
        started = [at := at + round(chance.uniform(0.1, 1) * SECOND) for _ in range(STORE)]
        for started_at in started:
            move = next(moves)
            at += max(50 * MILLISECOND, round(move.interval * hurry))
            yield Attempt(name, "stockpiler", name, game.score(move.quality), at, started_at, at - 90 * DAY, name)


CHEATS: Mapping[str, Cheat] = {
    "fixed_interval": fixed_interval,
    "jittered": jittered,
    "replayer": replayer,
    "inflater": inflater,
    "slow_inflater": slow_inflater,
    "farm": farm,
    "stockpiler": stockpiler,
}
"""Every kind of cheat there is."""


def _moves(name: str, kind: str, chance: Random, moves: Iterator[Move], game: Game, at: int) -> Iterator[Attempt]:
    born_at = at - round(chance.uniform(0.1, 90) * DAY)
    for move in moves:
        at += move.interval
        sent_at = at + _network(chance)
        yield Attempt(name, kind, name, game.score(move.quality), sent_at, at - move.took, born_at, name)


def _network(chance: Random) -> int:
    return round(chance.expovariate(1 / NETWORK_MS) * MILLISECOND)
