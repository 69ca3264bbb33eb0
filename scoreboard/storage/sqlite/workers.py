"""Threads that own a SQLite connection each, and the jobs they run for the event loop.

SQLite's calls block, and a connection carries one transaction, so neither the event loop nor two coroutines may share
one. A job is a function of the connection. Once begun it runs to its end even if nobody waits for it any longer; one
that nobody waits for when its turn comes is skipped, so that a slow disk is not kept busy with what was given up.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic

from scoreboard.errors import Overloaded, Unavailable
from scoreboard.storage.sqlite.faults import RETRY_AFTER_S, fault
from scoreboard.storage.sqlite.transaction import Job, T


class Workers:
    """Threads with a connection each, taking jobs from one queue; at `max_waiting` it refuses more."""

    def __init__(self, name: str, count: int, connect: Callable[[], sqlite3.Connection], max_waiting: int) -> None:
        self._connect = connect
        self._max_waiting = max_waiting
        self._jobs: SimpleQueue[_Task[Any] | None] = SimpleQueue()
        self._names = [f"{name}-{number}" for number in range(count)]
        self._threads: list[threading.Thread] = []
        self._open = False

    async def start(self) -> None:
        """Start the threads; returns when each has its connection. Raises what `connect` raises."""
        for name in self._names:
            opening = _Task(_nothing)
            thread = threading.Thread(target=self._serve, args=(opening,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
            await opening.future
        self._open = True

    async def run(self, job: Job[T]) -> T:
        """What the job returns or raises. Raises Overloaded where `max_waiting` jobs wait, Unavailable once closed."""
        return await self.begin(job)

    def begin(self, job: Job[T]) -> "asyncio.Future[T]":
        """As `run`, without waiting for the end. A job whose future is cancelled before its turn is skipped."""
        if not self._open:
            raise Unavailable("The database is closed.", retry_after_s=RETRY_AFTER_S)
        if self._jobs.qsize() >= self._max_waiting:
            raise Overloaded(retry_after_s=RETRY_AFTER_S)
        task = _Task(job)
        self._jobs.put(task)
        return task.future

    async def close(self) -> None:
        """Finish the jobs that wait and close the connections."""
        self._open = False
        threads, self._threads = self._threads, []
        for _ in threads:
            self._jobs.put(None)
        for thread in threads:
            await asyncio.to_thread(thread.join)

    def _serve(self, opening: "_Task[Any]") -> None:
        try:
            connection = self._connect()
        except BaseException as error:  # whoever opens the database hears of it
            opening.tell(_fail, fault(error) if isinstance(error, sqlite3.Error) else error)
            return
        with contextlib.closing(connection):
            opening.run(connection)
            while (task := self._jobs.get()) is not None:
                task.run(connection)


class _Task(Generic[T]):
    """A job and the future of whoever waits for it."""

    def __init__(self, job: Job[T]) -> None:
        self._job = job
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self._loop.create_future()

    def run(self, connection: sqlite3.Connection) -> None:
        if self.future.cancelled():
            return
        try:
            result = self._job(connection)
        except sqlite3.Error as error:
            mapped = fault(error)
            mapped.__cause__ = error
            self.tell(_fail, mapped)
        except BaseException as error:  # belongs to the caller, whatever it is; the thread goes on
            self.tell(_fail, error)
        else:
            self.tell(_answer, result)

    def tell(self, how: Callable[[asyncio.Future[Any], Any], None], what: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            self._loop.call_soon_threadsafe(how, self.future, what)


def _answer(future: asyncio.Future[Any], result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def _nothing(_: sqlite3.Connection) -> None:
    """The first job of a thread: its end tells that the connection is open."""
