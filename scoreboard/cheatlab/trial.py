"""Puts attempts before the referee, as the server would, and notes what becomes of each suspect."""

from collections.abc import Iterable

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
        claimed = Claimed(
            attempt.player_id,
            action,
            attempt.score,
            attempt.at,
            attempt.started_at,
            before,
            attempt.born_at,
            attempt.network,
        )
        judgement = referee.judge(board, claimed)
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
