"""What the errors of PostgreSQL and its driver mean to the rest of the server; the only place that looks at them."""

import asyncio
import logging

import psycopg2
from psycopg2 import errorcodes

from scoreboard.errors import InternalError, ScoreboardError, Unavailable

log = logging.getLogger(__name__)

RETRY_AFTER_S = 1.0

_RETRIED = {errorcodes.SERIALIZATION_FAILURE, errorcodes.DEADLOCK_DETECTED}
_ENDED = {errorcodes.ADMIN_SHUTDOWN, errorcodes.CRASH_SHUTDOWN, errorcodes.CANNOT_CONNECT_NOW}
_NOT_NOW = {
    errorcodes.QUERY_CANCELED: "The database took too long.",
    errorcodes.LOCK_NOT_AVAILABLE: "The database is locked.",
    errorcodes.DISK_FULL: "The disk of the database is full.",
    errorcodes.OUT_OF_MEMORY: "The database is out of memory.",
    errorcodes.TOO_MANY_CONNECTIONS: "The database has too many connections.",
    errorcodes.READ_ONLY_SQL_TRANSACTION: "The database is read-only.",
    errorcodes.IO_ERROR: "The database cannot be read or written.",
}


class Lost(Exception):
    """The connection broke, or nothing was heard in time: what was under way may have happened or not."""


class Conflicted(Exception):
    """The transaction met another one and was undone: it may be tried again at once."""


def is_cancel(fault: BaseException) -> bool:
    """Whether a cancellation is none of ours: aiopg raises one where the server stopped the statement."""
    return isinstance(fault, asyncio.CancelledError) and isinstance(
        fault.__context__, psycopg2.extensions.QueryCanceledError
    )


def meaning(fault: Exception, broken: bool) -> Exception:
    """What an error of a statement means; `broken` tells that its connection is of no use any more."""
    code = getattr(fault, "pgcode", None)
    if isinstance(fault, TimeoutError) or code in _ENDED or (broken and code is None):
        return Lost(str(fault).strip() or "no answer in time")
    if code in _RETRIED:
        return Conflicted()
    return _definite(fault, code)


def _definite(fault: Exception, code: str | None) -> ScoreboardError:
    detail = _NOT_NOW.get(code or "")
    if detail is None:
        log.error("postgres: %s (%s)", str(fault).strip(), code)
        return InternalError()
    log.warning("postgres: %s (%s)", str(fault).strip(), code)
    return Unavailable(detail, retry_after_s=RETRY_AFTER_S)


def stopped() -> Unavailable:
    """The server stopped the statement, which took too long; nothing happened."""
    return Unavailable(_NOT_NOW[errorcodes.QUERY_CANCELED], retry_after_s=RETRY_AFTER_S)


def unreachable() -> Unavailable:
    """The database cannot be reached; nothing happened."""
    return Unavailable("The database cannot be reached.", retry_after_s=RETRY_AFTER_S)
