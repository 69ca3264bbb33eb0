"""The backend's named statements, and the ways to run one."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec

from scoreboard.storage.queries import load_queries

QUERIES = load_queries(__package__, "queries.sql", "oversight.sql", "webhooks.sql")

MAX_ROWS = 512
"""Rows written by one statement; more take several."""

Parameters = Mapping[str, object]


def fetch(connection: sqlite3.Connection, name: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
    """Run a statement and return all of its rows; a cursor left half-read would hold the log back."""
    return connection.execute(QUERIES[name], parameters or {}).fetchall()


def execute(connection: sqlite3.Connection, name: str, parameters: Parameters | None = None) -> int:
    """Run a statement that returns no rows; the number of rows it changed."""
    return connection.execute(QUERIES[name], parameters or {}).rowcount


def write_rows(connection: sqlite3.Connection, name: str, rows: Sequence[Sequence[object]]) -> None:
    """Run a statement that reads from `rows`, once for all of them.

    It tells a row from one of zeros by a column that is always text.
    """
    for start in range(0, len(rows), MAX_ROWS):
        chunk = rows[start : start + MAX_ROWS]
        width = len(chunk[0])
        # Only a power of two, so that few texts are ever compiled; the rest of the rows is zeros. None would take ten
        # times as long: sqlite3 looks for somebody who adapts it.
        size = 1 << (len(chunk) - 1).bit_length()
        values = [*chain.from_iterable(chunk), *[0] * (width * (size - len(chunk)))]
        connection.execute(with_rows(name, size, width), values)


@lru_cache(maxsize=256)
def with_rows(name: str, size: int, width: int) -> str:
    """The text of a statement that reads from `rows`, for so many rows and columns."""
    row = f"({', '.join('?' * width)})"
    return f"WITH rows AS (VALUES {', '.join([row] * size)}) {QUERIES[name]}"


def encode(value: object) -> str:
    """A value as JSON text, for a statement that takes many rows at once."""
    return msgspec.json.encode(value).decode()
