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


def new_request_id() -> str:
    """Names one request in the log and in its answer."""
    return secrets.token_hex(8)


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


async def answer(request: web.Request, handler: RequestHandler, request_id: Callable[[], str]) -> web.StreamResponse:
    """Let the handler answer, or answer for what it raises; an unforeseen fault is logged and told nobody."""
    try:
        return await handler(request)
    except ScoreboardError as fault:
        return problem(fault, request_id())
    except web.HTTPException as fault:
        if fault.status < 400:
            raise
        return problem(_of_status(fault), request_id(), fault.status)
    except Exception:  # the last resort: the client hears nothing of our insides
        request.app[METRICS].internal_errors.inc()
        log.exception("request %s: %s %s failed", request_id(), request.method, request.path)
        return problem(InternalError(), request_id())


def _of_status(fault: web.HTTPException) -> ScoreboardError:
    if fault.status == 404:
        return NotFound("There is nothing at this address.")
    if fault.status == 413:
        return TooLarge()
    return InternalError() if fault.status >= 500 else BadRequest(fault.reason or "")
