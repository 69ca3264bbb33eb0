"""The table of rules, and the verdict they add up to."""

from typing import get_args

import pytest

from scoreboard.anticheat import RULES, VERSION, judge, plan
from scoreboard.model import ActionRule, Enforcement, RuleName, Rules
from tests.anticheat.cases import case


def test_there_is_one_rule_for_each_setting() -> None:
    assert tuple(RULES) == Rules.__struct_fields__ == get_args(RuleName)


@pytest.mark.parametrize(
    ("enforcement", "verdict", "noted"),
    [("off", "accepted", 0), ("shadow", "accepted", 1), ("hold", "held", 1), ("reject", "rejected", 1)],
)
def test_the_board_decides_what_an_objection_does(enforcement: Enforcement, verdict: str, noted: int) -> None:
    judgement = judge(case(11, ActionRule(max_score=10)), plan(Rules(max_increment=enforcement), {}))
    assert (judgement.verdict, len(judgement.evidence)) == (verdict, noted)
    assert all(evidence.version == VERSION for evidence in judgement.evidence)


def test_an_action_may_decide_otherwise_than_its_board() -> None:
    over = case(11, ActionRule(max_score=10))
    assert judge(over, plan(Rules(), {"max_increment": "reject"})).verdict == "rejected"
    assert judge(over, plan(Rules(max_increment="reject"), {"max_increment": "off"})).verdict == "accepted"
    assert judge(over, plan(Rules(), {"too_fast": "off"})).verdict == "held"


def test_the_severest_objection_counts_and_all_are_noted() -> None:
    action = ActionRule(max_score=10, min_duration_ms=5000)
    judgement = judge(case(11, action), plan(Rules(max_increment="reject", too_fast="hold"), {}))
    assert judgement.verdict == "rejected"
    assert [evidence.rule for evidence in judgement.evidence] == ["max_increment", "too_fast"]


def test_a_first_submission_of_nobody_knows_whom_passes_all_rules() -> None:
    everywhere: dict[RuleName, Enforcement] = dict.fromkeys(RULES, "reject")
    assert judge(case(25), plan(Rules(), everywhere)).verdict == "accepted"
