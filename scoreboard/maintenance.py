"""What an operator does beside the running servers: prepare the database, compare the ranking with it, make it anew."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from scoreboard.app.audit import load_keyring
from scoreboard.app.backends import open_ranking, open_shared, open_storage, open_to_read
from scoreboard.audit import Anchor, Progress, Verified
from scoreboard.audit import verify as check_audit
from scoreboard.boards import Boards
from scoreboard.clock import SystemClock
from scoreboard.config import Settings, is_scaled_out
from scoreboard.errors import ConfigError
from scoreboard.model import Board, BoardPeriod
from scoreboard.pipeline import Drift, Extent, Misfolded, Rebuilder, Verifier, compare_history
from scoreboard.ranking.base import NotLoaded, Ranking
from scoreboard.storage.base import Storage
from scoreboard.tasks import Tasks

Report = Callable[[BoardPeriod, Drift | None, Misfolded], None]
"""Told of each period: what differs in its ranking, None where there is none (yet), and in its standings."""


@dataclass(frozen=True, slots=True)
class _Workshop:
    storage: Storage
    ranking: Ranking
    rebuilder: Rebuilder
    boards: Boards


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[_Workshop]:
    if not is_scaled_out(settings):
        raise ConfigError("a server with a database file of its own makes its ranking anew at each start")
    clock, tasks = SystemClock(), Tasks()
    async with open_storage(settings) as storage, open_shared(settings, clock, tasks) as shared:
        boards = Boards(storage, clock)
        try:
            await boards.open({})
            async with open_ranking(shared, storage, boards, lambda _: None, tasks) as ranking:
                yield _Workshop(storage, ranking, Rebuilder(storage, ranking, tasks), boards)
        finally:
            await tasks.cancel()


async def initialise(settings: Settings) -> None:
    """Make the database's tables, or bring them up to date. Raises ConfigError, Unavailable."""
    async with open_storage(settings):
        pass


async def verify(settings: Settings, wanted: Sequence[str], extent: Extent, report: Report) -> int:
    """Compare the rankings of boards (all unless named) with their standings, and those with the history.

    How many standings differ. The ranking of a server with a database file of its own is in its memory, and is left
    out. Raises NotFound for an unknown board, ConfigError where there is no database, Unavailable.
    """
    differing = 0
    async with AsyncExitStack() as stack:
        if is_scaled_out(settings):
            workshop = await stack.enter_async_context(_opened(settings))
            storage, boards = workshop.storage, workshop.boards
            verifier = Verifier(storage, workshop.ranking)
        else:
            storage = await stack.enter_async_context(open_to_read(settings))
            boards, verifier = Boards(storage, SystemClock()), None
            await boards.open({})
        for period, board in (await _periods(storage, boards, wanted, everything=True)).items():
            drift = None if verifier is None else await _drift(verifier, period)
            misfolded = await compare_history(storage, board, period, extent)
            report(period, drift, misfolded)
            differing += misfolded.differing + (0 if drift is None else len(drift.players) + drift.surplus)
    return differing


async def _drift(verifier: Verifier, period: BoardPeriod) -> Drift | None:
    try:
        return await verifier.verify(period)
    except NotLoaded:  # it will be made when somebody asks for it
        return None


async def verify_audit(settings: Settings, pinned: Mapping[str, Anchor], progress: Progress) -> Verified:
    """Look whether the audit trail is whole. Raises ConfigError where there is none, Unavailable."""
    async with open_to_read(settings) as storage:
        return await check_audit(storage, load_keyring(settings), pinned, progress)


async def rebuild(settings: Settings, wanted: Sequence[str], report: Callable[[BoardPeriod], None]) -> None:
    """Make the rankings of boards (all unless named) anew. Raises NotFound for an unknown board, Unavailable."""
    async with _opened(settings) as workshop:
        for period in await _periods(workshop.storage, workshop.boards, wanted):
            await workshop.rebuilder.rebuild(period)
            report(period)


async def _periods(
    storage: Storage, boards: Boards, wanted: Sequence[str], *, everything: bool = False
) -> Mapping[BoardPeriod, Board]:
    """The periods of boards that have standings, `everything` as the storage takes it, or are open now."""
    found: dict[BoardPeriod, Board] = {}
    for board in [boards.get(name) for name in wanted] or boards.all():
        stored = await storage.periods(board.id, everything=everything)
        found.update(dict.fromkeys((*stored, *boards.current(board)), board))
    return found
