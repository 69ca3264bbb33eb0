"""One SQLite file: transactions one after the other, on a thread or in a process; reads on a few other threads."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from scoreboard.errors import Overloaded, Unavailable
from scoreboard.model import Board, Submission
from scoreboard.storage.base import Committal
from scoreboard.storage.sqlite.commit import commit
from scoreboard.storage.sqlite.demand import Demand
from scoreboard.storage.sqlite.faults import RETRY_AFTER_S
from scoreboard.storage.sqlite.opening import connect_to_read, connect_to_write
from scoreboard.storage.sqlite.process import CLOSE_WITHIN_S, WriterProcess
from scoreboard.storage.sqlite.transaction import Job, T, transact
from scoreboard.storage.sqlite.workers import Workers

READERS = 2
MAX_WAITING = 1_000
"""Transactions that may wait for their turn, and as many reads; one more is refused as Overloaded."""

MAX_HANDED = 2
"""Batches in the hands of the process: the one that it writes, and the next. More wait for their turn, as all else
does: a process that hangs is not left with whatever is given up meanwhile."""

BUSY_TIMEOUT_MS = 1_000
"""How long to wait for another program that writes; then Unavailable."""

Place = Literal["thread", "process", "auto"]
"""Where submissions are committed: on the thread of all other writes, in a process, or there once that pays."""


class Database:
    """One SQLite file: `write` runs a job in a transaction, `read` runs one on a connection that cannot write."""

    def __init__(
        self,
        path: Path,
        *,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
        max_waiting: int = MAX_WAITING,
        place: Place = "thread",
        held: Sequence[int] = (),
    ) -> None:
        """`held` are descriptors that a process keeps open for as long as it may write."""
        self._writer = Workers("sqlite-writer", 1, partial(connect_to_write, path, busy_timeout_ms), max_waiting)
        self._readers = Workers("sqlite-reader", READERS, partial(connect_to_read, path, busy_timeout_ms), max_waiting)
        self._process = None if place == "thread" else WriterProcess(path, busy_timeout_ms, held)
        self._demand = Demand() if place == "auto" else None
        self._max_waiting = max_waiting
        self._waiting = 0
        self._handed = 0
        self._turns = asyncio.Lock()  # first come, first served; SQLite itself would let those who wait starve
        self._open = False

    async def open(self) -> None:
        """Open every connection and bring the schema up to date. Raises ConfigError, Unavailable."""
        try:
            await self._writer.start()
            await self._readers.start()
            if self._process is not None and self._demand is None:
                self._process.start()
                await self._process.started()
        except BaseException:
            await self.close()
            raise
        self._open = True

    async def write(self, job: Job[T]) -> T:
        """Run the job in a transaction of its own and return once that is durable.

        A cancelled caller does not stop a job that has begun; one that waits is skipped. Raises what the job raises
        (then nothing happened), Overloaded, Unavailable, and OutcomeUnknown for a commit that failed half-way.
        """
        return await self._in_turn(lambda: self._on_thread(job))

    async def commit(self, boards: Sequence[Board], batch: Sequence[Submission], now: int) -> Committal:
        """As `write`, for the job of `scoreboard.storage.sqlite.commit`; OutcomeUnknown also where its process ends."""

        def start() -> asyncio.Future[Committal]:
            if self._process is not None:
                if self._process.is_up:
                    return self._hand_over(self._process, boards, batch, now)
                if self._demand is not None and self._demand.is_high(len(batch), now):
                    self._process.start()
            return self._on_thread(partial(commit, boards=boards, batch=batch, now=now))

        if self._has_turn(self._process):  # the next batch lies ready there when the one before is done
            return await asyncio.shield(start())
        return await self._in_turn(start)

    async def read(self, job: Job[T]) -> T:
        """Run the job, one statement, on the newest committed state. Raises Overloaded, Unavailable."""
        return await self._readers.run(job)

    async def close(self) -> None:
        """Finish the jobs that wait and let go of the file; new ones are refused."""
        self._open = False
        await self._readers.close()
        with contextlib.suppress(TimeoutError):  # a process that hangs is killed
            async with asyncio.timeout(CLOSE_WITHIN_S), self._turns:
                pass
        if self._process is not None:
            await self._process.close()
        await self._writer.close()

    def _has_turn(self, process: WriterProcess | None) -> bool:
        """Whether it is the turn of the process, and of nobody else, and it can be given more."""
        has_it = process is not None and process.is_up and 0 < self._handed < MAX_HANDED
        return has_it and self._open and not self._waiting

    def _on_thread(self, job: Job[T]) -> "asyncio.Future[T]":
        running = self._writer.begin(lambda connection: transact(connection, job))
        running.add_done_callback(self._end_turn)
        return running

    def _hand_over(
        self, process: WriterProcess, boards: Sequence[Board], batch: Sequence[Submission], now: int
    ) -> "asyncio.Future[Committal]":
        running = process.commit(boards, batch, now)
        self._handed += 1
        running.add_done_callback(self._take_back)
        return running

    def _take_back(self, running: "asyncio.Future[Committal]") -> None:
        self._handed -= 1
        if not self._handed:
            self._end_turn(running)

    def _end_turn(self, _: "asyncio.Future[Any]") -> None:
        self._turns.release()

    async def _in_turn(self, start: "Callable[[], asyncio.Future[T]]") -> T:
        """Start a transaction when its turn comes, which lasts until it has ended, whoever waits for that."""
        if not self._open:
            raise Unavailable("The database is closed.", retry_after_s=RETRY_AFTER_S)
        if self._waiting >= self._max_waiting:
            raise Overloaded(retry_after_s=RETRY_AFTER_S)
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            running = start()
        except BaseException:
            self._turns.release()
            raise
        return await asyncio.shield(running)
