"""The one place where errors become HTTP answers (RFC 9457, `application/problem+json`)."""

import asyncio
import logging
import math
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web
from msgspec import UNSET

from scoreboard.api.limiting import policy_of
from scoreboard.codec import encode_json
from scoreboard.errors import (
    BadRequest,
    InternalError,
    NotFound,
    OriginRefused,
    Overloaded,
    ScoreboardError,
    TooLarge,
    Unauthenticated,
)
from scoreboard.metrics import Metrics
from scoreboard.wire import Problem

log = logging.getLogger(__name__)

METRICS: web.AppKey[Metrics] = web.AppKey("metrics", Metrics)

REST_S = 0.25
"""How long a connection rests after a refusal for want of room."""

PROBLEM = "application/problem+json"

TYPES = "https://scoreboard.invalid/problems/"

RequestHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def problem(fault: ScoreboardError, request_id: str, status: int | None = None) -> web.Response:
    """An error as an answer."""
    status = status or fault.status
    body = Problem(
        type=TYPES + fault.code,
        title=fault.title,
        status=status,
        code=fault.code,
        detail=fault.detail or fault.title,
        request_id=request_id,
        result=UNSET if fault.result is None else fault.result,
        quota=UNSET if fault.quota is None else fault.quota,
    )
    kind = _Resting if isinstance(fault, Overloaded) else web.Response
    return kind(
        body=encode_json(body),
        status=status,
        headers=_headers(fault, request_id),
        content_type=PROBLEM,
    )


def _headers(fault: ScoreboardError, request_id: str) -> dict[str, str]:
    headers = {"X-Request-ID": request_id, "Cache-Control": "no-store"}
    if fault.retry_after_s is not None:
        wait = headers["Retry-After"] = str(max(1, math.ceil(fault.retry_after_s)))
        if fault.quota is not None:
            headers.update([policy_of(fault.quota), ("RateLimit", f'"{fault.quota.name}";r=0;t={wait}')])
    if isinstance(fault, OriginRefused):  # a socket that is refused tells its page nothing, but this may be asked for
        headers["Access-Control-Allow-Origin"] = "*"
    if isinstance(fault, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return headers


class _Resting(web.Response):
    """A refusal for want of room, told at once; the next request on its connection is read a little later.

    To refuse costs a fair part of what it costs to serve. Whoever asks again at once, against the advice, would take
    from those who are served.
    """

    async def write_eof(self, data: bytes = b"") -> None:
        """Send it, then rest."""
        await super().write_eof(data)
        await asyncio.sleep(REST_S)


async def answer(request: web.Request, handler: RequestHandler) -> web.StreamResponse:
    """Let the handler answer, or answer for what it raises."""
    try:
        return await handler(request)
    except Exception as fault:  # the last resort is to tell that something failed
        return explain(fault, request, secrets.token_hex(8), request.app[METRICS])


def explain(fault: Exception, request: web.Request, request_id: str, metrics: Metrics) -> web.Response:
    """The answer for a fault; an unforeseen one is logged, counted and told nobody."""
    if isinstance(fault, ScoreboardError):
        count_refusal(fault, metrics)
        return problem(fault, request_id)
    if isinstance(fault, web.HTTPException):
        if fault.status < 400:
            raise fault
        response = problem(_of_status(fault), request_id, fault.status)
        if "Allow" in fault.headers:
            response.headers["Allow"] = fault.headers["Allow"]
        return response
    report(fault, f"{request.method} {request.path}", request_id, metrics)
    return problem(InternalError(), request_id)


def count_refusal(fault: ScoreboardError, metrics: Metrics) -> None:
    """Count a fault that a client is told, if it may be gone when it asks again."""
    if fault.temporary:
        metrics.refused.labels(fault.code, fault.quota.name if fault.quota else "").inc()


def report(fault: Exception, what: str, request_id: str, metrics: Metrics) -> None:
    """Log and count a fault that nobody foresaw; the client is told `internal_error` and the request's id."""
    metrics.internal_errors.inc()
    log.error("request %s: %s failed", request_id, what, exc_info=fault)


def _of_status(fault: web.HTTPException) -> ScoreboardError:
    if fault.status == 404:
        return NotFound("There is nothing at this address.")
    if fault.status == 413:
        return TooLarge()
    return InternalError() if fault.status >= 500 else BadRequest(fault.reason or "")
