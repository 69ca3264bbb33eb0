import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scoreboard.storage.queries import Queries
from scoreboard.storage.sqlite.connection import Database
from scoreboard.storage.sqlite.statements import MAX_ROWS, QUERIES, with_rows, write_rows

COLUMNS = {
    "write_players": 5,
    "write_actions": 11,
    "write_history": 11,
    "write_standings": 11,
    "write_reviews": 5,
    "add_audit": 10,
}
"""How many columns the statements that read from `rows` take."""

SMALL = {
    "boards": "boards",
    "keys": "api_keys",
    "next_epoch": "epochs",
    "take_outbox": "outbox",
    "backlog": "outbox",
    "board_sample": "history",
    "webhooks": "webhooks",
    "add_webhook": "webhooks",
    "tell_finalized": "webhooks",
    "any_due": "webhooks",
    "take_deliveries": "webhooks",
    "arrears": "webhooks",
}
"""Statements that read a small table from end to end, or so many rows of a large one."""

ONE_ROW = "horizon"
"""A table of one row, which any statement may read."""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "scoreboard.db")
    await database.open()
    yield database
    await database.close()


@pytest.mark.parametrize("name", sorted(QUERIES))
async def test_every_statement_fits_the_schema_and_searches_by_an_index(database: Database, name: str) -> None:
    sql = with_rows(name, 2, COLUMNS[name]) if name in COLUMNS else QUERIES[name]
    parameters = dict.fromkeys(re.findall(r":([a-z_]+)", sql), "1")
    values = [None] * 2 * COLUMNS[name] if name in COLUMNS else parameters

    def read(connection: sqlite3.Connection) -> tuple[set[str], set[str]]:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        steps = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        return {name for (name,) in names}, {step[3].split()[1] for step in steps if step[3].startswith("SCAN ")}

    tables, scanned = await database.read(read)
    assert scanned & tables <= {SMALL.get(name), ONE_ROW}


@pytest.mark.parametrize("count", [0, 1, 2, 3, 64, 65, MAX_ROWS, MAX_ROWS + 1, 3 * MAX_ROWS])
async def test_many_rows_are_written_as_they_are(database: Database, count: int) -> None:
    rows = [(number, "0", "act", f"'{number}'", "{}", "", 0, b"", b"", b"") for number in range(count)]
    await database.write(lambda connection: write_rows(connection, "add_audit", rows))
    stored = await database.read(lambda connection: connection.execute("SELECT * FROM audit ORDER BY rowid").fetchall())
    assert stored == rows


def test_queries_are_found_by_name() -> None:
    queries = Queries(
        "-- A file.\n\n-- name: one\n-- For this.\nSELECT 1;\n\n\n-- Part\n\n-- name: two\n-- A\n-- B\nSELECT\n 2;\n"
    )
    assert dict(queries) == {"one": "SELECT 1", "two": "SELECT\n 2"}


@pytest.mark.parametrize(
    "text",
    [
        "-- name: one\nSELECT 1;\n",
        "-- name: one\n-- For this.\nSELECT 1\n",
        "-- name: one\n-- For this.\n",
        "-- name: One\n-- For this.\nSELECT 1;\n",
        "-- name: one\n-- For this.\nSELECT 1;\nSELECT 2;\n",
        "-- name: one\n-- For this.\nSELECT 1;\n-- name: one\n-- For that.\nSELECT 2;\n",
    ],
)
def test_a_query_without_name_purpose_or_end_and_a_second_of_that_name_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quer"):
        Queries(text)
