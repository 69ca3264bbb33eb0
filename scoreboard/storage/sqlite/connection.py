"""One SQLite file: transactions on the thread that writes, reads on a few others."""

import contextlib
import sqlite3
from functools import partial
from pathlib import Path

from scoreboard.storage.sqlite.faults import commit_fault
from scoreboard.storage.sqlite.opening import connect_to_read, connect_to_write
from scoreboard.storage.sqlite.workers import Job, T, Workers

READERS = 2
MAX_WAITING = 1_000
"""Jobs that may wait for the writer, and as many for the readers; one more is refused as Overloaded."""

BUSY_TIMEOUT_MS = 1_000
"""How long to wait for another process that writes; then Unavailable."""


class Database:
    """One SQLite file: `write` runs a job in a transaction, `read` runs one on a connection that cannot write."""

    def __init__(self, path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS, max_waiting: int = MAX_WAITING) -> None:
        self._writer = Workers("sqlite-writer", 1, partial(connect_to_write, path, busy_timeout_ms), max_waiting)
        self._readers = Workers("sqlite-reader", READERS, partial(connect_to_read, path, busy_timeout_ms), max_waiting)

    async def open(self) -> None:
        """Open every connection and bring the schema up to date. Raises ConfigError, Unavailable."""
        try:
            await self._writer.start()
            await self._readers.start()
        except BaseException:
            await self.close()
            raise

    async def write(self, job: Job[T]) -> T:
        """Run the job in a transaction of its own and return once that is durable.

        A cancelled caller does not stop a job that has begun; one that waits is skipped. Raises what the job raises
        (then nothing happened), Overloaded, Unavailable, and OutcomeUnknown for a commit that failed half-way.
        """
        return await self._writer.run(lambda connection: _transact(connection, job))

    async def read(self, job: Job[T]) -> T:
        """Run the job, one statement, on the newest committed state. Raises Overloaded, Unavailable."""
        return await self._readers.run(job)

    async def close(self) -> None:
        """Finish the jobs that wait and let go of the file; new ones are refused."""
        await self._readers.close()
        await self._writer.close()


def _transact(connection: sqlite3.Connection, job: Job[T]) -> T:
    if connection.in_transaction:  # an earlier rollback failed, for example because the disk did
        connection.rollback()
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = job(connection)
        _commit(connection)
    except BaseException:
        # The error is told of, not what came of tidying up after it.
        with contextlib.suppress(sqlite3.Error):
            connection.rollback()
        raise
    return result


def _commit(connection: sqlite3.Connection) -> None:
    try:
        connection.commit()
    except sqlite3.Error as error:
        raise commit_fault(error) from error
