"""Rules of sameness: scores that are high again and again, and play that is a recording."""

from collections.abc import Sequence

from scoreboard.anticheat.case import Case, Facts
from scoreboard.anticheat.sketch import Sketch
from scoreboard.model import Order

SAME_WITHIN = 0.9
"""Scores are the same where the lesser is at least this share of the better."""

MIN_SAME = 24
LEFT_OUT = 1
RARE = 0.02
"""The share of other scores up to which what these reach is rare."""

MIN_OTHERS = 200
MIN_PLAYERS = 10
MIN_ACCOUNTS = 5

MIN_REPEATED = 10
SHORTEST_CYCLE = 2
LONGEST_CYCLE = 16
TEMPO_WITHIN = 20
"""Intervals are the same where they differ by less than one part in so many."""

VARIED = 1.5
"""Repeated intervals say nothing where all are alike; then it is a matter of tempo."""


def repetition(case: Case) -> Facts | None:
    """The player reaches the same score again and again that others hardly ever do, or plays a recording."""
    recent = (*case.scores[1 - MIN_SAME :], case.score)
    return _same_high(recent, case.everyone, case.order) or _recording(case)


def same_high_scores(case: Case) -> Facts | None:
    """Several fresh accounts at one address all reach the same score that others hardly ever do."""
    pooled = case.neighbours
    if pooled is None or len(pooled.scores) < MIN_SAME:
        return None
    facts = _same_high(tuple(pooled.scores)[-MIN_SAME:], case.everyone, case.order)
    if facts is None or (accounts := len(set(tuple(pooled.scorers)[-MIN_SAME:]))) < MIN_ACCOUNTS:
        return None
    return {"accounts": accounts, **facts}


def _same_high(scores: Sequence[int], everyone: Sketch | None, order: Order) -> Facts | None:
    if everyone is None or len(scores) < MIN_SAME:
        return None
    alike = alike_scores(scores, order)
    if alike is None:
        return None
    least, best = alike
    others = everyone.total - len(scores)
    if others < MIN_OTHERS or len(everyone.players) < MIN_PLAYERS:
        return None
    reached = everyone.count_from(least) if order == "desc" else everyone.count_to(least)
    share = max(0, reached - len(scores)) / others
    if share > RARE:
        return None
    return {"scores": len(scores), "least": least, "best": best, "others_reach": round(share, 4)}


def alike_scores(scores: Sequence[int], order: Order) -> tuple[int, int] | None:
    """The least, but for what is left out, and the best of scores that are the same; None where they are not.

    Where a few of many are not the same, all are not: no more of all are left out than of them.
    """
    ranked = sorted(scores)
    low, high = (ranked[LEFT_OUT], ranked[-1]) if order == "desc" else (ranked[0], ranked[-1 - LEFT_OUT])
    if low < SAME_WITHIN * high or ranked[0] <= 0:
        return None
    return (low, high) if order == "desc" else (high, low)


def may_be_recorded(score: int, before: Sequence[int]) -> bool:
    """Whether a score is the same as one so many submissions ago that both may come from a recording."""
    return len(before) >= SHORTEST_CYCLE + MIN_REPEATED and score in before[-LONGEST_CYCLE : 1 - SHORTEST_CYCLE]


def _recording(case: Case) -> Facts | None:
    """The same stretch of play, scores and intervals, as so many submissions ago: no person plays one twice."""
    before = case.scores
    if not may_be_recorded(case.score, before):
        return None
    scores, intervals = (*before, case.score), case.intervals(2 * LONGEST_CYCLE)
    tolerance = intervals[-1] // TEMPO_WITHIN
    least, most = intervals[-1] - tolerance, intervals[-1] + tolerance
    for lag, earlier in enumerate(intervals[-3 : -2 - LONGEST_CYCLE : -1], SHORTEST_CYCLE):
        if least <= earlier <= most and scores[-1 - lag] == case.score:
            facts = _repeats(intervals, scores, lag)
            if facts is not None:
                return facts
    return None


def _repeats(intervals: Sequence[int], scores: Sequence[int], lag: int) -> Facts | None:
    count = max(MIN_REPEATED, lag)
    if len(intervals) < count + lag:
        return None
    now, then = intervals[-count:], intervals[-count - lag : -lag]
    if scores[-count:] != scores[-count - lag : -lag] or max(now) < VARIED * min(now):
        return None
    if any(abs(new - old) * TEMPO_WITHIN > old for new, old in zip(now, then, strict=True)):
        return None
    return {"cycle": lag, "repeated": count}
