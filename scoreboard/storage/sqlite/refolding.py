"""Standings in SQLite beside their histories."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from scoreboard.errors import ScoreOutOfRange
from scoreboard.fold import Counted, Standing, fold
from scoreboard.model import Board, BoardPeriod
from scoreboard.storage.base import Refolded
from scoreboard.storage.sqlite.ledger import counted_by, decode_tiebreakers, visible_key
from scoreboard.storage.sqlite.statements import QUERIES

_standing = msgspec.json.Decoder(Standing)


def refolded(
    connection: sqlite3.Connection, board: Board, period: BoardPeriod, after: str | None, limit: int
) -> tuple[Refolded, ...]:
    """Some standings of a period, those after a player, and whether each is what its history comes to.

    However long a history is, it passes by row by row.
    """
    within = counted_by(board, period, "")
    parameters = {**period._asdict(), "since": within.start, "until": within.end, "after": after or "", "limit": limit}
    with closing(connection.execute(QUERIES["refolding"], parameters)) as rows:
        return tuple(Refolded(player_id, _agrees(board, mine)) for player_id, mine in groupby(rows, itemgetter(0)))


def _agrees(board: Board, rows: Iterator[Sequence[Any]]) -> bool:
    first = next(rows)
    player_id, status, key, stored, checkpoint, *_ = first
    try:
        folded = fold(board.settings, _counted(first, rows), _decoded(checkpoint))
    except ScoreOutOfRange:
        return False
    return folded == _decoded(stored) and key == visible_key(board.settings, player_id, status, folded)


def _counted(first: Sequence[Any], rows: Iterator[Sequence[Any]]) -> Iterator[Counted]:
    *_, at, submission_id, score, ties = first
    if submission_id is None:
        return
    yield Counted(at, submission_id, score, decode_tiebreakers(ties))
    for *_, at, submission_id, score, ties in rows:
        yield Counted(at, submission_id, score, decode_tiebreakers(ties))


def _decoded(text: str | None) -> Standing | None:
    return None if text is None else _standing.decode(text)
