"""The schema's numbered migrations: each a file of statements, applied once, in a transaction of its own."""

import sqlite3
from collections.abc import Iterator
from importlib.resources import files

from scoreboard.errors import ConfigError


def migrations() -> tuple[str, ...]:
    """The SQL of every migration in order; the first is number 1."""
    folder = files(__package__).joinpath("migrations")
    scripts = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return tuple(script.read_text(encoding="utf-8") for script in scripts)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the database to the newest schema; one that has it is only read.

    Raises ConfigError for a database that a newer version of the server has migrated.
    """
    scripts = migrations()
    while _version(connection) != len(scripts):
        _step(connection, scripts)


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
