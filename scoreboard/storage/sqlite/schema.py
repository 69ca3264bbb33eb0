"""The schema's numbered migrations: each a file of statements, applied once, in a transaction of its own."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from importlib.resources import files

from scoreboard.errors import ConfigError
from scoreboard.storage.outdated import outdated


def migrations() -> tuple[str, ...]:
    """The SQL of every migration in order; the first is number 1."""
    folder = files(__package__).joinpath("migrations")
    scripts = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return tuple(script.read_text(encoding="utf-8") for script in scripts)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the database to the newest schema; one that has it is only read.

    Raises ConfigError for a database that a newer version of the server has migrated, or one from before its release
    has made.
    """
    scripts = migrations()
    while _version(connection) != len(scripts):
        _step(connection, scripts)
    missing = _wanted() - _parts(connection)
    if missing:
        raise ConfigError(outdated(min(missing)))


def _step(connection: sqlite3.Connection, scripts: tuple[str, ...]) -> None:
    """Apply the next migration. Its number is read under the lock: another process may have been first."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        if version > len(scripts):
            raise ConfigError(f"the database has schema {version}, this server knows {len(scripts)}: use a newer one")
        if version < len(scripts):
            _apply(connection, scripts[version], version + 1)
        connection.commit()
    finally:
        connection.rollback()


def _apply(connection: sqlite3.Connection, script: str, number: int) -> None:
    for statement in _statements(script):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {number}")


@cache
def _wanted() -> frozenset[str]:
    """What a new database has."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        for number, script in enumerate(migrations(), 1):
            _apply(new, script, number)
        return _parts(new)


def _parts(connection: sqlite3.Connection) -> frozenset[str]:
    """Its tables, views and triggers, in words."""
    found = connection.execute("SELECT type || ' ' || name FROM sqlite_schema WHERE type <> 'index'").fetchall()
    return frozenset(part for (part,) in found)


def _version(connection: sqlite3.Connection) -> int:
    [(version,)] = connection.execute("PRAGMA user_version").fetchall()
    return int(version)


def _statements(script: str) -> Iterator[str]:
    """Split a script; `executescript` would commit the transaction that it runs in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
