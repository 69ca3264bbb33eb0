"""Cross-origin requests from the pages that the operator lists."""

from collections.abc import Sequence

from aiohttp import web

from scoreboard.api.problems import RequestHandler

METHODS = "GET, POST, PUT, DELETE"
HEADERS = "Authorization, Content-Type, Idempotency-Key, If-None-Match"
EXPOSED = "Content-Disposition, ETag, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID"
PREFLIGHT_AGE_S = 600


def allow(app: web.Application, origins: Sequence[str]) -> None:
    """Let pages of these origins (`*`: of any) call; credentials travel in headers, not cookies."""

    @web.middleware
    async def ask(request: web.Request, handler: RequestHandler) -> web.StreamResponse:
        """What a browser asks beforehand."""
        if _allowed(request, origins) and _is_preflight(request):
            return web.Response(status=204, headers=_preflight())
        return await handler(request)

    async def mark(request: web.Request, response: web.StreamResponse) -> None:
        """Also answers that are sent while they are made: a middleware would come too late."""
        if (origin := _allowed(request, origins)) is not None:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
            response.headers.add("Vary", "Origin")

    app.middlewares.insert(0, ask)
    app.on_response_prepare.append(mark)


def _allowed(request: web.Request, origins: Sequence[str]) -> str | None:
    """The origin of a request that may be made from there."""
    origin = request.headers.get("Origin")
    # An origin is ASCII; what else a client puts there is not repeated in a header.
    if origin is None or not origin.isascii() or not ("*" in origins or origin in origins):
        return None
    return origin


def _is_preflight(request: web.Request) -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def _preflight() -> dict[str, str]:
    return {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": HEADERS,
        "Access-Control-Max-Age": str(PREFLIGHT_AGE_S),
    }
