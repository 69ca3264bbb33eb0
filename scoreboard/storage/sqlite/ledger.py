"""Standings as rows: read some, refold them from the history, write them with their order keys."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct

from scoreboard.fold import Counted, Standing
from scoreboard.model import Board, BoardPeriod, BoardSettings, Projection
from scoreboard.order import order_keys
from scoreboard.storage.base import Touched
from scoreboard.storage.spans import span
from scoreboard.storage.sqlite.statements import encode, execute, fetch, write_rows


class Named(Struct, array_like=True):
    """What a projection needs to know of a player."""

    id: str
    name: str
    revision: int
    status: str


class Stored(Struct, frozen=True, array_like=True):
    """A standing's row; `index` is its place in the list that was asked for. `standing` is None if nothing counts."""

    index: int
    revision: int
    standing: Standing | None


class Wanted(NamedTuple):
    """The counted submissions of a player on a board, within the bounds of a period."""

    board: str
    player_id: str
    start: int
    end: int


class History(NamedTuple):
    """What is counted in a standing: submissions in fold order, after what those came to that are not kept."""

    start: Standing | None
    submissions: list[Counted]


class _CountedRow(Struct, frozen=True, array_like=True):
    index: int
    accepted_at: int
    id: str
    score: int
    tiebreakers: tuple[int, ...]


_stored = msgspec.json.Decoder(list[Stored])
_counted = msgspec.json.Decoder(list[_CountedRow])
_checkpoints = msgspec.json.Decoder(list[tuple[int, Standing]])


def decode_stored(text: str) -> list[Stored]:
    """Rows from the JSON array of a statement."""
    return _stored.decode(text)


def read_standings(connection: sqlite3.Connection, wanted: Sequence[Touched]) -> list[Stored]:
    """The rows of those standings that exist; `index` tells which."""
    [(text,)] = fetch(connection, "standings", {"wanted": encode([(*period, player) for period, player in wanted])})
    return decode_stored(text)


def counted_by(board: Board, period: BoardPeriod, player_id: str) -> Wanted:
    """What is counted in a standing."""
    return Wanted(board.id, player_id, *span(board.settings, period))


def read_counted(connection: sqlite3.Connection, asked: Sequence[Wanted]) -> list[History]:
    """For each, what is counted in it."""
    [(text, checkpoints)] = fetch(connection, "counted", {"wanted": encode(asked)})
    starts = dict(_checkpoints.decode(checkpoints))
    found = [History(starts.get(index), []) for index in range(len(asked))]
    for row in _counted.decode(text):
        found[row.index].submissions.append(Counted(row.accepted_at, row.id, row.score, row.tiebreakers))
    for history in found:
        history.submissions.sort()
    return found


class Ledger:
    """Standings moved by a transaction, until they are written together."""

    def __init__(self) -> None:
        self._rows: list[tuple[object, ...]] = []
        self._kept: list[tuple[str, str, str, str]] = []
        self._touched: list[tuple[str, str, str, str]] = []

    def put(
        self, settings: BoardSettings, period: BoardPeriod, player: Named, standing: Standing | None, revision: int
    ) -> Projection:
        """Store the standing, None where nothing is counted any longer; returns its projection."""
        key = visible_key(settings, player.id, player.status, standing)
        self._rows.append(standing_row(period, player.id, standing, revision, key))
        self._touched.append((*period, player.id))
        return Projection(period, player.id, revision, key, player.name, player.revision)

    def put_unseen(
        self, settings: BoardSettings, period: BoardPeriod, player: Named, standing: Standing | None, revision: int
    ) -> None:
        """The same on a frozen board, where all go on seeing what the standing was."""
        key = visible_key(settings, player.id, player.status, standing)
        self._rows.append(standing_row(period, player.id, standing, revision, key))
        self._kept.append((*period, player.id))

    def touch(self, projections: Sequence[Projection]) -> None:
        """Name standings in the outbox without moving them."""
        self._touched += [(*projection.period, projection.player_id) for projection in projections]

    def write(self, connection: sqlite3.Connection, now: int) -> int | None:
        """Write the standings and the outbox row, whose id is returned; None where nothing was touched."""
        if self._kept:
            execute(connection, "keep_standings", {"wanted": encode(self._kept)})
        write_rows(connection, "write_standings", self._rows)
        if not self._touched:
            return None
        [(outbox_id,)] = fetch(connection, "write_outbox", {"at": now, "touched": encode(self._touched)})
        return int(outbox_id)


def standing_row(
    period: BoardPeriod, player_id: str, standing: Standing | None, revision: int, key: bytes | None
) -> tuple[object, ...]:
    """A row for `write_standings`."""
    return (*period, player_id, *(_EMPTY if standing is None else _columns(standing)), revision, key)


def visible_key(settings: BoardSettings, player_id: str, status: str, standing: Standing | None) -> bytes | None:
    """The order key of a standing, None where it must not be seen."""
    if standing is None or status != "active":
        return None
    keys = order_keys(settings)
    return keys.encode(standing.score, standing.tiebreakers, standing.achieved_at, player_id)


_EMPTY = (None, None, None, None, None)


def _columns(standing: Standing) -> tuple[object, ...]:
    tiebreakers = encode_tiebreakers(standing.tiebreakers)
    return standing.score, tiebreakers, standing.achieved_at, standing.last_at, standing.last_id


def encode_tiebreakers(tiebreakers: tuple[int, ...]) -> str:
    """Tie columns as they are stored; most boards have none."""
    return encode(tiebreakers) if tiebreakers else "[]"


decode_tiebreakers = msgspec.json.Decoder(tuple[int, ...]).decode
"""Tie columns from their JSON text."""
