"""Seats over all replicas, in Redis: each replica has a hash of its own, which ends a minute after it was last renewed.

So a replica that was killed gives its seats back by itself. One that could not tell, because Redis was away or lost
its data, writes its hash anew when it renews it.
"""

import asyncio
import logging
import secrets
from collections.abc import Iterator

from scoreboard.clock import MILLISECOND, MINUTE
from scoreboard.errors import ScoreboardError
from scoreboard.redis import Command, Keys, Server, evaluate, load_script
from scoreboard.seats.memory import MemorySeats
from scoreboard.tasks import Tasks

log = logging.getLogger(__name__)

LEASE_MS = MINUTE // MILLISECOND
RENEW_EVERY_S = 25.0
WRITTEN_AT_ONCE = 500

TAKE, LEAVE, RENEW = (load_script("scoreboard.seats", name) for name in ("take", "leave", "renew"))


class RedisSeats:
    """`Seats` in Redis; while that cannot be reached only those of this replica count."""

    def __init__(self, server: Server, keys: Keys, tasks: Tasks) -> None:
        self._server = server
        self._tasks = tasks
        self._here = MemorySeats()
        self._id = secrets.token_hex(6)
        self._replicas, self._prefix = keys.seats, f"{keys.seats}/"
        self._mine = self._prefix + self._id
        self._untold = False
        self._leaving: set[asyncio.Task[None]] = set()

    async def take(self, holder: str, cap: int) -> bool:
        """Take one more, if the cap allows it here and over all replicas."""
        if not await self._here.take(holder, cap):
            return False
        try:
            if self._leaving:  # a seat that was given back before is free
                await asyncio.wait(self._leaving)
            taken = await self._take(holder, cap)
        except ScoreboardError as fault:
            log.debug("seats are counted in this process: %s", fault)
            self._untold = True
            return True
        except BaseException:  # cancelled, and perhaps taken there: the next renewal puts that right
            self._here.leave(holder)
            self._untold = True
            raise
        if not taken:
            self._here.leave(holder)
        return bool(taken)

    async def _take(self, holder: str, cap: int) -> int:
        taken: int = await self._server.evaluate(
            TAKE, (self._replicas, self._mine), self._id, self._prefix, holder, cap, LEASE_MS
        )
        return taken

    def leave(self, holder: str) -> None:
        """Give one back."""
        self._here.leave(holder)
        leaving = self._tasks.start(self._try(evaluate(LEAVE, (self._mine,), holder)), "give a seat back")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def keep(self) -> None:
        """Renew the hash, for as long as the server runs."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            await self.renew()

    async def renew(self) -> None:
        """Renew the hash, and write it anew where it is not what it should be."""
        renew = evaluate(RENEW, (self._replicas, self._mine), self._id, LEASE_MS)
        try:
            (known,) = await self._server.call(renew)
            if self._untold or known != len(self._here.taken):
                self._untold = False
                await self._server.call(Command(("DEL", self._mine), self._mine), *self._writes(), renew)
        except ScoreboardError as fault:
            log.debug("seats could not be renewed: %s", fault)
            self._untold = True

    async def close(self) -> None:
        """Give all seats back."""
        await self._try(Command(("DEL", self._mine), self._mine))
        await self._try(Command(("ZREM", self._replicas, self._id), self._replicas))

    def _writes(self) -> Iterator[Command]:
        taken = list(self._here.taken.items())
        for start in range(0, len(taken), WRITTEN_AT_ONCE):
            fields = [part for pair in taken[start : start + WRITTEN_AT_ONCE] for part in pair]
            yield Command(("HSET", self._mine, *fields), self._mine)

    async def _try(self, command: Command) -> None:
        try:
            await self._server.call(command)
        except ScoreboardError as fault:
            log.debug("a seat could not be given back: %s", fault)
            self._untold = True
