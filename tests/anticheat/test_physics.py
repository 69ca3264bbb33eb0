"""What the owner of a board says cannot be."""

from scoreboard.anticheat.physics import max_increment, rate, too_fast
from scoreboard.model import ActionRule
from tests.anticheat.cases import case


def test_the_most_an_action_can_earn_is_allowed_and_one_more_is_not() -> None:
    action = ActionRule(max_score=10)
    assert max_increment(case(10, action)) is None
    assert max_increment(case(11, action)) == {"score": 11, "max_score": 10}


def test_an_action_without_a_maximum_may_earn_anything() -> None:
    assert max_increment(case(2**53 - 1)) is None


def test_an_action_may_take_exactly_its_minimum_time() -> None:
    action = ActionRule(min_duration_ms=300)
    assert too_fast(case(action=action, took_ms=300)) is None
    assert too_fast(case(action=action, took_ms=299)) == {"took_ms": 299, "min_duration_ms": 300}


def test_actions_may_follow_each_other_at_exactly_the_minimum_interval() -> None:
    action = ActionRule(min_interval_ms=500)
    assert too_fast(case(action=action, intervals_ms=[500])) is None
    assert too_fast(case(action=action, intervals_ms=[499])) == {"gap_ms": 499, "min_interval_ms": 500}
    assert too_fast(case(action=action)) is None


def test_a_token_may_be_fetched_ahead_but_not_kept_in_store() -> None:
    assert too_fast(case(took_ms=31_500, intervals_ms=[1000] * 40)) is None
    assert too_fast(case(took_ms=32_500, intervals_ms=[1000] * 40)) == {"token_age_ms": 32_500, "used_meanwhile": 32}


def test_the_scores_of_exactly_the_last_minute_are_added_up() -> None:
    action = ActionRule(max_per_minute=100)
    assert rate(case(40, action, intervals_ms=[30_000, 30_000], scores=[61, 60])) is None
    assert rate(case(41, action, intervals_ms=[30_000, 30_000], scores=[61, 60])) == {
        "last_minute": 101,
        "max_per_minute": 100,
    }
    assert rate(case(40, action, intervals_ms=[30_000, 29_999.999], scores=[1, 60])) is not None


def test_an_action_without_a_limit_per_minute_may_earn_anything() -> None:
    assert rate(case(2**53 - 1, intervals_ms=[1])) is None
