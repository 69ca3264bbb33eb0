"""A board's honest players: people, some of whom share an address."""

from collections.abc import Iterator
from itertools import islice
from random import Random

from scoreboard.cheatlab.attempt import HONEST, Attempt
from scoreboard.cheatlab.people import Game, Person
from scoreboard.clock import MINUTE

SHARING = 0.3
"""The share of players who are not alone at their address: a family, a class, the customers of a mobile network."""

LARGEST_GROUP = 20


def crowd(name: str, chance: Random, game: Game, players: int, each: int, at: int) -> Iterator[Attempt]:
    """What so many honest players submit, each so many times, in no particular order."""
    networks = _networks(name, chance)
    for number in range(players):
        yield from islice(_plays(f"{name}-{number}", chance, game, next(networks), at), each)


def _plays(name: str, chance: Random, game: Game, network: str, at: int) -> Iterator[Attempt]:
    person = Person(chance)
    born_at = at - person.age
    at += round(chance.uniform(0, 10) * MINUTE)
    ahead = chance.random() < 0.2  # whose client fetches the token of the next action while one is played
    for move in person.moves():
        took = move.interval if ahead else move.took
        at += move.interval
        yield Attempt(name, HONEST, name, game.score(move.quality), at, at - took, born_at, network)


def _networks(name: str, chance: Random) -> Iterator[str]:
    """An address for each player."""
    number = 0
    while True:
        number += 1
        shared = chance.random() < SHARING / ((LARGEST_GROUP + 2) / 2)
        yield from [f"{name}/{number}"] * (chance.randint(2, LARGEST_GROUP) if shared else 1)
