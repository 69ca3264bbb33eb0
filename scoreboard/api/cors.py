"""Cross-origin requests from the pages that the operator lists."""

from collections.abc import Sequence

from aiohttp import web
from aiohttp.typedefs import Middleware

from scoreboard.api.problems import RequestHandler

METHODS = "GET, POST, PUT, DELETE"
HEADERS = "Authorization, Content-Type, Idempotency-Key, If-None-Match"
EXPOSED = "ETag, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID"
PREFLIGHT_AGE_S = 600


def allow(origins: Sequence[str]) -> Middleware:
    """A middleware that lets pages of these origins (`*`: of any) call; credentials travel in headers, not cookies."""

    @web.middleware
    async def middleware(request: web.Request, handler: RequestHandler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        # An origin is ASCII; what else a client puts there is not repeated in a header.
        if origin is None or not origin.isascii() or not ("*" in origins or origin in origins):
            return await handler(request)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response: web.StreamResponse = web.Response(status=204, headers=_preflight())
        else:
            response = await handler(request)
        if not response.prepared:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
            response.headers.add("Vary", "Origin")
        return response

    return middleware


def _preflight() -> dict[str, str]:
    return {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": HEADERS,
        "Access-Control-Max-Age": str(PREFLIGHT_AGE_S),
    }
