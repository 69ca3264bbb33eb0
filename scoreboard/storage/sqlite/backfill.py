"""Windows that a board with a history did not have: their standings, folded from it."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from scoreboard.model import MAX_SCORE, Board, BoardPeriod
from scoreboard.storage.refold import CountedRow, refold
from scoreboard.storage.sqlite.ledger import standing_row, visible_key
from scoreboard.storage.sqlite.statements import MAX_ROWS, execute, fetch, write_rows

CHUNK = 5_000
"""Submissions read at a time: neither they nor the standings are ever all in memory."""

_rows = msgspec.json.Decoder(list[CountedRow])


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
    """The rows of the window's standings."""
    for each in refold(board.settings, window, _counted(connection, board.id)):
        key = visible_key(board.settings, each.player_id, each.status, each.standing)
        yield standing_row(BoardPeriod(board.id, window, each.period), each.player_id, each.standing, 1, key)


def _counted(connection: sqlite3.Connection, board_id: str) -> Iterator[CountedRow]:
    """What is counted on the board, player by player, each in fold order."""
    after: dict[str, object] = {"player_id": "", "accepted_at": -MAX_SCORE, "id": ""}
    while True:
        [(text,)] = fetch(connection, "counted_history", {"board": board_id, "limit": CHUNK, **after})
        rows = _rows.decode(text)
        yield from rows
        if len(rows) < CHUNK:
            return
        after = {"player_id": rows[-1].player_id, "accepted_at": rows[-1].accepted_at, "id": rows[-1].id}
