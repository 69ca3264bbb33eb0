"""How a connection to the SQLite file is opened: one that writes, or one that cannot."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from scoreboard.errors import ConfigError
from scoreboard.storage.sqlite.faults import primary_code
from scoreboard.storage.sqlite.schema import migrate

RETRY_OPEN_S = 0.01
CACHED_STATEMENTS = 256
CACHE_KIB = 64 * 1_024
"""Pages that each connection may keep; standings are read and written all over the file."""

CHECKPOINT_PAGES = 4_000
"""How long the log may grow (16 MiB) before it is copied into the file: pages that change often are copied once."""


def connect_to_write(path: Path, busy_timeout_ms: int) -> sqlite3.Connection:
    """A connection whose commits are on the disk when they return, to a file with the newest schema.

    Raises ConfigError for a file that cannot be created or is no database of this server, and sqlite3.Error.
    """

    def prepare(connection: sqlite3.Connection) -> None:
        _use_log(connection, busy_timeout_ms)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # A statement that writes many rows keeps what it overwrites until its end: not in a file, which costs more.
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}").fetchall()
        migrate(connection)

    return _connect(path, busy_timeout_ms, prepare)


def connect_to_read(path: Path, busy_timeout_ms: int) -> sqlite3.Connection:
    """A connection that refuses to write."""

    def prepare(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA query_only = ON")

    return _connect(path, busy_timeout_ms, prepare)


def _connect(path: Path, busy_timeout_ms: int, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    _create(path)
    connection = sqlite3.connect(
        path, timeout=busy_timeout_ms / 1_000, isolation_level=None, cached_statements=CACHED_STATEMENTS
    )
    try:
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        prepare(connection)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error) and primary_code(error) == sqlite3.SQLITE_NOTADB:
            raise ConfigError(f"{path} is not a SQLite database") from error
        raise
    return connection


def _create(path: Path) -> None:
    try:
        if not path.exists():
            path.touch(mode=0o600)  # it holds password hashes; the files SQLite puts beside it get the same mode
    except OSError as error:
        raise ConfigError(f"the database {path} cannot be created: {error.strerror}") from error


def _use_log(connection: sqlite3.Connection, busy_timeout_ms: int) -> None:
    """Switch to the write-ahead log. Of several that open a new file SQLite refuses all but one, without waiting."""
    deadline_s = time.monotonic() + busy_timeout_ms / 1_000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
            time.sleep(RETRY_OPEN_S)  # in the writer's thread; nobody else uses it yet
        else:
            return
