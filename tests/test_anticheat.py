"""The rules, each on its own, and the verdict they add up to."""

import pytest

from scoreboard.anticheat import Case, judge, max_increment, too_fast
from scoreboard.clock import MILLISECOND, SECOND
from scoreboard.model import ActionRule, Enforcement, Rules

AT = 1_800_000_000 * SECOND


def case(score: int = 1, action: ActionRule | None = None, took_ms: int = 1000, gap_ms: int | None = None) -> Case:
    last_at = None if gap_ms is None else AT - gap_ms * MILLISECOND
    return Case(score, action or ActionRule(), AT, AT - took_ms * MILLISECOND, last_at)


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
    assert too_fast(case(action=action, gap_ms=500)) is None
    assert too_fast(case(action=action, gap_ms=499)) == {"gap_ms": 499, "min_interval_ms": 500}
    assert too_fast(case(action=action, gap_ms=None)) is None


def test_without_a_minimum_nothing_is_too_fast_however_clocks_of_replicas_differ() -> None:
    assert too_fast(case(took_ms=-3, gap_ms=-3)) is None


@pytest.mark.parametrize(
    ("enforcement", "verdict", "noted"),
    [("off", "accepted", 0), ("shadow", "accepted", 1), ("hold", "held", 1), ("reject", "rejected", 1)],
)
def test_the_board_decides_what_an_objection_does(enforcement: Enforcement, verdict: str, noted: int) -> None:
    judgement = judge(case(11, ActionRule(max_score=10)), Rules(max_increment=enforcement))
    assert (judgement.verdict, len(judgement.evidence)) == (verdict, noted)


def test_the_severest_objection_counts_and_all_are_noted() -> None:
    action = ActionRule(max_score=10, min_duration_ms=5000)
    judgement = judge(case(11, action), Rules(max_increment="reject", too_fast="hold"))
    assert judgement.verdict == "rejected"
    assert [evidence.rule for evidence in judgement.evidence] == ["max_increment", "too_fast"]
