"""The one place where errors become HTTP answers (RFC 9457, `application/problem+json`)."""

import logging
import math
import secrets
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from scoreboard.errors import BadRequest, InternalError, NotFound, ScoreboardError, TooLarge, Unauthenticated
from scoreboard.metrics import Metrics

log = logging.getLogger(__name__)

METRICS: web.AppKey[Metrics] = web.AppKey("metrics", Metrics)

TYPES = "https://scoreboard.invalid/problems/"

RequestHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def problem(fault: ScoreboardError, request_id: str, status: int | None = None) -> web.Response:
    """An error as an answer."""
    status = status or fault.status
    body = {
        "type": TYPES + fault.code,
        "title": fault.title,
        "status": status,
        "code": fault.code,
        "detail": fault.detail or fault.title,
        "request_id": request_id,
    }
    if fault.result is not None:
        body["result"] = fault.result
    headers = {"X-Request-ID": request_id, "Cache-Control": "no-store"}
    if fault.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(fault.retry_after_s)))
    if isinstance(fault, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        body=msgspec.json.encode(body), status=status, headers=headers, content_type="application/problem+json"
    )


async def answer(request: web.Request, handler: RequestHandler) -> web.StreamResponse:
    """Let the handler answer, or answer for what it raises."""
    try:
        return await handler(request)
    except Exception as fault:  # the last resort is to tell that something failed
        return explain(fault, request, secrets.token_hex(8))


def explain(fault: Exception, request: web.Request, request_id: str) -> web.Response:
    """The answer for a fault; an unforeseen one is logged, counted and told nobody."""
    if isinstance(fault, ScoreboardError):
        return problem(fault, request_id)
    if isinstance(fault, web.HTTPException):
        if fault.status < 400:
            raise fault
        response = problem(_of_status(fault), request_id, fault.status)
        if "Allow" in fault.headers:
            response.headers["Allow"] = fault.headers["Allow"]
        return response
    report(fault, f"{request.method} {request.path}", request_id, request.app[METRICS])
    return problem(InternalError(), request_id)


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
