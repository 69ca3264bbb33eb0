"""What the alerts are made from: the server's own counts, its outbox, and what it depends on."""

import asyncio
import socket
from typing import TYPE_CHECKING

from aiohttp import web

from scoreboard.alerts import Alerts, Claim, Facts, Webhook
from scoreboard.api.context import CONTEXT, Context
from scoreboard.api.health import READINESS
from scoreboard.api.problems import METRICS
from scoreboard.app.state import CLOCK, SETTINGS, SHARED, STORAGE, TASKS
from scoreboard.clock import MILLISECOND, SECOND
from scoreboard.errors import Unavailable
from scoreboard.metrics import Metrics

if TYPE_CHECKING:
    from scoreboard.redis import Keys, Server

ANSWER_WITHIN_S = 3.0
"""A database that does not answer within this does not work."""


def watch(app: web.Application) -> None:
    """Look after the server, if the settings say so."""
    settings, tasks, metrics = app[SETTINGS].alerts, app[TASKS], app[METRICS]
    if not settings.look_s:
        return
    webhook = Webhook(settings.webhook_url, metrics) if settings.webhook_url else None
    if webhook is not None:
        tasks.start(webhook.run(), "alert messages")
    where = f"scoreboard on {socket.gethostname()}"
    alerts = Alerts(settings, lambda: facts(app), webhook, _claim(app), app[CLOCK], metrics, where)
    tasks.start(alerts.run(), "alerts")


async def facts(app: web.Application) -> Facts:
    """What is known of the server at this moment."""
    metrics, context = app[METRICS], app[CONTEXT]
    problems = {}
    if (database := await _database(app, context)) != "ready":
        problems["database"] = f"the database does not work: {database}"
    if context.redis is not None and context.redis.problem is not None:
        problems["redis"] = f"Redis does not work: {context.redis.problem}"
    return Facts(
        faults=int(metrics.total(metrics.internal_errors)),
        refused=_refused(metrics),
        held=int(metrics.total(metrics.submissions, status="held")),
        drift=int(metrics.total(metrics.drift)),
        arrears_s=await _arrears_s(app),
        problems=problems,
    )


def _refused(metrics: Metrics) -> int:
    codes = ("unavailable", "outcome_unknown", "overloaded")
    return int(sum(metrics.total(metrics.refused, code=code) for code in codes))


async def _database(app: web.Application, context: Context) -> str:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await app[READINESS].database(context)
    except TimeoutError:
        return f"no answer within {ANSWER_WITHIN_S:g} s"


async def _arrears_s(app: web.Application) -> float | None:
    """The age of the oldest committed score that is not ranked yet."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            oldest_at = (await app[STORAGE].backlog()).oldest_at
    except (Unavailable, TimeoutError):
        return None
    return 0.0 if oldest_at is None else max(0, app[CLOCK].now() - oldest_at) / SECOND


def _claim(app: web.Application) -> Claim:
    async def alone(cause: str, span_s: float) -> bool:
        return True

    return shared_claim(app[SHARED].server, app[SHARED].keys) if SHARED in app else alone


def shared_claim(server: "Server", keys: "Keys") -> Claim:
    """Among all replicas the first one to ask is to tell; while Redis is away each one is."""
    from scoreboard.redis import Command

    async def first(cause: str, span_s: float) -> bool:
        key, span_ms = keys.alert(cause), max(1, int(span_s * SECOND) // MILLISECOND)
        try:
            (answer,) = await server.call(Command(("SET", key, 1, "NX", "PX", span_ms), key))
        except Unavailable:
            return True
        return answer is not None

    return first
