"""Far beyond the player's own scores, or beyond everybody's."""

import random

import pytest

from scoreboard.anticheat.extremes import jump, outlier
from scoreboard.model import Order
from tests.anticheat.cases import case, crowd


def own(spread: float, count: int = 30) -> list[int]:
    chance = random.Random(1)
    return [max(1, round(chance.lognormvariate(5, spread))) for _ in range(count)]


def jumped(score: int, scores: list[int], order: Order = "desc") -> bool:
    return jump(case(score, intervals_ms=[1000] * len(scores), scores=scores, order=order)) is not None


def test_many_times_the_own_median_is_a_jump() -> None:
    assert jumped(1500, own(0.2))
    assert not jumped(450, own(0.2))


def test_who_scores_unevenly_may_jump_further() -> None:
    assert jumped(1500, own(0.3))
    assert not jumped(1500, own(1.0))


def test_half_of_the_scores_may_be_wrong_without_hiding_a_jump() -> None:
    assert jumped(2000, own(0.1, 20) + [2000] * 8)


def test_what_is_no_gain_is_left_out() -> None:
    assert not jumped(500, [-5] * 38 + [0, 100])
    assert not jumped(0, own(0.2))


def test_a_newcomer_cannot_jump() -> None:
    assert not jumped(10**9, own(0.2, 19))


def test_where_low_is_good_only_lower_is_a_jump() -> None:
    assert jumped(10, [100] * 20, "asc")
    assert not jumped(1000, [100] * 20, "asc")
    assert not jumped(10, [100] * 20)


def everybody(spread: float, count: int = 5000, players: int = 50) -> list[int]:
    chance = random.Random(2)
    return [max(1, round(chance.lognormvariate(6, spread))) for _ in range(count)]


@pytest.mark.parametrize("spread", [0.1, 0.5, 1.0])
def test_what_is_far_beyond_all_others_is_an_outlier_and_the_best_are_not(spread: float) -> None:
    scores = everybody(spread)
    peers = crowd(scores)
    assert outlier(case(max(scores), peers=peers)) is None
    assert outlier(case(max(scores) * 20, peers=peers)) is not None


def test_where_low_is_good_far_below_all_others_is_an_outlier() -> None:
    scores = everybody(0.1)
    assert outlier(case(min(scores), peers=crowd(scores), order="asc")) is None
    assert outlier(case(min(scores) // 3, peers=crowd(scores), order="asc")) is not None
    assert outlier(case(max(scores) * 20, peers=crowd(scores), order="asc")) is None


def test_corrections_of_the_sum_do_not_make_outliers_of_gains() -> None:
    scores = [-3] * 14_000 + [100, 200, 300, 400] * 250
    assert outlier(case(500, peers=crowd(scores))) is None


def test_nothing_is_said_before_enough_is_known() -> None:
    scores = everybody(0.5)
    assert outlier(case(10**9)) is None
    assert outlier(case(10**9, peers=crowd(scores[:999]))) is None
    assert outlier(case(10**9, peers=crowd(scores, players=19))) is None
