"""What a board's change means to its ranking and to those who watch it."""

import asyncio
import contextlib
import logging

from scoreboard.boards import Boards
from scoreboard.clock import SECOND, Clock
from scoreboard.errors import Unavailable
from scoreboard.live.hub import Hub
from scoreboard.model import Board, BoardPeriod
from scoreboard.order import order_keys
from scoreboard.pipeline import Rebuilder
from scoreboard.ranking.base import Ranking

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
FREEZE_AGAIN_AFTER_S = 0.1


def follow_boards(boards: Boards, ranking: Ranking, rebuilder: Rebuilder, hub: Hub) -> None:
    """Have the ranking follow boards that are changed here, and those who watch any board that changed anywhere."""

    async def follow(before: Board | None, board: Board) -> None:
        if before is not None:
            for period in await ranking.periods(board.id):
                if board.deleted_at is not None or _is_outdated(period, before, board):
                    await ranking.drop(period)
                elif before.settings.rank != board.settings.rank or _is_revealed(before, board):
                    await rebuilder.rebuild(period)
        if board.deleted_at is not None:
            return
        for period in boards.current(board):
            await rebuilder.ensure(period)
        await ranking.touch(board.id)

    async def follow_if_it_can(before: Board | None, board: Board) -> None:
        try:
            await follow(before, board)
        except Unavailable as fault:
            log.warning("the ranking of %s does not follow its settings yet: %s", board.id, fault)

    boards.on_change(follow_if_it_can)
    boards.on_news(lambda board: hub.board_changed(board.id))


async def load_current(boards: Boards, rebuilder: Rebuilder) -> None:
    """Load every period that is open now, as far as the ranking can be reached."""
    for board in boards.all():
        try:
            await asyncio.gather(*(rebuilder.ensure(period) for period in boards.current(board)))
        except Unavailable as fault:
            log.debug("the ranking of %s is not loaded yet: %s", board.id, fault)
            return


async def keep_loaded(boards: Boards, rebuilder: Rebuilder) -> None:
    """Load whatever open period is not loaded, for as long as the server runs: lost ones, and those of a new day."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await boards.refresh()
            await load_current(boards, rebuilder)
        except Unavailable as fault:
            log.debug("the boards cannot be read: %s", fault)
        except Exception:  # the next look tries again
            log.exception("open periods could not be loaded")


async def keep_freezing(boards: Boards, clock: Clock) -> None:
    """Freeze each board at its time, for as long as the server runs."""
    changed = asyncio.Event()
    boards.on_news(lambda _: changed.set())
    while True:
        changed.clear()
        at = boards.next_freeze()
        wait_s = None if at is None else min(LOOK_EVERY_S, max(0, at - clock.now()) / SECOND)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await changed.wait()
        try:
            await boards.freeze_due()
        except Unavailable as fault:
            log.debug("a board could not be frozen yet: %s", fault)
            await asyncio.sleep(FREEZE_AGAIN_AFTER_S)
        except Exception:  # the next try may do it; until then the board takes no scores
            log.exception("a board could not be frozen")
            await asyncio.sleep(FREEZE_AGAIN_AFTER_S)


def _is_revealed(before: Board, board: Board) -> bool:
    """Whether all that was kept from view is to be shown at once, by another ranking.

    The outbox has it too, should nobody live to make that.
    """
    return before.frozen_at is not None and board.frozen_at is None


def _is_outdated(period: BoardPeriod, before: Board, board: Board) -> bool:
    """Whether what is loaded of a period is of no use since the board changed."""
    # Keys of another order cannot be read by the new one. There are none: the board has no scores.
    another_order = order_keys(before.settings) is not order_keys(board.settings)
    # A window that comes back was filled anew; what was loaded of it when it went has missed what came since.
    return another_order or period.window not in before.settings.windows
