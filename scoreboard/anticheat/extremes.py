"""Rules of extremes: far beyond the player's own scores, or beyond everybody's.

Both compare logarithms, as scores of most games spread by factors. The player's own are judged by their median and the
median absolute deviation from it, which half of them could be wrong without moving (Rousseeuw and Croux, "Alternatives
to the median absolute deviation", JASA 88, 1993; Leys et al., "Detecting outliers: do not use standard deviation
around the mean, use absolute deviation around the median", 2013).
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from statistics import median

from scoreboard.anticheat.case import Case, Facts
from scoreboard.anticheat.sketch import Sketch
from scoreboard.model import Order

MIN_OWN = 20
FAR_OWN = 6.0
"""Standard deviations, as the median absolute deviation tells them, that a jump lies beyond the player's median."""

TO_DEVIATION = 1.4826
"""What makes the median absolute deviation of normal numbers their standard deviation."""

LEAST_DEVIATION = 0.3
"""Of a logarithm: however alike the scores were, less than about six times as much is no jump."""

LEAST_MEAN = 2
"""What is no more than so many times the mean is no jump either, and that is told at once."""

LEAST_JUMP = math.exp(FAR_OWN * LEAST_DEVIATION)

MIN_PEERS = 1000
MIN_PLAYERS = 20
FAR_PEERS = 0.7
"""How much further than the board's 99.9th percentile an outlier lies, as a share of that one's way from the median."""

LEAST_FACTOR = 2.0

_HIGH, _LOW = 0.999, 0.001


def jump(case: Case) -> Facts | None:
    """The score is far beyond the player's own ones; scores below one say nothing here."""
    scores, high = case.scores, case.order == "desc"
    if not may_be_jump(case.score, scores, case.order):
        return None
    ranked = sorted(scores)
    own = ranked[bisect_right(ranked, 0) :]
    if len(own) < MIN_OWN:
        return None
    usual = own[len(own) // 2]
    factor = case.score / usual if high else usual / case.score
    if factor < LEAST_JUMP:
        return None
    logs = [math.log(score / usual) for score in own]
    deviation = max(LEAST_DEVIATION, TO_DEVIATION * median(map(abs, logs)))
    distance = math.log(factor) / deviation
    return {"score": case.score, "median": usual, "deviations": round(distance, 2)} if distance > FAR_OWN else None


def may_be_jump(score: int, scores: Sequence[int], order: Order) -> bool:
    """Whether a score is more than so many times the mean of enough own ones, or low where that is good."""
    if len(scores) < MIN_OWN or score <= 0:
        return False
    return order == "asc" or score * len(scores) > LEAST_MEAN * sum(scores)


def outlier(case: Case) -> Facts | None:
    """The score is far beyond the 99.9th percentile of those whose account is about as old."""
    peers = case.peers
    if peers is None or not may_be_outlier(case.score, peers, case.order):
        return None
    beyond = _beyond_high(case.score, peers) if case.order == "desc" else _beyond_low(case.score, peers)
    return None if beyond is None else {"score": case.score, **beyond, "peers": peers.total}


def may_be_outlier(score: int, peers: Sketch, order: Order) -> bool:
    """Whether a score is a factor beyond the 99.9th percentile of enough others."""
    if peers.total < MIN_PEERS or len(peers.players) < MIN_PLAYERS:
        return False
    if order == "desc":
        return score > LEAST_FACTOR * max(peers.quantile(_HIGH), 0.5)
    return score * LEAST_FACTOR < peers.quantile(_LOW)


def _beyond_high(score: int, peers: Sketch) -> Facts | None:
    extreme = peers.quantile(_HIGH)
    usual = max(peers.quantile(0.5), 1.0)
    bound = max(extreme, 1.0) * max(LEAST_FACTOR, (max(extreme, 1.0) / usual) ** FAR_PEERS)
    return {"median": round(usual), "p999": round(extreme), "bound": round(bound)} if score > bound else None


def _beyond_low(score: int, peers: Sketch) -> Facts | None:
    extreme = peers.quantile(_LOW)
    if extreme <= 0:
        return None
    bound = extreme / max(LEAST_FACTOR, (peers.quantile(0.5) / extreme) ** FAR_PEERS)
    return (
        {"median": round(peers.quantile(0.5)), "p001": round(extreme), "bound": round(bound)} if score < bound else None
    )
