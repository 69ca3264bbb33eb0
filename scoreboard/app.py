"""The only place that constructs backends: settings in, an aiohttp application out."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from scoreboard.accounts import Accounts
from scoreboard.admission.memory import MemoryAdmissions
from scoreboard.api import cors, health, pages, rest
from scoreboard.api.addresses import address_of
from scoreboard.api.context import CONTEXT, Context
from scoreboard.api.limiting import Limits
from scoreboard.api.problems import METRICS
from scoreboard.api.ws import LiveEndpoint, authenticator, dispatcher, inputs
from scoreboard.boards import Boards
from scoreboard.clock import Clock, SystemClock
from scoreboard.config import Settings, check_production, database_path, make_data_folder
from scoreboard.keys import Keys
from scoreboard.leaderboard import Leaderboard
from scoreboard.live.hub import Hub
from scoreboard.live.registry import Registry
from scoreboard.live.topic import Source
from scoreboard.live.wheel import Wheel
from scoreboard.lock import sole_user
from scoreboard.metrics import Metrics
from scoreboard.model import Board, BoardPeriod, Player
from scoreboard.order import order_keys
from scoreboard.passwords import Passwords
from scoreboard.pipeline import Commit, Pipeline, Publish, Rank, Rebuilder
from scoreboard.ranking.base import Ranking
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.secrets import load_or_create_secret, load_secret, write_once
from scoreboard.storage.base import Storage
from scoreboard.storage.sqlite import SqliteStorage
from scoreboard.submissions import Judge, Submissions
from scoreboard.tasks import Tasks
from scoreboard.tokens import AccessTokens, ActionTokens, Cursors, Keyring, RefreshTokens

log = logging.getLogger(__name__)

SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)
CLOCK: web.AppKey[Clock] = web.AppKey("clock", Clock)
STORAGE: web.AppKey[Storage] = web.AppKey("storage", Storage)
TASKS: web.AppKey[Tasks] = web.AppKey("tasks", Tasks)
PASSWORDS: web.AppKey[Passwords] = web.AppKey("passwords", Passwords)
BOARDS: web.AppKey[Boards] = web.AppKey("boards", Boards)
RANKING: web.AppKey[Ranking] = web.AppKey("ranking", Ranking)
REBUILDER: web.AppKey[Rebuilder] = web.AppKey("rebuilder", Rebuilder)
REGISTRY: web.AppKey[Registry] = web.AppKey("registry", Registry)
WHEEL: web.AppKey[Wheel] = web.AppKey("wheel", Wheel)
HUB: web.AppKey[Hub] = web.AppKey("hub", Hub)
LIVE: web.AppKey[LiveEndpoint] = web.AppKey("live", LiveEndpoint)

ADMIN_PASSWORD_BYTES = 18


def create_app(settings: Settings, clock: Clock | None = None) -> web.Application:
    """The server as an aiohttp application, to run or to mount with `add_subapp`.

    Nothing is opened before it starts. Raises ConfigError, here or at its start, for settings that cannot be used.
    """
    check_production(settings)
    origins = settings.server.cors_origins
    app = web.Application(middlewares=[*([cors.allow(origins)] if origins else []), rest.operate])
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
    app.cleanup_ctx.extend([_storage, _passwords, _tasks, _boards, _ranking, _services])
    app.on_startup.append(_open)
    app.on_shutdown.append(_drain)
    return app


async def _storage(app: web.Application) -> AsyncIterator[None]:
    await asyncio.to_thread(make_data_folder, app[SETTINGS])
    with sole_user(Path(app[SETTINGS].data.dir)):
        app[STORAGE] = await SqliteStorage.open(database_path(app[SETTINGS]))
        yield
        await app[STORAGE].close()


async def _passwords(app: web.Application) -> AsyncIterator[None]:
    app[PASSWORDS] = Passwords(app[SETTINGS].security.password_queue)
    yield
    app[PASSWORDS].close()


async def _tasks(app: web.Application) -> AsyncIterator[None]:
    app[TASKS] = Tasks()
    yield
    await app[TASKS].cancel()


async def _boards(app: web.Application) -> AsyncIterator[None]:
    app[BOARDS] = Boards(app[STORAGE], app[CLOCK])
    await app[BOARDS].open(app[SETTINGS].boards)
    yield


async def _ranking(app: web.Application) -> AsyncIterator[None]:
    """The ranking, filled from the database with every period that is open now, and the hub that shows it live."""
    boards, live = app[BOARDS], app[SETTINGS].live
    ranking = app[RANKING] = MemoryRanking(boards.settings, lambda changes: hub.notify(changes), boards.is_open)
    rebuilder = app[REBUILDER] = Rebuilder(app[STORAGE], ranking, app[TASKS])
    wheel = app[WHEEL] = Wheel(app[CLOCK])
    source = Source(ranking, rebuilder.ensure, app[TASKS], live.tick_ms / 1000, live.history_versions)
    hub = app[HUB] = Hub(source, boards.settings, wheel, live.max_subscriptions)

    async def follow(before: Board | None, board: Board) -> None:
        if before is not None:
            for period in await ranking.periods(board.id):
                if _is_outdated(period, before, board):
                    await ranking.drop(period)
                elif before.settings.rank != board.settings.rank:
                    await rebuilder.rebuild(period)
        for period in boards.current(board):
            await rebuilder.ensure(period)
        await ranking.touch(board.id)
        hub.board_changed(board.id)

    boards.on_change(follow)
    for board in boards.all():
        await asyncio.gather(*(rebuilder.ensure(period) for period in boards.current(board)))
    yield
    await ranking.close()


def _is_outdated(period: BoardPeriod, before: Board, board: Board) -> bool:
    """Whether what is loaded of a period is of no use since the board changed."""
    # Keys of another order cannot be read by the new one. There are none: the board has no scores.
    another_order = order_keys(before.settings) is not order_keys(board.settings)
    # A window that comes back was filled anew; what was loaded of it when it went has missed what came since.
    return another_order or period.window not in before.settings.windows


async def _services(app: web.Application) -> AsyncIterator[None]:
    """The use cases, handed to the API under one key."""
    settings, clock, storage, boards, ranking = app[SETTINGS], app[CLOCK], app[STORAGE], app[BOARDS], app[RANKING]
    keyring = await asyncio.to_thread(_keyring, settings)
    access = AccessTokens(
        keyring, settings.security.issuer, settings.security.audience, settings.security.access_ttl_s, clock
    )
    actions = ActionTokens(keyring, clock)
    admissions = MemoryAdmissions(clock, settings.limits.player_writes_per_minute, app[REGISTRY].close_sessions)

    async def renamed(player: Player) -> None:
        await ranking.rename(player.id, player.name, player.revision)

    accounts = Accounts(
        storage,
        access,
        RefreshTokens(keyring),
        app[PASSWORDS],
        admissions,
        clock,
        refresh_ttl_s=settings.security.refresh_ttl_s,
        grace_s=settings.security.refresh_grace_s,
        renamed=renamed,
    )
    rank = Rank(storage, ranking, app[REBUILDER], boards, clock, settings.pipeline.outbox_after_s)
    pipeline = Pipeline(
        Commit(storage, admissions, clock, settings.pipeline.commit_timeout_s),
        rank,
        Publish(app[HUB].submitted),
        app[TASKS],
        app[METRICS],
        batch_max=settings.pipeline.batch_max,
        queue_max=settings.pipeline.queue_max,
    )
    judge = Judge(boards, accounts, actions, admissions, rank, storage, clock)
    context = app[CONTEXT] = Context(
        settings=settings,
        clock=clock,
        storage=storage,
        boards=boards,
        accounts=accounts,
        access=access,
        keys=Keys(storage, clock),
        judge=judge,
        submissions=Submissions(boards, judge, actions, pipeline, rank, storage, clock),
        leaderboard=Leaderboard(boards, ranking, app[REBUILDER], storage, Cursors(keyring), clock, app[TASKS]),
        limits=Limits(settings.limits, clock),
    )
    await _first_start(app)
    app[LIVE] = LiveEndpoint(
        settings=settings.live,
        limits=settings.limits,
        authenticate=authenticator(context),
        check=context.accounts.live,
        dispatch=dispatcher(context),
        inputs=inputs(),
        address_of=lambda request: address_of(request, settings.server.trusted_proxies),
        count=context.limits.request,
        hub=app[HUB],
        registry=app[REGISTRY],
        wheel=app[WHEEL],
        tasks=app[TASKS],
        clock=clock,
        metrics=app[METRICS],
    )
    app[TASKS].start(rank.keep_up(), "outbox")
    app[TASKS].start(app[WHEEL].run(), "wheel")
    yield
    await pipeline.drained()
    await rank.settle()
    await admissions.close()


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


def _keyring(settings: Settings) -> Keyring:
    """The secrets; in development the first one is made where none is named."""
    named = settings.security.secret_file
    current = load_secret(Path(named)) if named else load_or_create_secret(Path(settings.data.dir) / "secret.key")
    return Keyring.from_secrets(
        current, [load_secret(Path(older)) for older in settings.security.previous_secret_files]
    )


async def _first_start(app: web.Application) -> None:
    """An admin to sign in as, told once, and in development a key for the commands on this machine."""
    data, development = Path(app[SETTINGS].data.dir), app[SETTINGS].server.environment == "development"
    password = secrets.token_urlsafe(ADMIN_PASSWORD_BYTES)
    if development:
        await asyncio.to_thread(write_once, data / "admin-password", password)
        password = (await asyncio.to_thread(load_secret, data / "admin-password")).decode()
    if await app[CONTEXT].accounts.ensure_admin(password):
        log.warning("first start: sign in as admin with the password %s", password)
    if development:
        await app[CONTEXT].keys.ensure_local(data / "admin.key")
