"""The PostgreSQL and Redis of servers that share them: filled before these start, and written to without them."""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from scoreboard.bench import daemons
from scoreboard.bench.board import BOARD, BOARDS, HIGHEST, OLDEST, PERIOD, player
from scoreboard.bench.processes import Measured
from scoreboard.bench.stores import BATCH, Inserted, Inserts, Store
from scoreboard.boards import Boards
from scoreboard.clock import Clock, SystemClock, uuid7
from scoreboard.order import order_keys
from scoreboard.redis import Command, Server
from scoreboard.storage.postgres import PostgresStorage
from scoreboard.storage.postgres.connections import Connections
from scoreboard.storage.queries import load_queries
from scoreboard.tasks import Tasks

QUERIES = load_queries(__package__, "postgres.sql")
SEED_ROWS = 50_000
FORGOTTEN_AT_ONCE = 1_000


class SharedStores:
    """`scoreboard.bench.stores.Stores` of databases with a name, and of keys with a prefix, that nobody else has."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, beside: Sequence[Measured]) -> None:
        self.folder = folder
        self._database_url = database_url
        self._redis_url = redis_url
        self._beside = beside

    def at(self, folder: Path) -> "SharedStores":
        """The same servers, for another line."""
        return SharedStores(folder, self._database_url, self._redis_url, self._beside)

    @asynccontextmanager
    async def filled(self, name: str, players: int) -> AsyncIterator[Store]:
        """A database with so many players on the board `main`."""
        folder, own = self.folder / name, f"scoreboard_bench_{secrets.token_hex(4)}"
        await asyncio.to_thread(folder.mkdir)
        url = urlsplit(self._database_url)._replace(path=f"/{own}").geturl()
        settings = {"database": {"url": url}, "redis": {"url": self._redis_url, "prefix": own}}
        await _run(self._database_url, f"CREATE DATABASE {own} TEMPLATE template0")
        try:
            await _fill(url, players)
            yield Store(folder, url, settings, self._beside)
        finally:
            await _run(self._database_url, f"DROP DATABASE {own} WITH (FORCE)")
            await _forget(self._redis_url, own)


@contextmanager
def shared_stores(folder: Path, database_url: str, redis_url: str) -> Iterator[SharedStores]:
    """Databases on the servers named, or where none is named, on one started here."""
    with ExitStack() as stack:
        beside: list[Measured] = []
        if not database_url:
            beside.append(stack.enter_context(daemons.postgres(folder)))
            database_url = beside[-1].url
        if not redis_url:
            beside.append(stack.enter_context(daemons.redis(folder)))
            redis_url = beside[-1].url
        yield SharedStores(folder, database_url, redis_url, beside)


async def insert(asked: Inserts) -> Inserted:
    """Write batches, each in one statement, on a connection like the server's."""
    connections, clock = Connections(asked.database, SystemClock(), 1), SystemClock()
    rows, busy_s, cpu_s = 0, 0.0, 0.0
    async with connections.use() as connection:
        while busy_s < asked.seconds:
            parameters = {**PERIOD._asdict(), "rows": _batch(random.sample(range(asked.players), BATCH), clock)}
            started, cpu_started = time.perf_counter(), time.process_time()
            await connection.run(QUERIES["insert_rows"], parameters)
            busy_s += time.perf_counter() - started
            cpu_s += time.process_time() - cpu_started
            rows += BATCH
    await connections.close()
    return Inserted(rows, busy_s, cpu_s)


def _batch(numbers: Sequence[int], clock: Clock) -> str:
    """One score for each player, as the statement takes them."""
    rows, encode = [], order_keys(BOARD).encode
    for number in numbers:
        now, name, score = clock.now(), player(number), random.randrange(HIGHEST)
        key = uuid7(now)
        rows.append(
            {
                "id": key,
                "action_id": f"key/i/{key}",
                "player_id": name,
                "score": score,
                "at": now,
                "key": encode(score, (), now, name).hex(),
            }
        )
    return msgspec.json.encode(rows).decode()


async def _fill(url: str, players: int) -> None:
    """Make the tables, the boards, and players with their standings."""
    storage = await PostgresStorage.open(url)
    await Boards(storage, SystemClock()).open(dict.fromkeys(BOARDS, BOARD))
    await storage.close()
    connections = Connections(url, SystemClock(), 1)
    async with connections.use() as connection:
        for first in range(0, players, SEED_ROWS):
            place = {"first": first, "last": min(first + SEED_ROWS, players) - 1}
            await connection.run(QUERIES["fill_players"], {**place, "oldest": OLDEST})
            board = {**PERIOD._asdict(), "signs": list(order_keys(BOARD).signs), "highest": HIGHEST}
            await connection.run(QUERIES["fill_standings"], {**place, **board})
        for table in ("players", "standings"):
            await connection.run(f"VACUUM (ANALYZE) {table}")
    await connections.close()


async def _run(url: str, statement: str) -> None:
    connections = Connections(url, SystemClock(), 1)
    async with connections.use() as connection:
        await connection.run(statement)
    await connections.close()


async def _forget(url: str, prefix: str) -> None:
    """Delete all keys under a prefix."""
    tasks = Tasks()
    server, cursor = Server(url, SystemClock(), tasks), b"0"
    while True:
        look = Command(("SCAN", cursor, "MATCH", f"{prefix}:*", "COUNT", FORGOTTEN_AT_ONCE), prefix)
        [(cursor, keys)] = await server.call(look)
        if keys:
            await server.call(Command(("UNLINK", *keys), prefix))
        if cursor == b"0":
            break
    await server.close()
    await tasks.cancel()
