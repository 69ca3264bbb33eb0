"""Forgetting the older part of the history in SQLite."""

import sqlite3
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from scoreboard.clock import uuid7
from scoreboard.fold import Counted, Standing, fold
from scoreboard.model import Board, BoardPeriod
from scoreboard.storage.retention import beginnings, month_of
from scoreboard.storage.sqlite.boards import SqliteBoards
from scoreboard.storage.sqlite.ledger import decode_tiebreakers, encode_tiebreakers
from scoreboard.storage.sqlite.standings import SqliteStandings
from scoreboard.storage.sqlite.statements import encode, execute, fetch
from scoreboard.storage.sqlite.submissions import SWEEP_ROWS


class SqliteRetention(SqliteBoards, SqliteStandings):
    """`scoreboard.storage.base.Retention`."""

    async def forget_history(self, before: int) -> int:
        """Forget the submissions of whole months before the instant, but for what they came to."""
        boards = [(board, await self.periods(board.id, everything=True)) for board in await self.boards()]
        horizon = await self._database.write(lambda connection: _advance(connection, boards, month_of(before)))
        parameters = {"before": uuid7(horizon), "limit": SWEEP_ROWS}
        forgotten, swept = 0, SWEEP_ROWS
        while swept == SWEEP_ROWS:
            swept = await self._database.write(lambda connection: execute(connection, "sweep_history", parameters))
            forgotten += swept
        return forgotten


def _advance(connection: sqlite3.Connection, boards: Sequence[tuple[Board, Sequence[BoardPeriod]]], wanted: int) -> int:
    """Move the horizon forward, as far as nothing older waits for a decision; where it is then."""
    [(horizon, waits)] = fetch(connection, "horizon", {})
    until = wanted if waits is None else min(wanted, month_of(waits))
    if until <= horizon:
        return int(horizon)
    for board, periods in boards:
        kept = beginnings(board, periods, until)
        for since in kept:
            _put_checkpoints(connection, board, since, horizon, until)
        execute(connection, "drop_checkpoints", {"board": board.id, "kept": encode(kept)})
    execute(connection, "move_horizon", {"at": until})
    return until


def _put_checkpoints(connection: sqlite3.Connection, board: Board, since: int, horizon: int, until: int) -> None:
    bounds = {"board": board.id, "since": max(since, horizon), "until": until}
    rows = fetch(connection, "retiring", bounds)
    for player_id, some in groupby(rows, itemgetter(0)):
        place = {"board": board.id, "player_id": player_id, "since": since}
        before = fetch(connection, "checkpoint", place)
        start = None if not before else _standing(before[0])
        submissions = [Counted(at, id, score, decode_tiebreakers(ties)) for _, at, id, score, ties in some]
        standing = fold(board.settings, submissions, start)
        assert standing is not None
        row = {
            "score": standing.score,
            "tiebreakers": encode_tiebreakers(standing.tiebreakers),
            "achieved_at": standing.achieved_at,
            "last_at": standing.last_at,
            "last_id": standing.last_id,
        }
        execute(connection, "put_checkpoint", {**place, **row})


def _standing(row: Sequence[Any]) -> Standing:
    score, tiebreakers, *rest = row
    return Standing(score, decode_tiebreakers(tiebreakers), *rest)
