"""Submissions in SQLite: committed, read, and taken back."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from scoreboard.errors import Unavailable
from scoreboard.fold import fold
from scoreboard.model import AuditEntry, Board, BoardPeriod, Committed, HistoryItem, Projection, Submission
from scoreboard.storage.base import Committal, Touched, Voided
from scoreboard.storage.sqlite.actions import Taken, repeated
from scoreboard.storage.sqlite.audit import append
from scoreboard.storage.sqlite.faults import RETRY_AFTER_S
from scoreboard.storage.sqlite.ledger import (
    Ledger,
    Named,
    Stored,
    counted_by,
    decode_tiebreakers,
    read_counted,
    read_standings,
)
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import execute, fetch

SWEEP_ROWS = 1_000
"""Rows forgotten in one transaction, so that a sweep never holds up the submissions for long."""


class SqliteSubmissions(Part):
    """`scoreboard.storage.base.Submissions`."""

    async def commit(self, boards: Sequence[Board], batch: Sequence[Submission], now: int) -> Committal:
        """Store a batch in one transaction; `boards[i]` is the board of `batch[i]`."""
        return await self._database.commit(boards, batch, now)

    async def outcome(self, action_id: str) -> Committed | None:
        """The stored outcome of an action id, as a repeat."""
        rows = await self._database.read(lambda connection: fetch(connection, "action", {"action_id": action_id}))
        return repeated(Taken(*rows[0])) if rows else None

    async def claim(self, idempotency_key: str, fingerprint: bytes, kept_until: int) -> bool:
        """Take a key for one request, until then; False where another request took it before."""
        parameters = {"id": idempotency_key, "fingerprint": fingerprint, "kept_until": kept_until}
        [(owner,)] = await self._database.write(lambda connection: fetch(connection, "claim", parameters))
        return bool(owner == fingerprint)

    async def submission(self, submission_id: str) -> HistoryItem | None:
        """One submission."""
        return await self._database.read(lambda connection: _submission(connection, submission_id))

    async def void(
        self, board: Board, submission_id: str, periods: Sequence[BoardPeriod], entries: Sequence[AuditEntry]
    ) -> Voided | None:
        """Take a counted submission out of the standings of `periods`, which are refolded, and write the audit entries.

        Raises ScoreOutOfRange where the sum without it is out of range, Unavailable where the board was changed.
        """
        return await self._database.write(lambda connection: _void(connection, board, submission_id, periods, entries))

    async def sweep(self, now: int) -> int:
        """Forget action ids and keys kept until before the instant, and expired sessions; returns how many."""
        forgotten = 0
        for name in ("sweep_actions", "sweep_claims", "sweep_sessions"):
            swept = SWEEP_ROWS
            while swept == SWEEP_ROWS:
                swept = await self._sweep(name, now)
                forgotten += swept
        return forgotten

    async def _sweep(self, name: str, now: int) -> int:
        parameters = {"now": now, "limit": SWEEP_ROWS}
        return await self._database.write(lambda connection: execute(connection, name, parameters))

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
        name = "history" if before is None else "history_before"
        wanted = {"board": board, "player_id": player_id, "before": before, "limit": limit}
        parameters = {**wanted, "counted_only": counted_only, "frozen": frozen}
        rows = await self._database.read(lambda connection: fetch(connection, name, parameters))
        return tuple(history_item(row) for row in rows)


def _void(
    connection: sqlite3.Connection,
    board: Board,
    submission_id: str,
    periods: Sequence[BoardPeriod],
    entries: Sequence[AuditEntry],
) -> Voided | None:
    item = _submission(connection, submission_id)
    if item is None or item.board != board.id:
        return None
    if item.state != "counted":
        return Voided(item, (), None, done=False)
    check_revision(connection, board)
    execute(connection, "keep_state", {"id": submission_id})
    if not execute(connection, "void_submission", {"id": submission_id}):  # too old: its row is about to go
        return Voided(item, (), None, done=False)
    ledger = Ledger()
    changes = refold(connection, ledger, board, item.player_id, periods)
    append(connection, entries)
    return Voided(replace(item, state="voided"), changes, ledger.write(connection, entries[-1].at))


def check_revision(connection: sqlite3.Connection, board: Board) -> None:
    """Raise Unavailable where the board is another by now: it may have a window that must be refolded too."""
    [(revision,)] = fetch(connection, "board_revision", {"id": board.id})
    if revision != board.revision:
        raise Unavailable("The board was changed meanwhile.", retry_after_s=RETRY_AFTER_S)


def refold(
    connection: sqlite3.Connection,
    ledger: Ledger,
    board: Board,
    player_id: str,
    periods: Sequence[BoardPeriod],
    *,
    creates: bool = False,
) -> tuple[Projection, ...]:
    """Fold the player's standings in these periods anew; those that are not there yet where it `creates` them.

    What is to be shown of that, which on a frozen board is nothing. Raises ScoreOutOfRange.
    """
    [named] = fetch(connection, "named", {"id": player_id})
    standings = read_standings(connection, [Touched(period, player_id) for period in periods])
    if creates:
        known = {row.index for row in standings}
        standings += [Stored(index, 0, None) for index in range(len(periods)) if index not in known]
    counted = read_counted(connection, [counted_by(board, periods[row.index], player_id) for row in standings])
    put = ledger.put if board.frozen_at is None else ledger.put_unseen
    shown = [
        put(
            board.settings,
            periods[row.index],
            Named(*named),
            fold(board.settings, each.submissions, each.start),
            row.revision + 1,
        )
        for row, each in zip(standings, counted, strict=True)
    ]
    return tuple(projection for projection in shown if projection is not None)


def _submission(connection: sqlite3.Connection, submission_id: str) -> HistoryItem | None:
    rows = fetch(connection, "submission", {"id": submission_id})
    return history_item(rows[0]) if rows else None


def history_item(row: Sequence[Any]) -> HistoryItem:
    """A submission from a row whose columns stand in the order of the Struct's fields."""
    submission_id, player_id, board, action, score, tiebreakers, *rest = row
    return HistoryItem(submission_id, player_id, board, action, score, decode_tiebreakers(tiebreakers), *rest)
