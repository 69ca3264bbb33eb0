"""Several servers as one: what happened on another must show here, and the other way round."""

import asyncio
import contextlib
import logging

from aiohttp import web

from scoreboard.admission.base import Admissions
from scoreboard.app.presence import keep_describing
from scoreboard.app.state import BOARDS, CONTROL, HIDDEN, HUB, REGISTRY, SHARED, STORAGE, TASKS
from scoreboard.control.base import BoardChanged, News, PlayerChanged, SessionsEnded
from scoreboard.errors import Unavailable
from scoreboard.model import Board

log = logging.getLogger(__name__)

RECHECK_EVERY_S = 1.0
"""Pause between looks at the sessions of all open sockets while nothing can be heard."""

LOOK_EVERY_S = 0.25
RECHECKED_AT_ONCE = 1_000
"""Sessions asked for in one query after a gap."""


def follow_others(app: web.Application, admissions: Admissions) -> None:
    """Hear what the other replicas tell, tell them what changed here, and make good for what was missed."""
    tasks, control = app[TASKS], app[CONTROL]

    def heard(news: News) -> None:
        match news:
            case SessionsEnded(_, session_ids):
                app[REGISTRY].close_sessions(session_ids)
            case PlayerChanged(player_id, status):
                admissions.heard(player_id, status == "banned")
                app[HIDDEN].changed(player_id, status == "hidden")
                if status == "banned":
                    app[REGISTRY].close_player(player_id)
            case BoardChanged():
                tasks.start(app[BOARDS].refresh(), "read boards")

    async def tell(_: Board | None, board: Board) -> None:
        await control.tell(BoardChanged(board.id))

    control.on(heard)
    behind = asyncio.Event()
    control.on_gap(behind.set)
    app[BOARDS].on_change(tell)
    tasks.start(keep_describing(app), "describe this replica")
    tasks.start(_keep_up(app, behind), "make good for what was not heard")
    if SHARED in app:
        tasks.start(_tell_freshness(app), "tell of stale boards")


async def _keep_up(app: web.Application, behind: asyncio.Event) -> None:
    """Look in the database for what was told meanwhile: after a gap, and again and again while nothing is heard."""
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RECHECK_EVERY_S):
                await behind.wait()
        if behind.is_set() or not app[CONTROL].is_whole:
            behind.clear()
            if not await _make_good(app):
                await asyncio.sleep(RECHECK_EVERY_S)
                behind.set()


async def _make_good(app: web.Application) -> bool:
    """Whatever was told meanwhile stands in the database; False where that cannot be read now."""
    try:
        await app[BOARDS].refresh()
        session_ids = app[REGISTRY].sessions()
        for start in range(0, len(session_ids), RECHECKED_AT_ONCE):
            await _recheck(app, session_ids[start : start + RECHECKED_AT_ONCE])
    except Unavailable as fault:
        log.debug("what other servers did meanwhile cannot be read yet: %s", fault)
        return False
    except Exception:  # the next gap, or each socket's own next message, finds it out
        log.warning("what other servers did meanwhile could not be read", exc_info=True)
    return True


async def _recheck(app: web.Application, session_ids: tuple[str, ...]) -> None:
    states = {state.id: state for state in await app[STORAGE].session_states(session_ids)}
    for state in states.values():
        if state.banned:  # told so before that the session ended with it
            app[REGISTRY].close_player(state.player_id)
    app[REGISTRY].close_sessions(
        [session_id for session_id in session_ids if session_id not in states or states[session_id].revoked]
    )


async def _tell_freshness(app: web.Application) -> None:
    """Tell those who watch while what changes elsewhere cannot reach them."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        app[HUB].freshness(stale=not (app[STORAGE].is_up and app[SHARED].server.is_up))
