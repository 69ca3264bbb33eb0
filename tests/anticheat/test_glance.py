"""Which rules are asked at all."""

import random
from collections.abc import Iterator

import pytest

from scoreboard.anticheat import RULES, Case
from scoreboard.anticheat.glance import suspicions
from scoreboard.anticheat.history import LENGTH
from scoreboard.anticheat.neighbours import LOOKED_AT_EVERY, Neighbours
from scoreboard.clock import MILLISECOND
from scoreboard.model import ActionRule, Order
from tests.anticheat.cases import case, crowd

FEW_OR_MANY = (0, 1, 11, 12, 19, 20, 22, 23, 31, 32, LENGTH - 1, *[LENGTH] * 5)
PEOPLE = crowd([random.Random(1).randint(1, 100) for _ in range(1200)], 30)


def intervals(chance: random.Random, count: int) -> list[float]:
    """As of a person, of a program that waits a while, give or take, of one that gets slower, or of a recording."""
    middle, jitter, drift = 10 ** chance.uniform(1, 5), chance.choice((0, 0.05, 0.2, 0.5)), chance.choice((1, 1, 1.03))
    person = [middle * chance.lognormvariate(0, 0.5) for _ in range(count)]
    program = [middle * drift**number * chance.uniform(1 - jitter, 1 + jitter) for number in range(count)]
    cycle = chance.randint(1, 18)
    return chance.choice((person, program, [person[number % cycle] for number in range(count)]))


def scores(chance: random.Random, count: int) -> list[int]:
    """As of a person, high again and again, with losses, or of a recording."""
    person = [round(chance.lognormvariate(3, chance.choice((0.1, 1)))) for _ in range(count)]
    high = [chance.choice((95, 95, 95, 92, 300)) for _ in range(count)]
    losses = [chance.randint(-5, 5) for _ in range(count)]
    cycle = chance.randint(1, 18)
    return chance.choice((person, high, losses, [person[number % cycle] for number in range(count)]))


def farm(chance: random.Random) -> Neighbours:
    neighbours, jitter = Neighbours(), chance.choice((0.1, 0.8))
    for number in range(chance.choice((20, 28, 40))):
        interval = round(2000 * chance.uniform(1 - jitter, 1 + jitter)) * MILLISECOND
        neighbours.add(f"p{number % chance.choice((3, 8))}", interval, 95)
    return neighbours


def play(order: Order) -> Iterator[Case]:
    chance = random.Random(order)
    for _ in range(5_000):
        count = chance.choice(FEW_OR_MANY)
        *before, last = scores(chance, count + 1)
        yield case(
            last * chance.choice((1, 1, 10, -1)),
            ActionRule(
                max_score=chance.choice((None, 50)),
                max_per_minute=chance.choice((None, 300)),
                min_duration_ms=chance.choice((0, 500)),
                min_interval_ms=chance.choice((0, 500)),
            ),
            took_ms=chance.choice((1, 1, 1, 1, -1)) * 10 ** chance.uniform(0, 7),
            intervals_ms=intervals(chance, count),
            scores=before,
            order=order,
            everyone=chance.choice((PEOPLE, None)),
            peers=chance.choice((PEOPLE, None)),
            neighbours=farm(chance) if chance.random() < 0.1 else None,
        )


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_no_rule_that_objects_is_left_out(order: Order) -> None:
    objected = set()
    for one in play(order):
        suspected = suspicions(one)
        objecting = {name for name, rule in RULES.items() if rule(one) is not None}
        assert objecting <= set(suspected)
        assert suspected == [name for name in RULES if name in suspected]
        objected |= objecting
    assert objected == set(RULES)


def test_the_usual_honest_submission_is_put_before_no_rule() -> None:
    chance = random.Random(1)
    asked = 0
    for _ in range(500):
        times = [chance.lognormvariate(8, 0.6) for _ in range(LENGTH)]
        gained = [chance.randint(1, 1000) for _ in range(LENGTH)]
        asked += bool(suspicions(case(500, intervals_ms=times, scores=gained, everyone=PEOPLE)))
    assert asked < 100


def test_an_address_is_looked_at_now_and_then() -> None:
    neighbours = Neighbours()
    asked = []
    for _ in range(3 * LOOKED_AT_EVERY):
        neighbours.add("p", None, 5)
        asked.append(suspicions(case(neighbours=neighbours)))
    assert asked.count(["shared_address"]) == 3
