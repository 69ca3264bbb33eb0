"""Failures as a client meets them: the server's error classes by their code, and one for codes it does not know."""

import os
from collections.abc import Iterator
from typing import Any

import aiohttp
import msgspec

from scoreboard.errors import InternalError, OutcomeUnknown, RateLimited, ScoreboardError, Unavailable


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What an `application/problem+json` body and a WebSocket `error` message have in common."""

    code: str = ""
    title: str = ""
    detail: str = ""
    temporary: bool = False
    retry_after_ms: int | None = None
    result: dict[str, Any] | None = None


class ClientError(ScoreboardError):
    """The server refused with a code this client does not know; `problem_code` and `http_status` say which."""

    def __init__(self, problem: Problem, http_status: int, retry_after_s: float | None = None) -> None:
        super().__init__(problem.detail or problem.title, retry_after_s=retry_after_s, result=problem.result)
        self.problem_code = problem.code
        self.http_status = http_status


def error_of(problem: Problem, http_status: int = 0, retry_after_s: float | None = None) -> ScoreboardError:
    """The exception that a problem stands for; `http_status` is 0 on a WebSocket."""
    if retry_after_s is None and problem.retry_after_ms is not None:
        retry_after_s = problem.retry_after_ms / 1000
    known = _BY_CODE.get(problem.code) or _BY_STATUS.get(http_status)
    if known is None:
        return ClientError(problem, http_status, retry_after_s)
    return known(problem.detail or problem.title, retry_after_s=retry_after_s, result=problem.result)


def silent(url: str, fault: Exception) -> Unavailable:
    """Nobody listens at the address, or there is no such host: said in the system's own words."""
    reason = str(fault)
    if isinstance(fault, aiohttp.ClientConnectorError) and isinstance(number := fault.os_error.errno, int):
        reason = os.strerror(number) if number > 0 else fault.os_error.strerror or reason
    return Unavailable(f"{url} does not answer: {reason or type(fault).__name__}")


def _descendants(kind: type[ScoreboardError]) -> Iterator[type[ScoreboardError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


_BY_CODE: dict[str, type[ScoreboardError]] = {
    **{kind.code: kind for kind in _descendants(ScoreboardError) if kind is not ClientError},
    "internal_error": InternalError,
}

_BY_STATUS: dict[int, type[ScoreboardError]] = {
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: OutcomeUnknown,
}
"""What a proxy in front of the server says in its own words."""
