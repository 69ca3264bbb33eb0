"""What the errors of sqlite3 mean to the rest of the server; the only place that looks at them."""

import logging
import sqlite3

from scoreboard.errors import InternalError, OutcomeUnknown, ScoreboardError, Unavailable

log = logging.getLogger(__name__)

RETRY_AFTER_S = 1.0

_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "The database is locked.",
    sqlite3.SQLITE_CANTOPEN: "The database cannot be opened.",
    sqlite3.SQLITE_CORRUPT: "The database is damaged.",
    sqlite3.SQLITE_FULL: "The disk is full.",
    sqlite3.SQLITE_INTERRUPT: "The database stopped this request.",
    sqlite3.SQLITE_IOERR: "The database cannot be read or written.",
    sqlite3.SQLITE_LOCKED: "The database is locked.",
    sqlite3.SQLITE_NOMEM: "The database is out of memory.",
    sqlite3.SQLITE_NOTADB: "The database is damaged.",
    sqlite3.SQLITE_PERM: "The database cannot be written.",
    sqlite3.SQLITE_PROTOCOL: "The database is locked.",
    sqlite3.SQLITE_READONLY: "The database is read-only.",
}


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code without the extension; SQLITE_ERROR for a fault of the Python module."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def fault(error: sqlite3.Error) -> ScoreboardError:
    """What an error before the commit means: nothing happened; either try again, or it is a fault of ours."""
    detail = _UNAVAILABLE.get(primary_code(error))
    if detail is None:
        return InternalError()
    log.warning("sqlite: %s (%s)", error, getattr(error, "sqlite_errorname", "no code"))
    return Unavailable(detail, retry_after_s=RETRY_AFTER_S)


def commit_fault(error: sqlite3.Error) -> ScoreboardError:
    """What an error of COMMIT means.

    After a failed write or sync the frames of the transaction may be in the log or not, and recovery decides. A lock
    or a full disk is met before the last frame, without which the transaction does not count.
    """
    if primary_code(error) == sqlite3.SQLITE_IOERR:
        log.error("sqlite: the outcome of a commit is unknown: %s", error)
        return OutcomeUnknown(retry_after_s=RETRY_AFTER_S)
    return fault(error)
