"""Rules of tempo: intervals too regular for a person, of one player or of a whole address.

The intervals between a person's actions are widely and unevenly spread, about log-normal (Stouffer, Malmgren and
Amaral, "Log-normal statistics in e-mail communication patterns", 2006), and heavy-tailed over longer times (Barabasi,
"The origin of bursts and heavy tails in human dynamics", Nature 435, 2005). A program that waits a fixed time, or one
drawn from a range, has all its intervals in that range. So the rules compare order statistics, which neither a few
pauses nor a hiccup of the network moves. People do keep time below half a second, when they tap (Repp, "Sensorimotor
synchronization", Psychonomic Bulletin & Review 12, 2005: a few percent), so that little is said about faster play.
"""

import math
from collections.abc import Iterable, Sequence

from scoreboard.anticheat.case import Case, Facts
from scoreboard.anticheat.history import LENGTH
from scoreboard.clock import MILLISECOND

REGULAR_SPREAD = 1.5
"""The ratio of a slow interval to a quick one up to which no person plays: that of a range of 20 % either way."""

TAPPING_BELOW = 500 * MILLISECOND
TAPPING_SPREAD = 1.06
"""People tap more regularly than they play; what is closer than this is no tapping finger."""

MACHINES_BELOW = 100 * MILLISECOND
"""Nothing is said of what is quicker than any person, such as load tests; limits and physics bound that."""

SLOWEST_LEFT_OUT = 3
QUICKEST_LEFT_OUT = 1

WEIGHT = 0.25
"""Of the newest interval in the tempo (Roberts, "Control chart tests based on geometric moving averages", 1959)."""

LARGEST_STEP = 0.5
"""Of a logarithm: what a single pause may change the tempo by, before it is weighted."""

SETTLING = 4
"""Intervals after which the tempo is known."""

LATEST = 4

MIN_POOLED = 24
MIN_ACCOUNTS = 5


def metronome(case: Case) -> Facts | None:
    """The player's recent intervals are too regular for a person, though their tempo may drift."""
    intervals = case.intervals()
    return None if len(intervals) < LENGTH else _regular(intervals) or _drifting(intervals)


def same_tempo(case: Case) -> Facts | None:
    """The recent intervals of several fresh accounts at one address are one regular tempo, as of one program."""
    pooled = case.neighbours
    if pooled is None or len(pooled.intervals) < MIN_POOLED:
        return None
    facts = _regular(pooled.intervals)
    if facts is None or (accounts := len(set(pooled.movers))) < MIN_ACCOUNTS:
        return None
    return {"accounts": accounts, **facts}


def may_be_regular(intervals: Iterable[int]) -> bool:
    """Whether intervals are within the bounds of a regular tempo.

    Where a few of many are not, all are not: as many of them are left out as of all.
    """
    ranked = sorted(intervals)
    quick = ranked[QUICKEST_LEFT_OUT]
    return quick >= MACHINES_BELOW and ranked[-1 - SLOWEST_LEFT_OUT] <= REGULAR_SPREAD * quick


def may_be_drifting(intervals: Sequence[int]) -> bool:
    """Whether the latest intervals are those of a regular tempo that may have changed before."""
    latest = intervals[-LATEST:]
    least = min(latest)
    return least >= TAPPING_BELOW and max(latest) <= REGULAR_SPREAD * least


def _drifting(intervals: Sequence[int]) -> Facts | None:
    """Regular about a tempo that changes: an exponentially weighted mean of the logarithms of the intervals before."""
    if not may_be_drifting(intervals):
        return None
    tempo, residuals = math.log(max(1, intervals[0])), []
    for interval in intervals[1:]:
        residual = math.log(max(1, interval)) - tempo
        residuals.append(residual)
        tempo += WEIGHT * max(-LARGEST_STEP, min(residual, LARGEST_STEP))
    ranked = sorted(residuals[SETTLING:])
    spread = math.exp(ranked[-1 - SLOWEST_LEFT_OUT] - ranked[QUICKEST_LEFT_OUT])
    if spread > REGULAR_SPREAD:
        return None
    return {"intervals": len(ranked), "tempo_ms": round(math.exp(tempo) / MILLISECOND), "spread": round(spread, 3)}


def _regular(intervals: Iterable[int]) -> Facts | None:
    ranked = sorted(intervals)
    quick, slow = ranked[QUICKEST_LEFT_OUT], ranked[-1 - SLOWEST_LEFT_OUT]
    if quick < MACHINES_BELOW or slow > REGULAR_SPREAD * quick:
        return None
    median = ranked[len(ranked) // 2]
    if median < TAPPING_BELOW and slow > TAPPING_SPREAD * quick:
        return None
    return {
        "intervals": len(ranked),
        "median_ms": median // MILLISECOND,
        "quick_ms": quick // MILLISECOND,
        "slow_ms": slow // MILLISECOND,
        "spread": round(slow / quick, 3),
    }
