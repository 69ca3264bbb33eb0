"""The only place that constructs backends: settings in, an aiohttp application out."""

from collections.abc import AsyncIterator

from aiohttp import web

from scoreboard.api import cors, health, pages, rest
from scoreboard.api.problems import METRICS
from scoreboard.app.audit import audited
from scoreboard.app.backends import open_ranking, open_shared, open_storage
from scoreboard.app.boards import follow_boards, keep_freezing, load_current
from scoreboard.app.services import services
from scoreboard.app.state import (
    AUDIT,
    BOARDS,
    CLOCK,
    HIDDEN,
    HUB,
    LIVE,
    PASSWORDS,
    RANKING,
    REBUILDER,
    REGISTRY,
    SETTINGS,
    SHARED,
    STORAGE,
    TASKS,
    WHEEL,
)
from scoreboard.boards import Boards
from scoreboard.clock import Clock, SystemClock
from scoreboard.config import Settings, check_production
from scoreboard.live.hub import Hub
from scoreboard.live.registry import Registry
from scoreboard.live.topic import Source
from scoreboard.live.wheel import Wheel
from scoreboard.metrics import Metrics
from scoreboard.passwords import Passwords
from scoreboard.pipeline import Hidden, Rebuilder
from scoreboard.tasks import Tasks

__all__ = ["create_app"]


def create_app(settings: Settings, clock: Clock | None = None) -> web.Application:
    """The server as an aiohttp application, to run or to mount with `add_subapp`.

    Nothing is opened before it starts. Raises ConfigError, here or at its start, for settings that cannot be used.
    """
    check_production(settings)
    app = web.Application(middlewares=[pages.nowhere, rest.operate])
    if origins := settings.server.cors_origins:
        cors.allow(app, origins)
    app[SETTINGS] = settings
    app[CLOCK] = clock or SystemClock()
    app[health.READINESS] = health.Readiness()
    app[METRICS] = Metrics()
    app[REGISTRY] = Registry()
    app[METRICS].sockets.set_function(lambda: len(app[REGISTRY]))
    rest.add_routes(app)
    health.add_routes(app)
    pages.add_routes(app)
    app.router.add_get("/ws", _upgrade)
    # Opened in this order and closed in the opposite one: whoever writes is done before what it writes to is closed.
    app.cleanup_ctx.extend([_storage, _passwords, _shared, _tasks, audited, _boards, _ranking, services])
    app.on_startup.append(_open)
    app.on_shutdown.append(_drain)
    return app


async def _storage(app: web.Application) -> AsyncIterator[None]:
    async with open_storage(app[SETTINGS]) as app[STORAGE]:
        yield


async def _passwords(app: web.Application) -> AsyncIterator[None]:
    app[PASSWORDS] = Passwords(app[SETTINGS].security.password_queue)
    yield
    app[PASSWORDS].close()


async def _shared(app: web.Application) -> AsyncIterator[None]:
    """Redis has tasks of its own: those of the rest, which end before it, may need it to the last."""
    tasks = Tasks()
    async with open_shared(app[SETTINGS], app[CLOCK], tasks) as shared:
        if shared is not None:
            app[SHARED] = shared
        yield
        await tasks.cancel()


async def _tasks(app: web.Application) -> AsyncIterator[None]:
    app[TASKS] = Tasks()
    yield
    await app[TASKS].cancel()


async def _boards(app: web.Application) -> AsyncIterator[None]:
    app[BOARDS] = Boards(app[STORAGE], app[CLOCK], app[AUDIT])
    await app[BOARDS].open(app[SETTINGS].boards)
    await app[BOARDS].freeze_due()
    yield


async def _ranking(app: web.Application) -> AsyncIterator[None]:
    """The ranking, filled from the database with every period that is open now, and the hub that shows it live."""
    boards, live, storage, tasks = app[BOARDS], app[SETTINGS].live, app[STORAGE], app[TASKS]
    shared = app.get(SHARED)
    async with open_ranking(shared, storage, boards, lambda changes: hub.notify(changes), tasks) as ranking:
        app[RANKING] = ranking
        rebuilder = app[REBUILDER] = Rebuilder(storage, ranking, tasks)
        wheel = app[WHEEL] = Wheel(app[CLOCK])
        hidden = app[HIDDEN] = Hidden(storage, ranking, boards)
        tasks.start(hidden.keep_up(), "hidden players")
        tick_s, versions = live.tick_ms / 1000, live.history_versions
        source = Source(ranking, rebuilder.ensure, tasks, tick_s, versions, hidden.placings, boards.marked)
        hub = app[HUB] = Hub(source, boards.shown, wheel, live.max_subscriptions)
        follow_boards(boards, ranking, rebuilder, hub)
        tasks.start(keep_freezing(boards, app[CLOCK]), "freezes to come")
        await load_current(boards, rebuilder)
        yield


async def _open(app: web.Application) -> None:
    """Everything is there: take traffic."""
    app[health.READINESS].open = True


async def _drain(app: web.Application) -> None:
    """The listener is closed by now: send the sockets elsewhere; requests finish after this, then batches."""
    app[health.READINESS].open = False
    if LIVE in app:
        await app[LIVE].drain(app[SETTINGS].live.drain_s)


async def _upgrade(request: web.Request) -> web.StreamResponse:
    return await request.app[LIVE].handle(request)
