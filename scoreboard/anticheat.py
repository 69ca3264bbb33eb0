"""The rules a submission is judged by: one table of pure functions.

A rule sees a `Case` and answers with the facts that speak against it, or None. What then happens is the board's
setting for that rule: `off`, `shadow` (noted only), `hold` (a moderator decides) or `reject`.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

from scoreboard.clock import MILLISECOND
from scoreboard.model import ActionRule, Enforcement, Evidence, Rules

Facts = Mapping[str, int]
Verdict = Literal["accepted", "held", "rejected"]


class Case(Struct, frozen=True):
    """What the rules look at; instants in microseconds.

    `started_at` is when the action began, `last_at` the player's last submission of this action on this board (None
    if there is none).
    """

    score: int
    action: ActionRule
    at: int
    started_at: int
    last_at: int | None


class Judgement(Struct, frozen=True):
    """The verdict and the evidence of every rule that objected."""

    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()


def max_increment(case: Case) -> Facts | None:
    """The score is more than one action can earn."""
    most = case.action.max_score
    return {"score": case.score, "max_score": most} if most is not None and case.score > most else None


def too_fast(case: Case) -> Facts | None:
    """The action ended before its minimum time, or less than the minimum interval after the one before."""
    took_ms = _between_ms(case.started_at, case.at)
    if took_ms < case.action.min_duration_ms:
        return {"took_ms": int(took_ms), "min_duration_ms": case.action.min_duration_ms}
    if case.last_at is not None and (gap_ms := _between_ms(case.last_at, case.at)) < case.action.min_interval_ms:
        return {"gap_ms": int(gap_ms), "min_interval_ms": case.action.min_interval_ms}
    return None


def _between_ms(start: int, end: int) -> float:
    """Milliseconds between two instants; none where clocks that differ let the end come before the start."""
    return max(0, end - start) / MILLISECOND


RULES: Mapping[str, Callable[[Case], Facts | None]] = {"max_increment": max_increment, "too_fast": too_fast}

_CLEAN = Judgement("accepted")
_VERDICTS: Mapping[Enforcement, Verdict] = {"hold": "held", "reject": "rejected"}
_SEVERITY: Mapping[Verdict, int] = {"accepted": 0, "held": 1, "rejected": 2}


def judge(case: Case, rules: Rules) -> Judgement:
    """Put a case before every rule that is not off; the severest verdict counts."""
    evidence = [
        Evidence(name, enforcement, dict(facts))
        for name, rule in RULES.items()
        if (enforcement := getattr(rules, name)) != "off" and (facts := rule(case)) is not None
    ]
    if not evidence:
        return _CLEAN
    verdicts = [_VERDICTS.get(item.enforcement, "accepted") for item in evidence]
    return Judgement(max(verdicts, key=_SEVERITY.__getitem__), tuple(evidence))
