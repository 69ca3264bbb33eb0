"""Intervals too regular for a person."""

import random
from collections.abc import Sequence

import msgspec
import pytest

from scoreboard.anticheat import Case
from scoreboard.anticheat.history import LENGTH
from scoreboard.anticheat.neighbours import Neighbours
from scoreboard.anticheat.tempo import metronome, same_tempo
from scoreboard.clock import MILLISECOND
from tests.anticheat.cases import case


def jittered(seed: int, middle_ms: float, jitter: float, count: int = LENGTH) -> list[float]:
    chance = random.Random(seed)
    return [middle_ms * chance.uniform(1 - jitter, 1 + jitter) for _ in range(count)]


def human(seed: int, count: int = LENGTH) -> list[float]:
    chance = random.Random(seed)
    return [chance.lognormvariate(8, 0.4) for _ in range(count)]


@pytest.mark.parametrize("jitter", [0, 0.05, 0.2])
def test_a_program_that_waits_a_while_give_or_take_is_a_metronome(jitter: float) -> None:
    for seed in range(50):
        assert metronome(case(intervals_ms=jittered(seed, 2000, jitter))) is not None


def test_a_few_pauses_do_not_make_a_person_of_it() -> None:
    intervals = jittered(1, 2000, 0.1)
    for start in (0, 10, LENGTH - 3):
        paused = [*intervals[:start], 60_000, 200_000, 9_000, *intervals[start + 3 :]]
        assert metronome(case(intervals_ms=paused)) is not None


@pytest.mark.parametrize("drift", [0.98, 1.02])
def test_a_program_that_gets_slower_or_quicker_is_a_metronome_all_the_same(drift: float) -> None:
    for seed in range(50):
        steady = jittered(seed, 4000, 0.1)
        intervals = [interval * drift**number for number, interval in enumerate(steady)]
        assert max(intervals) > 2 * min(intervals)
        assert metronome(case(intervals_ms=intervals)) is not None


def test_a_person_is_no_metronome() -> None:
    assert [seed for seed in range(300) if metronome(case(intervals_ms=human(seed)))] == []


def test_a_few_regular_intervals_prove_nothing() -> None:
    assert metronome(case(intervals_ms=[2000] * (LENGTH - 1))) is None
    assert metronome(case(intervals_ms=[2000] * LENGTH)) == {
        "intervals": LENGTH,
        "median_ms": 2000,
        "quick_ms": 2000,
        "slow_ms": 2000,
        "spread": 1.0,
    }


def test_a_tapping_finger_is_no_metronome_and_a_fixed_interval_is() -> None:
    assert metronome(case(intervals_ms=jittered(1, 220, 0.08))) is None
    assert metronome(case(intervals_ms=jittered(1, 220, 0.01))) is not None


def test_nothing_is_said_of_what_no_person_can_do() -> None:
    assert metronome(case(intervals_ms=[20] * LENGTH)) is None


def at_one_address(intervals_ms: Sequence[float], accounts: int) -> Neighbours:
    neighbours = Neighbours()
    for number in range(accounts):
        neighbours.add(f"p{number}", None, 5)
    for number, interval_ms in enumerate(intervals_ms):
        neighbours.add(f"p{number % accounts}", round(interval_ms * MILLISECOND), 5)
    return neighbours


def tempo_of(intervals_ms: Sequence[float], accounts: int) -> object:
    return same_tempo(_with(at_one_address(intervals_ms, accounts)))


def _with(neighbours: Neighbours | None) -> Case:
    return msgspec.structs.replace(case(), neighbours=neighbours)


def test_many_fresh_accounts_with_one_regular_tempo_are_one_program() -> None:
    assert tempo_of(jittered(1, 3000, 0.2, 26), 8) is not None
    assert same_tempo(_with(None)) is None


def test_people_behind_one_address_are_many() -> None:
    assert [seed for seed in range(300) if tempo_of(human(seed, 30), 8)] == []


def test_two_accounts_of_a_household_are_no_farm() -> None:
    assert tempo_of([3000] * 30, 4) is None
    assert tempo_of([3000] * 23, 5) is None
    assert tempo_of([3000] * 24, 5) is not None
