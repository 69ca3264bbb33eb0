"""Puts attempts before the referee, as the server would, and notes what becomes of each suspect."""

import math
from collections.abc import Iterable
from time import perf_counter

from scoreboard.anticheat import Claimed, Referee, history
from scoreboard.cheatlab.attempt import Attempt
from scoreboard.cheatlab.findings import Suspect
from scoreboard.model import Board


class _Notes:
    """What is known of one suspect so far."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.submissions = 0
        self.caught_after: int | None = None
        self.objected_after: dict[str, int] = {}


def tried(board: Board, action: str, attempts: Iterable[Attempt]) -> list[Suspect]:
    """The suspects of a board's attempts, which are put before its rules in order of time."""
    referee = Referee()
    past: dict[str, bytes] = {}
    notes: dict[str, _Notes] = {}
    for attempt in sorted(attempts, key=lambda one: one.at):
        before = past.get(attempt.player_id, b"")
        judgement = referee.judge(board, _claimed(attempt, action, before))
        past[attempt.player_id] = history.added(before, attempt.at, attempt.score)
        noted = notes.setdefault(attempt.suspect, _Notes(attempt.kind))
        noted.submissions += 1
        for evidence in judgement.evidence:
            noted.objected_after.setdefault(evidence.rule, noted.submissions)
        if judgement.verdict != "accepted" and noted.caught_after is None:
            noted.caught_after = noted.submissions
    return [
        Suspect(name, one.kind, one.submissions, one.caught_after, one.objected_after) for name, one in notes.items()
    ]


def cost_us(board: Board, action: str, attempts: Iterable[Attempt], block: int = 500) -> float:
    """Microseconds of one verdict: of the best block of so many attempts, as a machine has others to serve too.

    What admission does to keep the players' histories is not part of it.
    """
    past: dict[str, bytes] = {}
    claims: list[Claimed] = []
    for attempt in sorted(attempts, key=lambda one: one.at):
        before = past.get(attempt.player_id, b"")
        claims.append(_claimed(attempt, action, before))
        past[attempt.player_id] = history.added(before, attempt.at, attempt.score)
    referee, best = Referee(), math.inf
    for start in range(0, len(claims) - block + 1, block):
        began = perf_counter()
        for claimed in claims[start : start + block]:
            referee.judge(board, claimed)
        if start >= len(claims) // 2:  # by then players have histories
            best = min(best, perf_counter() - began)
    return best / block * 1_000_000


def _claimed(attempt: Attempt, action: str, before: bytes) -> Claimed:
    return Claimed(
        attempt.player_id,
        action,
        attempt.score,
        attempt.at,
        attempt.started_at,
        before,
        attempt.born_at,
        attempt.network,
    )
