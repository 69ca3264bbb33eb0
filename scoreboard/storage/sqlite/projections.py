"""Projections as the database has them: many rows in one JSON array, because that is one step of the statement."""

import sqlite3
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from scoreboard.model import BoardPeriod, Projection
from scoreboard.storage.base import Touched
from scoreboard.storage.sqlite.statements import Parameters, encode, fetch


class _Row(Struct, frozen=True, array_like=True):
    period: BoardPeriod
    player_id: str
    revision: int
    key: str
    name: str
    name_revision: int

    def projection(self) -> Projection:
        key = bytes.fromhex(self.key) if self.key else None
        return Projection(self.period, self.player_id, self.revision, key, self.name, self.name_revision)


_rows = msgspec.json.Decoder(list[_Row])


def projections(connection: sqlite3.Connection, touched: Sequence[Touched]) -> tuple[Projection, ...]:
    """These standings, those that exist."""
    wanted = encode([(*period, player_id) for period, player_id in touched])
    return _read(connection, "projections", {"wanted": wanted})


def projections_of(connection: sqlite3.Connection, player_id: str) -> tuple[Projection, ...]:
    """All of a player's standings."""
    return _read(connection, "projections_of", {"player_id": player_id})


def standings_of(
    connection: sqlite3.Connection, period: BoardPeriod, after: str | None, limit: int
) -> tuple[Projection, ...]:
    """A page of a period's standings by player id, those after a player."""
    return _read(connection, "standings_of", {**period._asdict(), "after": after or "", "limit": limit})


def _read(connection: sqlite3.Connection, name: str, parameters: Parameters) -> tuple[Projection, ...]:
    [(text,)] = fetch(connection, name, parameters)
    return tuple(row.projection() for row in _rows.decode(text))
