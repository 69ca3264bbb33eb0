"""What the errors of Redis and its driver mean to the rest of the server; the only place that looks at them."""

import asyncio

from redis import exceptions

from scoreboard.errors import InternalError, ScoreboardError, Unavailable

RETRY_AFTER_S = 1.0

LOST = (exceptions.ConnectionError, exceptions.TimeoutError, OSError, asyncio.TimeoutError)
"""The server cannot be reached, or has not answered: whether it did what it was told is not known."""

_NOT_NOW = ("LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "OOM", "TRYAGAIN", "MISCONF", "NOREPLICAS", "BUSY")
"""First words of the answers of a server that may do it later, or that is not the one to ask any more."""


def is_not_now(fault: BaseException) -> bool:
    """Whether the server is up but cannot do it now."""
    if isinstance(fault, exceptions.BusyLoadingError | exceptions.ReadOnlyError | exceptions.OutOfMemoryError):
        return True
    return isinstance(fault, exceptions.RedisError) and str(fault).split(" ", 1)[0] in _NOT_NOW


def as_error(fault: BaseException) -> ScoreboardError:
    """The fault as the rest of the server knows it."""
    if isinstance(fault, LOST) or is_not_now(fault):
        return Unavailable("The ranking cannot be reached.", retry_after_s=RETRY_AFTER_S)
    return InternalError()
