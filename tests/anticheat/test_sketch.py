"""The histogram of everybody's scores."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from scoreboard.anticheat import sketch
from scoreboard.anticheat.sketch import GROWTH, Sketch, bucket_of
from scoreboard.model import MAX_SCORE
from tests.anticheat.cases import crowd


@pytest.mark.parametrize("share", [0.001, 0.5, 0.9, 0.999])
def test_quantiles_are_right_to_five_percent(share: float) -> None:
    chance = random.Random(3)
    scores = sorted(round(chance.lognormvariate(9, 1.2)) for _ in range(20_000))
    exact = scores[int(share * len(scores))]
    assert crowd(scores).quantile(share) == pytest.approx(exact, rel=2 * (GROWTH - 1))


@given(some.lists(some.integers(-MAX_SCORE, MAX_SCORE), min_size=1, max_size=50))
def test_any_scores_are_counted_and_stay_in_order(scores: list[int]) -> None:
    counted = crowd(scores)
    assert counted.count_from(min(scores)) == counted.count_to(max(scores)) == len(scores)
    assert counted.count_from(max(scores)) >= 1
    quantiles = [counted.quantile(share / 10) for share in range(11)]
    assert quantiles == sorted(quantiles)


def test_quantiles_follow_what_is_played() -> None:
    counted = crowd([10] * 1000)
    assert counted.quantile(0.9) == pytest.approx(10, rel=GROWTH - 1)
    for _ in range(1000):
        counted.add("late", bucket_of(1000))
    assert counted.quantile(0.9) == pytest.approx(1000, rel=GROWTH - 1)


def test_an_empty_one_has_no_quantiles_to_speak_of() -> None:
    assert Sketch(5).quantile(0.5) == 0


def test_players_are_counted_up_to_the_bound() -> None:
    assert len(crowd([1] * 100, players=3).players) == 3
    few = Sketch(2)
    for name in "abc":
        few.add(name, bucket_of(1))
    assert len(few.players) == 2


def test_what_was_played_long_ago_fades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketch, "MAX_TOTAL", 1000)
    fading = crowd([10] * 999)
    for _ in range(2000):
        fading.add("a", bucket_of(1000))
    assert fading.total < 1000
    assert fading.quantile(0.5) == pytest.approx(1000, rel=GROWTH - 1)
