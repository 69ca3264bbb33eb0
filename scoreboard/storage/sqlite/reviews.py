"""Held submissions and what was decided of them, in SQLite."""

import sqlite3
from collections.abc import Sequence

from msgspec.structs import asdict

from scoreboard.errors import Conflict, NotFound
from scoreboard.model import AuditEntry, Board, BoardPeriod, HistoryItem
from scoreboard.oversight import (
    MAX_NOTES,
    MAX_OPEN,
    Ban,
    Decided,
    Decision,
    Note,
    Review,
    ReviewFilter,
    ReviewState,
)
from scoreboard.storage.reviewed import review
from scoreboard.storage.sqlite.audit import append
from scoreboard.storage.sqlite.ledger import Ledger
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import encode, execute, fetch
from scoreboard.storage.sqlite.submissions import check_revision, history_item, refold
from scoreboard.storage.sqlite.visibility import change_status


class SqliteReviews(Part):
    """`scoreboard.storage.oversight.Reviews`."""

    async def reviews(self, wanted: ReviewFilter, after: str | None, limit: int) -> tuple[Review, ...]:
        """Reviews in the order of their submissions, those after the submission id `after`."""
        parameters = {**asdict(wanted), "after": after or "", "limit": limit}
        rows = await self._database.read(lambda connection: fetch(connection, "reviews", parameters))
        return tuple(review(history_item(row[:9]), row[9:]) for row in rows)

    async def review(self, submission_id: str) -> Review | None:
        """One review."""
        rows = await self._database.read(lambda connection: fetch(connection, "review", {"id": submission_id}))
        return review(history_item(rows[0][:9]), rows[0][9:]) if rows else None

    async def open_reviews(self) -> int:
        """How many wait for a decision, up to MAX_OPEN."""
        [(count,)] = await self._database.read(
            lambda connection: fetch(connection, "open_reviews", {"limit": MAX_OPEN})
        )
        return int(count)

    async def claim_review(self, submission_id: str, by: str, now: int, until: int) -> bool:
        """Take an open review for oneself until an instant, or prolong that; False where it is not to be had."""
        parameters = {"id": submission_id, "by": by, "now": now, "until": until}
        return await self._database.write(lambda connection: execute(connection, "claim_review", parameters)) == 1

    async def release_review(self, submission_id: str, by: str) -> bool:
        """Give a claim back; False where it is not one's own."""
        parameters = {"id": submission_id, "by": by}
        return await self._database.write(lambda connection: execute(connection, "release_review", parameters)) == 1

    async def note_review(self, submission_id: str, note: Note, entries: Sequence[AuditEntry]) -> bool:
        """Add a note; False where there is no such review, or it has MAX_NOTES."""

        def add(connection: sqlite3.Connection) -> bool:
            if not execute(connection, "note_review", {"id": submission_id, "note": encode(note), "most": MAX_NOTES}):
                return False
            append(connection, entries)
            return True

        return await self._database.write(add)

    async def approve(
        self, board: Board, periods: Sequence[BoardPeriod], decision: Decision, entries: Sequence[AuditEntry]
    ) -> Decided:
        """Count a held submission at its own time: the standing of each period is folded anew from the history."""

        def count(connection: sqlite3.Connection) -> Decided:
            player_id = _decide(connection, decision, "approved")
            check_revision(connection, board)
            execute(connection, "keep_state", {"id": decision.submission_id})
            execute(connection, "decide_submission", {"id": decision.submission_id, "state": "counted"})
            ledger = Ledger()
            changes = refold(connection, ledger, board, player_id, periods, creates=True)
            append(connection, entries)
            return Decided(changes, ledger.write(connection, decision.at))

        return await self._database.write(count)

    async def reject(self, decision: Decision, ban: Ban | None, entries: Sequence[AuditEntry]) -> Decided:
        """Drop a held submission, and ban its player if told."""

        def drop(connection: sqlite3.Connection) -> Decided:
            player_id = _decide(connection, decision, "rejected")
            execute(connection, "keep_state", {"id": decision.submission_id})
            execute(connection, "decide_submission", {"id": decision.submission_id, "state": "rejected"})
            append(connection, entries)
            if ban is None:
                return Decided()
            shown = change_status(connection, player_id, "banned", decision.at, until=ban.until)
            return Decided() if shown is None else Decided(*shown)

        return await self._database.write(drop)

    async def board_sample(self, board: str, looked_at: int, limit: int) -> tuple[HistoryItem, ...]:
        """The board's newest counted submissions among the `looked_at` newest of all boards."""
        parameters = {"board": board, "looked_at": looked_at, "limit": limit}
        rows = await self._database.read(lambda connection: fetch(connection, "board_sample", parameters))
        return tuple(history_item(row) for row in rows)


def _decide(connection: sqlite3.Connection, decision: Decision, state: ReviewState) -> str:
    """Close the review, before anything else; its player."""
    parameters = {
        "id": decision.submission_id,
        "state": state,
        "by": decision.by,
        "at": decision.at,
        "reason": decision.reason,
    }
    rows = fetch(connection, "decide_review", parameters)
    if rows:
        player_id: str = rows[0][1]
        return player_id
    if not fetch(connection, "review", {"id": decision.submission_id}):
        raise NotFound("There is no such review.")
    raise Conflict("This review was decided, or another moderator is at it.")
