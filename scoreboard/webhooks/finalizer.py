"""Tells of periods that are over. Nobody needs to be there when one ends: whichever server looks first once nothing can
count in it any more claims it, and tells; what ended while all were away is made good for.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from scoreboard import periods
from scoreboard.clock import DAY, SECOND, Clock, rfc3339
from scoreboard.errors import Unavailable
from scoreboard.events import Webhook
from scoreboard.model import Board, BoardPeriod
from scoreboard.periods import Ended
from scoreboard.storage.base import Storage
from scoreboard.wire import PeriodTold

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
SKEW_S = 10.0
"""How far apart the clocks of servers may be."""

CATCH_UP = 31 * DAY
"""How long ago a period may have ended that is told of."""

ROWS = 100
ASKED_AT_ONCE = 500


class _Seen(NamedTuple):
    """The instant until which the ends of a board's periods were told, and the board's revision then."""

    revision: int
    until: int


class Finalizer:
    """Looks for periods that have ended; `commit_s` is how long a submission may take to be stored.

    Those of a frozen board wait until it is revealed: its final standings are not to be known before.
    """

    def __init__(self, storage: Storage, boards: Callable[[], Sequence[Board]], clock: Clock, commit_s: float) -> None:
        self._storage = storage
        self._boards = boards
        self._clock = clock
        # A submission whose board changes just then is stored at the second try.
        self._grace = int((2 * commit_s + SKEW_S) * SECOND)
        self._seen: dict[str, _Seen] = {}

    async def run(self) -> None:
        """Look for as long as the server runs."""
        while True:
            try:
                await self.look()
            except Unavailable as fault:
                log.debug("ends of periods are not told yet: %s", fault)
            except Exception:  # the next look tries again
                log.exception("ends of periods could not be told")
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Tell of all that ended since the last look. Raises Unavailable."""
        asking = [each for each in await self._storage.webhooks() if each.enabled and "period.finalized" in each.events]
        if not asking:
            return
        until = self._clock.now() - self._grace
        for board in self._boards():
            since = _since(board, asking)
            if since is None or board.frozen_at is not None:
                continue
            since = max(since, self._seen_of(board), until - CATCH_UP)
            try:
                await self._finalize(board, list(periods.ended(board, since, until)))
            except Unavailable as fault:  # the next look tries again, with the board as it is then
                log.debug("ends of periods of %s are not told yet: %s", board.id, fault)
            else:
                self._seen[board.id] = _Seen(board.revision, until)

    def _seen_of(self, board: Board) -> int:
        """Until when the board's periods were looked at; with other settings it has had others."""
        seen = self._seen.get(board.id)
        return seen.until if seen is not None and seen.revision == board.revision else 0

    async def _finalize(self, board: Board, over: Sequence[Ended]) -> None:
        for start in range(0, len(over), ASKED_AT_ONCE):
            chunk = over[start : start + ASKED_AT_ONCE]
            missing = set(await self._storage.unfinalized([each.period for each in chunk]))
            for each in sorted(chunk, key=lambda each: each.end):
                if each.period in missing:
                    data = await self._data(board, each)
                    await self._storage.finalize(board, each.period, each.end, self._clock.now(), data)

    async def _data(self, board: Board, ended: Ended) -> str:
        period: BoardPeriod = ended.period
        # Of a board that was just revealed a standby may still have what was shown before.
        page = await self._storage.page(board, period, ROWS, latest=True)
        data = PeriodTold(
            board=board.id,
            window=period.window,
            period=period.period,
            start=rfc3339(ended.start),
            end=rfc3339(ended.end),
            total=page.total,
            rows=tuple(replace(row, name="") for row in page.rows),
        )
        return msgspec.json.encode(data).decode()


def _since(board: Board, asking: Sequence[Webhook]) -> int | None:
    """Since when somebody asks for the ends of the board's periods; None where nobody does."""
    since = [each.since for each in asking if each.board in (None, board.id)]
    return max(min(since), board.created_at) if since else None
