"""Submissions in PostgreSQL: committed, read, and taken back."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from scoreboard.errors import ScoreOutOfRange, Unavailable
from scoreboard.model import AuditEntry, Board, BoardPeriod, Committed, HistoryItem, Projection, Submission
from scoreboard.order import order_keys
from scoreboard.storage.base import Committal, Voided
from scoreboard.storage.postgres.audit import append
from scoreboard.storage.postgres.batch import decode_outcomes, encode_batch
from scoreboard.storage.postgres.database import Transaction
from scoreboard.storage.postgres.faults import RETRY_AFTER_S
from scoreboard.storage.postgres.part import Part
from scoreboard.storage.postgres.rows import encode, projection
from scoreboard.storage.spans import span

SWEEP_ROWS = 1_000
"""Rows forgotten in one transaction, so that a sweep never holds up the submissions for long."""


class PostgresSubmissions(Part):
    """`scoreboard.storage.base.Submissions`."""

    async def commit(self, boards: Sequence[Board], batch: Sequence[Submission], now: int) -> Committal:
        """Store a batch in one transaction and one round trip; `boards[i]` is the board of `batch[i]`."""
        [(outbox_id, answers, changes)] = await self._database.write(
            "commit", parts=encode_batch(boards, batch), now=now
        )
        return Committal(decode_outcomes(batch, answers, changes), outbox_id)

    async def outcome(self, action_id: str) -> Committed | None:
        """The stored outcome of an action id, as a repeat."""
        rows = await self._database.read("action", action_id=action_id)
        return replace(Committed(*rows[0]), repeat=True) if rows else None

    async def claim(self, idempotency_key: str, fingerprint: bytes, kept_until: int) -> bool:
        """Take a key for one request, until then; False where another request took it before."""
        [(owner,)] = await self._database.write(
            "claim", id=idempotency_key, fingerprint=fingerprint, kept_until=kept_until
        )
        return bytes(owner) == fingerprint

    async def submission(self, submission_id: str) -> HistoryItem | None:
        """One submission."""
        rows = await self._database.read("submission", id=submission_id) if is_id(submission_id) else []
        return history_item(rows[0]) if rows else None

    async def void(
        self, board: Board, submission_id: str, periods: Sequence[BoardPeriod], entries: Sequence[AuditEntry]
    ) -> Voided | None:
        """Take a counted submission out of the standings of `periods`, which are refolded, and write the audit entries.

        Raises ScoreOutOfRange where the sum without it is out of range, Unavailable where the board was changed.
        """
        item = await self.submission(submission_id)
        if item is None or item.board != board.id:
            return None

        async def undo(transaction: Transaction) -> Voided:
            await check_revision(transaction, board)
            # The standings first, as submissions lock them; and whoever is second finds nothing to do.
            await transaction.fetch("lock_standings", board=board.id, player_id=item.player_id)
            await transaction.execute("keep_state", id=submission_id)
            if not (voided := await transaction.fetch("void_submission", id=submission_id)):
                return Voided(item, (), None, done=False)
            changes = await refold(transaction, board, item.player_id, periods)
            await append(transaction, entries)
            outbox_id = await note_touched(transaction, changes, entries[-1].at)
            return Voided(history_item(voided[0]), changes, outbox_id)

        if item.state != "counted":
            return Voided(item, (), None, done=False)
        done = await self._database.transact(undo)
        return done if done.done else replace(done, submission=await self.submission(submission_id) or item)

    async def sweep(self, now: int) -> int:
        """Forget action ids and keys kept until before the instant, and expired sessions; returns how many."""
        await self._database.write("make_partitions", now=now)
        forgotten = 0
        for name in ("sweep_actions", "sweep_claims", "sweep_sessions"):
            swept = SWEEP_ROWS
            while swept == SWEEP_ROWS:
                swept = await self._database.execute(name, now=now, limit=SWEEP_ROWS)
                forgotten += swept
        return forgotten

    async def history(
        self,
        board: str,
        player_id: str,
        before: str | None,
        limit: int,
        *,
        counted_only: bool = False,
        frozen: bool = False,
    ) -> tuple[HistoryItem, ...]:
        """The player's submissions on a board, newest first, those older than the submission id `before`."""
        if before is not None and not is_id(before):
            return ()
        wanted = {"board": board, "player_id": player_id, "before": before, "limit": limit}
        rows = await self._reading.read("history", **wanted, counted_only=counted_only, frozen=frozen)
        return tuple(history_item(row) for row in rows)


async def check_revision(transaction: Transaction, board: Board) -> None:
    """Raise Unavailable where the board is another by now: it may have a window that must be refolded too."""
    [(revision,)] = await transaction.fetch("board_revision", id=board.id)
    if revision != board.revision:
        raise Unavailable("The board was changed meanwhile.", retry_after_s=RETRY_AFTER_S)


async def refold(
    transaction: Transaction, board: Board, player_id: str, periods: Sequence[BoardPeriod]
) -> tuple[Projection, ...]:
    """Fold the player's standings in these periods anew, those that exist.

    What is to be shown of that, which on a frozen board is nothing. Raises ScoreOutOfRange.
    """
    places = {"windows": [period.window for period in periods], "periods": [period.period for period in periods]}
    await transaction.execute("keep_standings", board=board.id, player_id=player_id, **places)
    since, until = zip(*(span(board.settings, period) for period in periods), strict=True) if periods else ((), ())
    rows = await transaction.fetch(
        "refold",
        board=board.id,
        player_id=player_id,
        **places,
        since=list(since),
        until=list(until),
        operator=board.settings.operator,
        signs=list(order_keys(board.settings).signs),
    )
    if any(outside for *_, outside in rows):
        raise ScoreOutOfRange
    return () if board.frozen_at is not None else tuple(projection(row[:-1]) for row in rows)


async def note_touched(transaction: Transaction, changes: Sequence[Projection], now: int) -> int | None:
    """Name the standings in the outbox; the row's id."""
    if not changes:
        return None
    touched = encode([(*change.period, change.player_id) for change in changes])
    [(outbox_id,)] = await transaction.fetch("write_outbox", now=now, touched=touched)
    return int(outbox_id)


def is_id(text: str) -> bool:
    """Whether it can be the id of a submission."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def history_item(row: Sequence[Any]) -> HistoryItem:
    """A submission from a row whose columns stand in the order of the Struct's fields."""
    submission_id, player_id, board, action, score, tiebreakers, *rest = row
    return HistoryItem(submission_id, player_id, board, action, score, tuple(tiebreakers), *rest)
