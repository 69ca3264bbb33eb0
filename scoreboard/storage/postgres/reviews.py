"""Held submissions and what was decided of them, in PostgreSQL."""

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
from scoreboard.storage.postgres.audit import append
from scoreboard.storage.postgres.database import Transaction
from scoreboard.storage.postgres.moderation import change_status
from scoreboard.storage.postgres.part import Part
from scoreboard.storage.postgres.rows import encode
from scoreboard.storage.postgres.submissions import check_revision, history_item, is_id, note_touched, refold
from scoreboard.storage.reviewed import review

_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"


class PostgresReviews(Part):
    """`scoreboard.storage.oversight.Reviews`."""

    async def reviews(self, wanted: ReviewFilter, after: str | None, limit: int) -> tuple[Review, ...]:
        """Reviews in the order of their submissions, those after the submission id `after`."""
        if after is not None and not is_id(after):
            return ()
        rows = await self._database.read("reviews", **asdict(wanted), after=after or _BEFORE_ALL, limit=limit)
        return tuple(review(history_item(row[:9]), row[9:]) for row in rows)

    async def review(self, submission_id: str) -> Review | None:
        """One review."""
        rows = await self._database.read("review", id=submission_id) if is_id(submission_id) else []
        return review(history_item(rows[0][:9]), rows[0][9:]) if rows else None

    async def open_reviews(self) -> int:
        """How many wait for a decision, up to MAX_OPEN."""
        [(count,)] = await self._database.read("open_reviews", limit=MAX_OPEN)
        return int(count)

    async def claim_review(self, submission_id: str, by: str, now: int, until: int) -> bool:
        """Take an open review for oneself until an instant, or prolong that; False where it is not to be had."""
        if not is_id(submission_id):
            return False
        return await self._database.execute("claim_review", id=submission_id, by=by, now=now, until=until) == 1

    async def release_review(self, submission_id: str, by: str) -> bool:
        """Give a claim back; False where it is not one's own."""
        return is_id(submission_id) and await self._database.execute("release_review", id=submission_id, by=by) == 1

    async def note_review(self, submission_id: str, note: Note, entries: Sequence[AuditEntry]) -> bool:
        """Add a note; False where there is no such review, or it has MAX_NOTES."""

        async def add(transaction: Transaction) -> bool:
            if not await transaction.execute("note_review", id=submission_id, note=encode(note), most=MAX_NOTES):
                return False
            await append(transaction, entries)
            return True

        return is_id(submission_id) and await self._database.transact(add)

    async def approve(
        self, board: Board, periods: Sequence[BoardPeriod], decision: Decision, entries: Sequence[AuditEntry]
    ) -> Decided:
        """Count a held submission at its own time: the standing of each period is folded anew from the history."""
        player_id = await self._player_of(decision)

        async def count(transaction: Transaction) -> Decided:
            # Board, player and standings first, as submissions lock them.
            await check_revision(transaction, board)
            await transaction.fetch("lock_player", id=player_id)
            await transaction.execute(
                "make_standings",
                board=board.id,
                player_id=player_id,
                windows=[period.window for period in periods],
                periods=[period.period for period in periods],
            )
            await transaction.fetch("lock_standings", board=board.id, player_id=player_id)
            await _decide(transaction, decision, "approved")
            await transaction.execute("keep_state", id=decision.submission_id)
            await transaction.execute("decide_submission", id=decision.submission_id, state="counted")
            changes = await refold(transaction, board, player_id, periods)
            await append(transaction, entries)
            return Decided(changes, await note_touched(transaction, changes, decision.at))

        return await self._database.transact(count)

    async def reject(self, decision: Decision, ban: Ban | None, entries: Sequence[AuditEntry]) -> Decided:
        """Drop a held submission, and ban its player if told."""
        player_id = await self._player_of(decision)

        async def drop(transaction: Transaction) -> Decided:
            changed = None
            if ban is not None:  # the player first, as submissions lock them
                changed = await change_status(transaction, player_id, "banned", decision.at, until=ban.until)
            await _decide(transaction, decision, "rejected")
            await transaction.execute("keep_state", id=decision.submission_id)
            await transaction.execute("decide_submission", id=decision.submission_id, state="rejected")
            await append(transaction, entries)
            return Decided() if changed is None else Decided(changed.changes, changed.outbox_id, changed.ended)

        return await self._database.transact(drop)

    async def board_sample(self, board: str, looked_at: int, limit: int) -> tuple[HistoryItem, ...]:
        """The board's newest counted submissions among the `looked_at` newest of all boards."""
        rows = await self._reading.read("board_sample", board=board, looked_at=looked_at, limit=limit)
        return tuple(history_item(row) for row in rows)

    async def _player_of(self, decision: Decision) -> str:
        review = await self.review(decision.submission_id)
        if review is None:
            raise NotFound("There is no such review.")
        return review.submission.player_id


async def _decide(transaction: Transaction, decision: Decision, state: ReviewState) -> None:
    """Close the review, or raise Conflict."""
    if not await transaction.execute(
        "decide_review",
        id=decision.submission_id,
        state=state,
        by=decision.by,
        at=decision.at,
        reason=decision.reason,
    ):
        raise Conflict("This review was decided, or another moderator is at it.")
