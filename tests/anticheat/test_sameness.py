"""Scores that are high again and again, and play that is a recording."""

import random
from collections.abc import Sequence

import msgspec
import pytest

from scoreboard.anticheat.neighbours import Neighbours
from scoreboard.anticheat.sameness import repetition, same_high_scores
from tests.anticheat.cases import case, crowd

PEOPLE = crowd([10, 20, 30, 40, 50] * 100)
UNEVEN = [1000 * 1.1**number for number in range(24)]


def repeated(scores: Sequence[int], others: object = PEOPLE) -> object:
    """What is said of a player who scored these one after the other."""
    *before, last = scores
    return repetition(
        msgspec.structs.replace(case(last, intervals_ms=UNEVEN[: len(before)], scores=before), everyone=others)
    )


def test_the_same_score_that_hardly_anybody_reaches_again_and_again_is_noticed() -> None:
    assert repeated([95] * 24) == {"scores": 24, "least": 95, "best": 95, "others_reach": 0.0}
    assert repeated([90 + number % 11 for number in range(24)]) is not None


def test_one_lesser_score_among_them_changes_nothing_and_two_do() -> None:
    for place in range(24):
        assert repeated([*[95] * place, 3, *[95] * (23 - place)]) is not None
    assert repeated([*[95] * 12, 3, 3, *[95] * 10]) is None


def test_a_score_that_others_reach_may_be_repeated() -> None:
    assert repeated([50] * 24) is None
    assert repeated([7] * 24, crowd([7] * 1000)) is None


def test_scores_that_vary_may_be_high() -> None:
    assert repeated([70, 95] * 12) is None


@pytest.mark.parametrize("others", [None, crowd([10] * 100), crowd([10] * 1000, players=9)])
def test_nothing_is_said_before_the_board_is_known(others: object) -> None:
    assert repeated([95] * 24, others) is None


def test_a_few_equal_scores_prove_nothing() -> None:
    assert repeated([95] * 23) is None


def test_where_low_is_good_the_same_low_score_is_noticed() -> None:
    quick = case(55, intervals_ms=UNEVEN, scores=[55] * 24, order="asc")
    usual = crowd([90, 95, 100, 110] * 100)
    assert repetition(msgspec.structs.replace(quick, everyone=usual)) is not None
    slow = case(300, intervals_ms=UNEVEN, scores=[300] * 24, order="asc")
    assert repetition(msgspec.structs.replace(slow, everyone=usual)) is None


def recording(seed: int, cycle: int, rounds: int, network_ms: float = 20) -> tuple[list[float], list[int]]:
    chance = random.Random(seed)
    stretch = [(chance.lognormvariate(8, 0.5), chance.randint(1, 100)) for _ in range(cycle)]
    played = stretch * rounds
    return [interval + chance.uniform(0, network_ms) for interval, _ in played], [score for _, score in played]


@pytest.mark.parametrize("cycle", [3, 7, 12])
def test_a_stretch_of_play_that_comes_again_is_a_recording(cycle: int) -> None:
    intervals, scores = recording(cycle, cycle, 1 + 30 // cycle)
    *before, last = scores[-len(intervals) :]
    found = repetition(case(last, intervals_ms=intervals, scores=[1, *before]))
    assert found == {"cycle": cycle, "repeated": max(10, cycle)}


def test_a_person_who_plays_the_same_scores_is_no_recording() -> None:
    for seed in range(200):
        chance = random.Random(seed)
        intervals = [chance.lognormvariate(8, 0.4) for _ in range(40)]
        assert repetition(case(7, intervals_ms=intervals)) is None


def test_even_play_is_no_recording() -> None:
    assert repetition(case(7, intervals_ms=[100_000, 101_000] * 20)) is None


def test_fresh_accounts_at_one_address_with_one_rare_score_are_noticed_and_one_account_is_not() -> None:
    for accounts, noticed in ((4, False), (5, True)):
        neighbours = Neighbours()
        for number in range(24):
            neighbours.add(f"p{number % accounts}", None, 92 + number % 5)
        found = same_high_scores(msgspec.structs.replace(case(92, everyone=PEOPLE), neighbours=neighbours))
        assert (found is not None) == noticed
    assert same_high_scores(case(92, everyone=PEOPLE)) is None
