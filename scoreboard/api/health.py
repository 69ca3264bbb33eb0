"""Is the process alive, should it get traffic, and how does it fare?"""

import asyncio
from typing import Final

from aiohttp import web

from scoreboard.api.context import CONTEXT, Context
from scoreboard.api.problems import METRICS
from scoreboard.clock import SECOND
from scoreboard.codec import encode_json
from scoreboard.errors import Unavailable
from scoreboard.metrics import CONTENT_TYPE

PING_EVERY_US = 1 * SECOND
"""The database is asked at most this often, whoever wants to know: each time it makes a durable write."""


class Readiness:
    """Whether the server wants traffic: `open` from the end of its start to the beginning of its shutdown."""

    def __init__(self) -> None:
        self.open = False
        self._asking = asyncio.Lock()
        self._asked_at: int | None = None
        self._database = ""

    async def database(self, context: Context) -> str:
        """What the database answered, now or within the last second; those who ask meanwhile share one answer."""
        async with self._asking:
            now = context.clock.now()
            if self._asked_at is None or now - self._asked_at >= PING_EVERY_US:
                self._database = await _ping(context)
                self._asked_at = now
            return self._database


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
    """200 if the server takes traffic and its database answers, else 503; `checks` tells what is missing."""
    readiness = request.app[READINESS]
    checks = {"server": "ready" if readiness.open else "not ready"}
    if readiness.open:
        checks["database"] = await readiness.database(request.app[CONTEXT])
    ready = all(check == "ready" for check in checks.values())
    if readiness.open and (redis := request.app[CONTEXT].redis) is not None:
        # Without Redis scores are still taken and boards shown, and no other replica could do it better.
        checks["redis"] = redis.problem or "ready"
    return _answer(200 if ready else 503, {"status": "ready" if ready else "not ready", "checks": checks})


async def metrics(request: web.Request) -> web.Response:
    """The server's own counters in the text format of Prometheus."""
    return web.Response(body=request.app[METRICS].render(), headers={"Content-Type": CONTENT_TYPE})


async def _ping(context: Context) -> str:
    try:
        await context.storage.ping()
    except Unavailable as fault:
        return str(fault)
    return "ready"


def _answer(status: int, body: object) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=encode_json(body), status=status, content_type="application/json", headers=headers)
