"""Rules of physics: what the owner of a board says cannot be."""

from bisect import bisect_left, bisect_right

from scoreboard.anticheat.case import Case, Facts
from scoreboard.anticheat.history import last_at
from scoreboard.clock import MILLISECOND, MINUTE

MAX_IN_STORE = 32
"""Submissions between an action's start and its end. Clients may fetch tokens ahead, or play some actions at once."""


def max_increment(case: Case) -> Facts | None:
    """The score is more than one action can earn."""
    most = case.action.max_score
    return {"score": case.score, "max_score": most} if most is not None and case.score > most else None


def too_fast(case: Case) -> Facts | None:
    """The action ended before its minimum time, or less than the minimum interval after the one before.

    A token that was kept in store while many others were used is the same thing in disguise: it looks as old as it
    need be, but nobody did the action for so long.
    """
    action = case.action
    took_ms = (case.at - case.started_at) / MILLISECOND
    if took_ms < action.min_duration_ms:
        return {"took_ms": int(took_ms), "min_duration_ms": action.min_duration_ms}
    last = last_at(case.history)
    gap_ms = action.min_interval_ms if last is None else (case.at - last) / MILLISECOND
    if gap_ms < action.min_interval_ms:
        return {"gap_ms": int(gap_ms), "min_interval_ms": action.min_interval_ms}
    if not was_kept_in_store(case):
        return None
    times = case.times
    return {"token_age_ms": int(took_ms), "used_meanwhile": len(times) - bisect_right(times, case.started_at)}


def was_kept_in_store(case: Case) -> bool:
    """Whether too many others were used since the action began."""
    at = last_at(case.history, MAX_IN_STORE)
    return at is not None and at > case.started_at


def rate(case: Case) -> Facts | None:
    """The scores of the player's last minute add up to more than the action can earn in a minute.

    Only as many submissions as are remembered can be added up, so that this is a lower bound where there are more.
    """
    most = case.action.max_per_minute
    if most is None:
        return None
    earned = case.score + sum(case.scores[bisect_left(case.times, case.at - MINUTE + 1) :])
    return {"last_minute": earned, "max_per_minute": most} if earned > most else None
