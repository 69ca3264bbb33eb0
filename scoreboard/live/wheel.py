"""A timer wheel: one sweep for all sockets' deadlines, instead of a timer or task for each."""

import asyncio
import heapq
import logging
from typing import Protocol

from scoreboard.clock import MILLISECOND, SECOND, Clock

log = logging.getLogger(__name__)


class Timed(Protocol):
    """Something with a deadline. Hashed by identity."""

    def due(self, now: int) -> int | None:
        """Called at or after the deadline, instants in microseconds; answers the next one, None for none."""


class Wheel:
    """Holds at most one deadline for each item, in slots of `resolution_ms`; deadlines are met late, never early."""

    def __init__(self, clock: Clock, resolution_ms: int = 250) -> None:
        self._clock = clock
        self._width = resolution_ms * MILLISECOND
        self._slots: dict[int, set[Timed]] = {}
        self._order: list[int] = []
        self._slot_of: dict[Timed, int] = {}

    def __len__(self) -> int:
        """How many items have a deadline."""
        return len(self._slot_of)

    def now(self) -> int:
        """The instant, in microseconds."""
        return self._clock.now()

    def schedule(self, item: Timed, at: int) -> None:
        """Have the item called at that instant, instead of any other deadline it had."""
        self.cancel(item)
        slot = -(-at // self._width)
        if slot not in self._slots:
            self._slots[slot] = set()
            heapq.heappush(self._order, slot)
        self._slots[slot].add(item)
        self._slot_of[item] = slot

    def cancel(self, item: Timed) -> None:
        """Forget the item's deadline, if it has one."""
        slot = self._slot_of.pop(item, None)
        if slot is not None:
            self._slots[slot].discard(item)

    def sweep(self) -> None:
        """Call everything that is due."""
        now = self._clock.now()
        current = now // self._width
        while self._order and self._order[0] <= current:
            slot = heapq.heappop(self._order)
            items = self._slots.pop(slot)
            for item in items:
                del self._slot_of[item]
            for item in items:
                self._call(item, now)

    async def run(self) -> None:
        """Sweep for as long as the server runs."""
        while True:
            await asyncio.sleep(self._width / SECOND)
            self.sweep()

    def _call(self, item: Timed, now: int) -> None:
        try:
            following = item.due(now)
        except Exception:  # one item's fault must not stop the deadlines of all others
            log.exception("a deadline of %r failed", item)
            return
        if following is not None:
            self.schedule(item, max(following, now + 1))
