"""The SQLite file of a server that is alone: filled before it starts, and written to without it."""

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from scoreboard.bench.board import BOARD, BOARDS, HIGHEST, OLDEST, PERIOD, player
from scoreboard.bench.stores import BATCH, Inserted, Inserts, Store
from scoreboard.boards import Boards
from scoreboard.clock import DAY, Clock, SystemClock, uuid7
from scoreboard.fold import Standing
from scoreboard.order import order_keys
from scoreboard.storage.sqlite import SqliteStorage
from scoreboard.storage.sqlite.connection import Database
from scoreboard.storage.sqlite.ledger import Ledger, Named
from scoreboard.storage.sqlite.statements import write_rows

SEED_ROWS = 10_000


class EmbeddedStores:
    """`scoreboard.bench.stores.Stores` of files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @asynccontextmanager
    async def filled(self, name: str, players: int) -> AsyncIterator[Store]:
        """A file with so many players on the board `main`, in a data folder."""
        folder = self.folder / name
        await asyncio.to_thread(folder.mkdir)
        yield Store(folder, str(await _fill(folder / "scoreboard.db", players)))


async def insert(asked: Inserts) -> Inserted:
    """Write batches, each in a transaction, on a connection like the server's."""
    database, clock = Database(Path(asked.database)), SystemClock()
    await database.open()
    rows, busy_s, cpu_s = 0, 0.0, 0.0
    while busy_s < asked.seconds:
        write = _batch(random.sample(range(asked.players), BATCH), clock)
        started, cpu_started = time.perf_counter(), time.process_time()
        await database.write(write)
        busy_s += time.perf_counter() - started
        cpu_s += time.process_time() - cpu_started
        rows += BATCH
    await database.close()
    return Inserted(rows, busy_s, cpu_s)


def _batch(numbers: list[int], clock: Clock) -> Callable[[sqlite3.Connection], None]:
    """The write of one score for each player, its rows made beforehand: those that a commit leaves."""
    taken: list[tuple[object, ...]] = []
    history: list[tuple[object, ...]] = []
    ledger = Ledger()
    for number in numbers:
        now, name, score = clock.now(), player(number), random.randrange(HIGHEST)
        key = uuid7(now)
        taken.append((f"key/i/{key}", key, "main", name, "accepted", None, score, score, 1, "0" * 64, now))
        history.append((key, "main", name, now, 7, "[]", "counted", None, None, None, "127.0.0.1"))
        ledger.put(BOARD, PERIOD, Named(name, name, 1, "active"), Standing(score, (), now, now, key), 2)

    def write(connection: sqlite3.Connection) -> None:
        write_rows(connection, "write_actions", taken)
        write_rows(connection, "write_history", history)
        ledger.write(connection, now)

    return write


async def _fill(path: Path, players: int) -> Path:
    """Make the database file with players and their standings."""
    clock = SystemClock()
    storage = await SqliteStorage.open(path)
    await Boards(storage, clock).open(dict.fromkeys(BOARDS, BOARD))
    await storage.close()
    database, now = Database(path), clock.now()
    await database.open()
    for start in range(0, players, SEED_ROWS):
        await database.write(_seeding(range(start, min(start + SEED_ROWS, players)), now))
    await database.close()
    return path


def _seeding(numbers: Sequence[int], now: int) -> Callable[[sqlite3.Connection], None]:
    players: list[tuple[object, ...]] = []
    standings: list[tuple[object, ...]] = []
    encode = order_keys(BOARD).encode
    for number in numbers:
        name, score, at = player(number), random.randrange(HIGHEST), now - random.randrange(1, DAY)
        players.append((name, name, 1, "active", now - random.randrange(1, OLDEST)))
        standings.append((*PERIOD, name, score, "[]", at, at, uuid7(at), 1, encode(score, (), at, name)))

    def write(connection: sqlite3.Connection) -> None:
        write_rows(connection, "write_players", players)
        write_rows(connection, "write_standings", standings)

    return write
