"""Is the process alive, should it get traffic, and how does it fare?"""

from typing import Final

from aiohttp import web

from scoreboard.api.context import CONTEXT
from scoreboard.api.problems import METRICS
from scoreboard.codec import encode_json
from scoreboard.errors import Unavailable
from scoreboard.metrics import CONTENT_TYPE


class Readiness:
    """Whether the server wants traffic: from the end of its start to the beginning of its shutdown."""

    def __init__(self) -> None:
        self.open = False


READINESS: Final[web.AppKey[Readiness]] = web.AppKey("readiness", Readiness)


def add_routes(app: web.Application) -> None:
    """`/healthz`, `/readyz` and `/metrics`."""
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)


async def healthz(request: web.Request) -> web.Response:
    """200 while the event loop turns."""
    return _answer(200, {"status": "alive"})


async def readyz(request: web.Request) -> web.Response:
    """200 if the server takes traffic and its database answers, else 503 with what is missing."""
    checks = {"server": "ready" if request.app[READINESS].open else "not ready"}
    if request.app[READINESS].open:
        checks["database"] = await _database(request)
    ready = all(check == "ready" for check in checks.values())
    return _answer(200 if ready else 503, {"status": "ready" if ready else "not ready", "checks": checks})


async def metrics(request: web.Request) -> web.Response:
    """The server's own counters in the text format of Prometheus."""
    return web.Response(body=request.app[METRICS].render(), headers={"Content-Type": CONTENT_TYPE})


async def _database(request: web.Request) -> str:
    try:
        await request.app[CONTEXT].storage.ping()
    except Unavailable as fault:
        return str(fault)
    return "ready"


def _answer(status: int, body: object) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=encode_json(body), status=status, content_type="application/json", headers=headers)
