"""Windows that a board with a history did not have: their standings, folded from it."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby, islice

import msgspec
from msgspec import Struct

from scoreboard.errors import ScoreOutOfRange
from scoreboard.fold import Counted, fold
from scoreboard.model import MAX_SCORE, Board, BoardPeriod
from scoreboard.periods import period_at
from scoreboard.storage.sqlite.ledger import standing_row, visible_key
from scoreboard.storage.sqlite.statements import MAX_ROWS, execute, fetch, write_rows

CHUNK = 5_000
"""Submissions read at a time: neither they nor the standings are ever all in memory."""


class _Row(Struct, frozen=True, array_like=True):
    player_id: str
    status: str
    accepted_at: int
    id: str
    score: int
    tiebreakers: tuple[int, ...]


_rows = msgspec.json.Decoder(list[_Row])


def backfill(connection: sqlite3.Connection, board: Board, windows: Sequence[str]) -> None:
    """Fold the standings of these windows, and every period of them, anew. Reads the history once for each window.

    Raises ScoreOutOfRange where a sum is, and BadRequest for a submission in a year that has no periods.
    """
    for window in windows:
        execute(connection, "empty_window", {"board": board.id, "window": window})
        standings = _folded(connection, board, window)
        while rows := list(islice(standings, MAX_ROWS)):
            write_rows(connection, "write_standings", rows)


def _folded(connection: sqlite3.Connection, board: Board, window: str) -> Iterator[tuple[object, ...]]:
    """The rows of the window's standings. Periods come one after the other, since history is read in their order."""
    settings = board.settings

    def standing_of(row: _Row) -> tuple[str, str, str | None]:
        return row.player_id, row.status, period_at(settings, window, row.accepted_at)

    for (player_id, status, period), rows in groupby(_counted(connection, board.id), standing_of):
        if period is None:  # outside the season
            continue
        try:
            standing = fold(settings, (Counted(row.accepted_at, row.id, row.score, row.tiebreakers) for row in rows))
        except ScoreOutOfRange:
            raise ScoreOutOfRange(f"In {window} {period} the sum of {player_id} would be beyond 2^53-1.") from None
        key = visible_key(settings, player_id, status, standing)
        yield standing_row(BoardPeriod(board.id, window, period), player_id, standing, 1, key)


def _counted(connection: sqlite3.Connection, board_id: str) -> Iterator[_Row]:
    """What is counted on the board, player by player, each in fold order."""
    after: dict[str, object] = {"player_id": "", "accepted_at": -MAX_SCORE, "id": ""}
    while True:
        [(text,)] = fetch(connection, "counted_history", {"board": board_id, "limit": CHUNK, **after})
        rows = _rows.decode(text)
        yield from rows
        if len(rows) < CHUNK:
            return
        after = {"player_id": rows[-1].player_id, "accepted_at": rows[-1].accepted_at, "id": rows[-1].id}
