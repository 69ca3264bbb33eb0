"""Reads from a standby, as long as it is not too far behind.

How far is told by positions in the log, not by clocks: the first server's position is noted now and then, and a standby
that has replayed what was noted at some time has all that was committed before.
"""

import logging
from collections import deque
from typing import Any, NamedTuple

from scoreboard.clock import SECOND, Clock
from scoreboard.errors import ScoreboardError, Unavailable
from scoreboard.storage.postgres.connections import Rows
from scoreboard.storage.postgres.database import Database

log = logging.getLogger(__name__)

LONGEST_LOOK = 1 * SECOND
NOTED = 16


class _Noted(NamedTuple):
    at: int
    position: int


class Standby:
    """Asks the standby while it is at most `lag_s` behind, else the first server; of the two, whichever is there."""

    def __init__(self, first: Database, standby: Database, clock: Clock, lag_s: float) -> None:
        self._first = first
        self._standby = standby
        self._clock = clock
        # What a look found is believed until the next one, so it must have been that much fresher.
        self._look_every = min(LONGEST_LOOK, int(lag_s * SECOND / 4))
        self._may_lag = int(lag_s * SECOND) - self._look_every
        self._noted: deque[_Noted] = deque(maxlen=NOTED)
        self._looked_at: int | None = None
        self._is_fresh = False

    async def read(self, name: str, /, **parameters: Any) -> Rows:
        """The rows of a statement that changes nothing. Raises Unavailable where neither can be asked."""
        await self._look()
        if self._is_fresh:
            try:
                return await self._standby.read(name, **parameters)
            except ScoreboardError as fault:  # whatever ails it, the first server may do better
                self._is_fresh = False
                log.warning("postgres standby: %s", fault)
        try:
            return await self._first.read(name, **parameters)
        except Unavailable:
            return await self._standby.read(name, **parameters)

    async def _look(self) -> None:
        now = self._clock.now()
        if self._looked_at is not None and now - self._looked_at < self._look_every:
            return
        self._looked_at = now  # whoever comes meanwhile goes by the look before
        self._is_fresh = await self._lag(now) <= self._may_lag

    async def _lag(self, now: int) -> float:
        """By how many microseconds the standby is behind at most."""
        try:
            [(position,)] = await self._first.read("log_position")
            self._noted.append(_Noted(now, position))
            [(replayed,)] = await self._standby.read("log_replayed")
        except ScoreboardError as fault:
            log.debug("postgres standby: its lag is not known: %s", fault)
            return float("inf")
        return min((now - noted.at for noted in self._noted if noted.position <= replayed), default=float("inf"))

    async def close(self) -> None:
        """Let go of its connections."""
        await self._standby.close()
