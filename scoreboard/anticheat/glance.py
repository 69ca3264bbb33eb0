"""A glance at a submission, which tells the rules that may object to it: with the usual honest one, none of them.

Most play is honest, and differs plainly from what the rules look for. So a few numbers are looked at first, and only
the rules that these do not answer for are asked.
"""

from scoreboard.anticheat.case import Case
from scoreboard.anticheat.extremes import may_be_jump, may_be_outlier
from scoreboard.anticheat.history import LENGTH
from scoreboard.anticheat.neighbours import LOOKED_AT_EVERY
from scoreboard.anticheat.physics import was_kept_in_store
from scoreboard.anticheat.sameness import MIN_SAME, alike_scores, may_be_recorded
from scoreboard.anticheat.tempo import may_be_drifting, may_be_regular
from scoreboard.model import RuleName

FEW_INTERVALS = 10
FEW_SCORES = 5
"""The newest ones, which tell of most people already that all differ too much."""


def suspicions(case: Case) -> list[RuleName]:
    """The rules that may object to a submission, in the order of the table; none is missing that does."""
    found: list[RuleName] = []
    _look_at_physics(case, found)
    if case.history:
        _look_at_history(case, found)
    if case.peers is not None and may_be_outlier(case.score, case.peers, case.order):
        found.append("outlier")
    if case.neighbours is not None and case.neighbours.count % LOOKED_AT_EVERY == 0:
        found.append("shared_address")
    return found


def _look_at_physics(case: Case, found: list[RuleName]) -> None:
    rule = case.action
    if rule.max_score is not None and case.score > rule.max_score:
        found.append("max_increment")
    if case.at < case.started_at or rule.min_duration_ms or rule.min_interval_ms or was_kept_in_store(case):
        found.append("too_fast")
    if rule.max_per_minute is not None:
        found.append("rate")


def _look_at_history(case: Case, found: list[RuleName]) -> None:
    score, before = case.score, case.scores
    if len(before) == LENGTH:
        intervals = case.intervals(FEW_INTERVALS)
        if may_be_regular(intervals) or may_be_drifting(intervals):
            found.append("metronome")
    many = len(before) >= MIN_SAME - 1
    if may_be_recorded(score, before) or (many and alike_scores((*before[1 - FEW_SCORES :], score), case.order)):
        found.append("repetition")
    if may_be_jump(score, before, case.order):
        found.append("jump")
