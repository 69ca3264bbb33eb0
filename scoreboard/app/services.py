"""The use cases and the live endpoint, handed to the API; and what keeps them going."""

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from aiohttp import web

from scoreboard.accounts import Accounts
from scoreboard.admission.base import Admissions
from scoreboard.api.addresses import address_of
from scoreboard.api.context import CONTEXT, Context
from scoreboard.api.limiting import Limits
from scoreboard.api.problems import METRICS
from scoreboard.api.ws import LiveEndpoint, authenticator, dispatcher, inputs
from scoreboard.app import crash
from scoreboard.app.alerts import watch
from scoreboard.app.backends import make_admissions, make_attempts, make_control, make_seats
from scoreboard.app.boards import keep_loaded
from scoreboard.app.presence import connections, overview
from scoreboard.app.replicas import follow_others
from scoreboard.app.state import (
    AUDIT,
    BOARDS,
    CLOCK,
    CONTROL,
    HIDDEN,
    HUB,
    KEYRING,
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
from scoreboard.app.webhooks import tell_webhooks
from scoreboard.config import tells_private_addresses
from scoreboard.control.base import PlayerChanged, SessionsEnded
from scoreboard.errors import UsernameTaken
from scoreboard.keys import Keys
from scoreboard.leaderboard import Leaderboard
from scoreboard.model import Player
from scoreboard.oversight import PlayerStatus
from scoreboard.pipeline import Auditor, Commit, Outbox, Pipeline, Publish, Rank, Verifier, forget_old
from scoreboard.reviews import Announce, Moderation, ReviewQueue, Trail
from scoreboard.seats.base import Seats
from scoreboard.secrets import load_secret, write_once
from scoreboard.submissions import Judge, Submissions
from scoreboard.tokens import AccessTokens, ActionTokens, Cursors, RefreshTokens
from scoreboard.webhooks import Webhooks

log = logging.getLogger(__name__)

ADMIN_PASSWORD_BYTES = 18


async def services(app: web.Application) -> AsyncIterator[None]:
    """Everything that answers, from the secrets to the sockets."""
    app[CONTROL] = make_control(app.get(SHARED), app[CLOCK])
    admissions = _admissions(app)
    after_s = app[SETTINGS].pipeline.outbox_after_s
    outbox = Outbox(app[STORAGE], app[RANKING], app[REBUILDER], app[CLOCK], after_s)
    rank = Rank(app[RANKING], app[REBUILDER], app[BOARDS], outbox, app[HIDDEN])
    pipeline = _pipeline(app, admissions, rank)
    app[CONTEXT] = await _context(app, admissions, rank, pipeline)
    await _first_start(app)
    seats = make_seats(app.get(SHARED), app[TASKS])
    app[LIVE] = _live(app, seats)
    follow_others(app, admissions)
    app[TASKS].start(app[CONTEXT].moderation.keep_lifting(), "ended bans")
    outbox.on_unseen(app[CONTEXT].moderation.make_good)
    app[TASKS].start(outbox.keep_up(), "outbox")
    if days := app[SETTINGS].database.history_days:
        app[TASKS].start(forget_old(app[STORAGE], app[CLOCK], days), "retention")
    app[TASKS].start(app[WHEEL].run(), "wheel")
    app[TASKS].start(seats.keep(), "seats")
    if SHARED in app:
        _keep_watch(app, outbox)
    watch(app)
    tell_webhooks(app)
    yield
    await pipeline.drained()
    await outbox.settle()
    await admissions.close()
    await seats.close()
    await app[CONTROL].close()


def _admissions(app: web.Application) -> Admissions:
    def ended(player_id: str, session_ids: Sequence[str]) -> None:
        app[REGISTRY].close_sessions(session_ids)
        app[TASKS].start(app[CONTROL].tell(SessionsEnded(player_id, tuple(session_ids))), "tell of ended sessions")

    return make_admissions(app.get(SHARED), app[SETTINGS], app[CLOCK], app[TASKS], ended)


def _keep_watch(app: web.Application, outbox: Outbox) -> None:
    """A ranking outside this process may be lost or drift."""
    storage, rebuilder, boards = app[STORAGE], app[REBUILDER], app[BOARDS]
    app[TASKS].start(keep_loaded(boards, rebuilder), "open periods")
    if pause_s := app[SETTINGS].pipeline.audit_s:
        auditor = Auditor(Verifier(storage, app[RANKING]), storage, outbox, rebuilder, boards, app[METRICS])
        app[TASKS].start(auditor.run(pause_s), "auditor")


def _pipeline(app: web.Application, admissions: Admissions, rank: Rank) -> Pipeline:
    settings = app[SETTINGS].pipeline
    commit, publish = crash.marked(
        Commit(app[STORAGE], admissions, app[BOARDS], app[CLOCK], settings.commit_timeout_s),
        Publish(app[HUB].submitted),
        os.environ,
        production=app[SETTINGS].server.environment == "production",
    )
    return Pipeline(
        commit,
        rank,
        publish,
        app[TASKS],
        app[METRICS],
        batch_max=settings.batch_max,
        queue_max=settings.queue_max,
    )


async def _context(app: web.Application, admissions: Admissions, rank: Rank, pipeline: Pipeline) -> Context:
    settings, clock, storage, boards, ranking = app[SETTINGS], app[CLOCK], app[STORAGE], app[BOARDS], app[RANKING]
    keyring, audit, security = app[KEYRING], app[AUDIT], settings.security
    access = AccessTokens(keyring, security.issuer, security.audience, security.access_ttl_s, clock)
    actions = ActionTokens(keyring, clock)

    async def renamed(player: Player) -> None:
        await ranking.rename(player.id, player.name, player.revision)

    accounts = Accounts(
        storage,
        access,
        RefreshTokens(keyring),
        app[PASSWORDS],
        admissions,
        make_attempts(app.get(SHARED), settings, clock),
        clock,
        refresh_ttl_s=security.refresh_ttl_s,
        grace_s=security.refresh_grace_s,
        renamed=renamed,
        audit=audit,
    )
    moderation = Moderation(storage, admissions, rank, audit, clock, announce=_announcer(app), renamed=renamed)
    judge = Judge(boards, accounts, actions, admissions, rank, storage, clock)
    return Context(
        settings=settings,
        clock=clock,
        storage=storage,
        boards=boards,
        accounts=accounts,
        access=access,
        keys=Keys(storage, clock, audit),
        judge=judge,
        submissions=Submissions(boards, judge, actions, pipeline, rank, storage, audit),
        leaderboard=Leaderboard(
            boards, ranking, app[REBUILDER], storage, Cursors(keyring), clock, app[TASKS], app[HIDDEN]
        ),
        reviews=ReviewQueue(storage, boards, moderation, rank, audit, clock),
        moderation=moderation,
        trail=Trail(storage, Cursors(keyring)),
        webhooks=Webhooks(storage, audit, clock, private=tells_private_addresses(settings)),
        overview=lambda: overview(app),
        connections=lambda: connections(app),
        limits=Limits(settings.limits, clock),
        redis=app[SHARED].server if SHARED in app else None,
    )


def _announcer(app: web.Application) -> Announce:
    async def announce(player_id: str, status: PlayerStatus) -> None:
        app[HIDDEN].changed(player_id, status == "hidden")
        if status == "banned":
            app[REGISTRY].close_player(player_id)
        await app[CONTROL].tell(PlayerChanged(player_id, status))

    return announce


def _live(app: web.Application, seats: Seats) -> LiveEndpoint:
    settings, context = app[SETTINGS], app[CONTEXT]
    return LiveEndpoint(
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
        seats=seats,
        wheel=app[WHEEL],
        tasks=app[TASKS],
        clock=app[CLOCK],
        metrics=app[METRICS],
    )


async def _first_start(app: web.Application) -> None:
    """An admin to sign in as, told once, and in development a key for the commands on this machine."""
    data, development = Path(app[SETTINGS].data.dir), app[SETTINGS].server.environment == "development"
    password = secrets.token_urlsafe(ADMIN_PASSWORD_BYTES)
    if not await app[STORAGE].has_admin():
        if development:
            await asyncio.to_thread(write_once, data / "admin-password", password)
            password = (await asyncio.to_thread(load_secret, data / "admin-password")).decode()
        if await _is_first(app, password):
            log.warning("first start: sign in as admin with the password %s", password)
    if development:
        await app[CONTEXT].keys.ensure_local(data / "admin.key")


async def _is_first(app: web.Application, password: str) -> bool:
    try:
        return await app[CONTEXT].accounts.ensure_admin(password)
    except UsernameTaken:  # another server that started at the same moment was first
        return False
