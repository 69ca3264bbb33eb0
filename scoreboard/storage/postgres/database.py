"""One PostgreSQL database: statements by name, each a transaction of its own, or several in one."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from scoreboard.errors import OutcomeUnknown
from scoreboard.storage.postgres.connections import Connection, Connections, Rows
from scoreboard.storage.postgres.faults import RETRY_AFTER_S, Conflicted, Lost, unreachable
from scoreboard.storage.queries import load_queries

QUERIES = load_queries(__package__, "queries.sql", "oversight.sql", "webhooks.sql")

ATTEMPTS = 5
"""Times that a transaction is tried which meets others; the last one's failure is told."""

T = TypeVar("T")
Call = Callable[[Connection], Awaitable[T]]


class Transaction:
    """Statements on one connection, all of which happen or none."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fetch(self, name: str, /, **parameters: Any) -> Rows:
        """The rows of a statement."""
        rows, _ = await self._connection.run(QUERIES[name], parameters)
        return rows

    async def execute(self, name: str, /, **parameters: Any) -> int:
        """How many rows a statement changed."""
        _, count = await self._connection.run(QUERIES[name], parameters)
        return count


Job = Callable[[Transaction], Awaitable[T]]


class Database:
    """Runs statements; writes raise OutcomeUnknown where the connection broke under them."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.round_trips = 0
        """Statements sent for writes."""

    @property
    def is_up(self) -> bool:
        """Whether the server answered the last time."""
        return self._connections.is_up

    async def read(self, name: str, /, **parameters: Any) -> Rows:
        """The rows of a statement that changes nothing; tried again once where a connection broke."""
        try:
            return await self._run_once(name, parameters)
        except (Lost, Conflicted):
            pass
        try:
            return await self._run_once(name, parameters)
        except (Lost, Conflicted):
            raise unreachable() from None

    async def write(self, name: str, /, **parameters: Any) -> Rows:
        """The rows of a statement, which is a transaction of its own."""
        rows, _ = await self._write(name, parameters)
        return rows

    async def execute(self, name: str, /, **parameters: Any) -> int:
        """How many rows a statement changed, which is a transaction of its own."""
        _, count = await self._write(name, parameters)
        return count

    async def transact(self, job: Job[T]) -> T:
        """Run several statements in one transaction; the job may run again where it meets another one."""

        async def run(connection: Connection) -> T:
            await connection.run("BEGIN")
            try:
                result = await job(Transaction(connection))
                await connection.run("COMMIT")
            except BaseException:
                await _undo(connection)
                raise
            return result

        return await self._try(run)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._connections.close()

    async def _write(self, name: str, parameters: dict[str, Any]) -> tuple[Rows, int]:
        self.round_trips += 1
        return await self._try(lambda connection: connection.run(QUERIES[name], parameters))

    async def _try(self, call: Call[T]) -> T:
        for _ in range(ATTEMPTS):
            try:
                async with self._connections.use() as connection:
                    return await call(connection)
            except Conflicted:
                continue
            except Lost as lost:
                raise OutcomeUnknown(retry_after_s=RETRY_AFTER_S) from lost
        raise unreachable()

    async def _run_once(self, name: str, parameters: dict[str, Any]) -> Rows:
        async with self._connections.use() as connection:
            rows, _ = await connection.run(QUERIES[name], parameters)
            return rows


async def _undo(connection: Connection) -> None:
    """Roll back; a connection that cannot is closed, which does the same."""
    if connection.is_sound:
        try:
            await connection.run("ROLLBACK")
        except BaseException:
            connection.is_sound = False
            raise
