"""Connections to one PostgreSQL: a fixed number, each replaced when it breaks, and a bound on who waits for one."""

import asyncio
import contextlib
import logging
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiopg
import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from scoreboard.breaker import Breaker
from scoreboard.clock import Clock
from scoreboard.errors import Overloaded
from scoreboard.storage.postgres.faults import RETRY_AFTER_S, Lost, is_cancel, meaning, stopped, unreachable

log = logging.getLogger(__name__)

MAX_WAITING = 1_000
CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 5.0

STATEMENT_TIMEOUT_MS = 9_000
"""The server stops a statement before this end gives up on it: then it is known that nothing happened."""

UNACKNOWLEDGED_MS = 1_500
"""How long the other machine may leave what was sent unacknowledged before the connection counts as broken."""

Rows = list[tuple[Any, ...]]


class Connections:
    """At most `size` connections at a time; more callers wait, and beyond MAX_WAITING of them are refused."""

    def __init__(self, url: str, clock: Clock, size: int) -> None:
        self._url = url
        self._size = size
        self._free: list[aiopg.Connection] = []
        self._turns = asyncio.Semaphore(size)
        self._waiting = 0
        self._breaker = Breaker(clock)
        self._closed = False

    @property
    def is_up(self) -> bool:
        """Whether the server answered the last time."""
        return not self._breaker.is_open

    async def fill(self) -> None:
        """Open all connections. Raises Unavailable."""
        self._free.append(await self._connect())  # alone, so that what is wrong is told once
        self._free.extend(await asyncio.gather(*(self._connect() for _ in range(self._size - 1))))

    @asynccontextmanager
    async def use(self) -> AsyncIterator["Connection"]:
        """A connection for a while. Raises Unavailable where there is none, Overloaded where too many wait."""
        if self._closed:
            raise unreachable()
        if self._waiting >= MAX_WAITING:
            raise Overloaded(f"{MAX_WAITING} calls wait for the database.", retry_after_s=RETRY_AFTER_S)
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            connection = Connection(await self._take())
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._turns.release()

    async def close(self) -> None:
        """Close what is free; what is in use closes when it is given back."""
        self._closed = True
        for connection in self._free:
            with contextlib.suppress(Exception):  # it may be broken already
                await asyncio.wait_for(connection.close(), CLOSE_TIMEOUT_S)
        self._free.clear()

    async def _take(self) -> aiopg.Connection:
        while self._free:
            connection = self._free.pop()
            if _is_sound(connection):
                return connection
            connection.close()
        return await self._connect()

    def _give_back(self, connection: "Connection") -> None:
        if connection.is_sound and not self._closed:
            self._breaker.succeeded()
            self._free.append(connection.raw)
        else:
            connection.raw.close()

    async def _connect(self) -> aiopg.Connection:
        if not self._breaker.permits():
            raise unreachable()
        try:
            connection = await _try_twice(await _dsn(self._url))
        except (OSError, psycopg2.Error, TimeoutError, RuntimeError) as fault:
            self._breaker.failed()
            log.warning("postgres: %s", " ".join(str(fault).split()) or "no answer to the connection")
            raise unreachable() from None
        self._breaker.succeeded()
        return connection


class Connection:
    """One connection in one pair of hands."""

    def __init__(self, raw: aiopg.Connection) -> None:
        self.raw = raw
        self.is_sound = True

    async def run(
        self, statement: str, parameters: dict[str, Any] | None = None, *, within_s: float = ANSWER_TIMEOUT_S
    ) -> tuple[Rows, int]:
        """Its rows, and how many rows it changed or returned.

        Raises Lost, Conflicted, and what else the error means; a statement outside a transaction is then undone.
        """
        try:
            async with asyncio.timeout(within_s):
                async with self.raw.cursor(timeout=within_s) as cursor:
                    await cursor.execute(statement, parameters)
                    rows = await cursor.fetchall() if cursor.description else []
                    self._check_replicated()
                    return rows, cursor.rowcount
        except Lost:
            self.is_sound = False
            raise
        except asyncio.CancelledError as cancelled:
            if not is_cancel(cancelled):
                self.is_sound = False  # the statement may still run
                raise
            raise stopped() from None
        except (psycopg2.Error, TimeoutError, OSError, RuntimeError) as fault:
            broken = isinstance(fault, TimeoutError) or not _is_sound(self.raw)
            error = meaning(fault, broken)
            self.is_sound = not (broken or isinstance(error, Lost))
            raise error from fault

    def _check_replicated(self) -> None:
        """A commit that was told not to wait for a synchronous standby any more succeeds, and only warns of it."""
        notices, self.raw.notices[:] = list(self.raw.notices), []
        if any("synchronous replication" in notice for notice in notices):
            raise Lost("the commit is not on the synchronous standby")


def _is_sound(connection: aiopg.Connection) -> bool:
    """Whether it is open and silent: an idle connection has something to read only when it ends."""
    if connection.closed:
        return False
    try:
        readable, _, _ = select.select([connection.raw.fileno()], [], [], 0)
    except (OSError, ValueError, psycopg2.Error):
        return False
    return not readable


class _Attempt(aiopg.Connection):
    """A connection that can be done away with where uvloop does not take it, which its maker would not do."""

    def __init__(self, dsn: str, attempts: list["_Attempt"]) -> None:
        attempts.append(self)
        super().__init__(dsn, ANSWER_TIMEOUT_S, enable_json=False, enable_hstore=False, enable_uuid=False)

    def discard(self) -> None:
        """Close it and tell nobody."""
        if self._waiter is not None:
            self._waiter.cancel()
        self.close()


async def _open(dsn: str, attempts: list[_Attempt]) -> aiopg.Connection:
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        return await _Attempt(dsn, attempts)


async def _try_twice(dsn: str) -> aiopg.Connection:
    attempts: list[_Attempt] = []
    try:
        return await _open(dsn, attempts)
    except RuntimeError:  # uvloop, about the handle of an attempt that was refused before; the next one is clean
        try:
            return await _open(dsn, attempts)
        except RuntimeError:
            attempts[1].discard()
            raise
        finally:
            attempts[0].discard()


async def _dsn(url: str) -> str:
    """The URL with its host looked up, which the driver would do without letting anybody else run meanwhile."""
    given: dict[str, Any] = parse_dsn(url)
    host = given.get("host", "")
    if host and not host.startswith("/") and "hostaddr" not in given and "," not in host:
        [(_, _, _, _, address), *_] = await asyncio.get_running_loop().getaddrinfo(host, None)
        given["hostaddr"] = address[0]
    settings: dict[str, Any] = {
        "application_name": "scoreboard",
        "tcp_user_timeout": UNACKNOWLEDGED_MS,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        **given,
        "options": f"{given.get('options', '')} -c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC".strip(),
    }
    return str(make_dsn(**settings))
