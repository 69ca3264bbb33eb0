"""One transaction on a connection that writes, whichever thread or process has it."""

import contextlib
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from scoreboard.storage.sqlite.faults import commit_fault

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]


def transact(connection: sqlite3.Connection, job: Job[T]) -> T:
    """Run the job in a transaction of its own; once this returns, what it wrote is on the disk.

    Raises what the job raises (then nothing happened), sqlite3.Error, and OutcomeUnknown or Unavailable for a commit
    that failed.
    """
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
