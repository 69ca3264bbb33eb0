"""The backends of the two ways to run: alone with one file, or on PostgreSQL and Redis with others like it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scoreboard.admission.base import Admissions
from scoreboard.admission.memory import MemoryAdmissions
from scoreboard.attempts.base import Attempts, patience
from scoreboard.attempts.memory import MemoryAttempts
from scoreboard.boards import Boards
from scoreboard.clock import Clock
from scoreboard.config import Settings, database_path, is_scaled_out, make_data_folder
from scoreboard.control.base import Control
from scoreboard.control.memory import MemoryControl
from scoreboard.errors import ConfigError
from scoreboard.lock import sole_user
from scoreboard.ranking.base import Notify, Ranking
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.seats.base import Seats
from scoreboard.seats.memory import MemorySeats
from scoreboard.storage.base import Storage
from scoreboard.storage.sqlite import SqliteStorage
from scoreboard.storage.sqlite.connection import Place
from scoreboard.tasks import Tasks

# The drivers of what is shared are loaded where it is used: a server that is alone starts without them.
if TYPE_CHECKING:
    from scoreboard.redis import Keys, Server, Subscriber

SESSION_BELIEVED_S = 2.0
"""How long a session's state is believed while Redis cannot tell that it ended."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Redis, for all that is kept there."""

    server: "Server"
    keys: "Keys"
    subscriber: "Subscriber"


@asynccontextmanager
async def open_storage(settings: Settings) -> AsyncIterator[Storage]:
    """The system of record. Raises ConfigError where it cannot be used, Unavailable where it cannot be reached."""
    await asyncio.to_thread(make_data_folder, settings)
    if is_scaled_out(settings):
        from scoreboard.storage.postgres import PostgresStorage

        database = settings.database
        postgres = await PostgresStorage.open(
            database.url,
            connections=database.connections,
            replica_url=database.replica_url,
            replica_lag_s=database.replica_lag_s,
        )
        try:
            yield postgres
        finally:
            await postgres.close()
        return
    with ExitStack() as held:
        lock = await asyncio.to_thread(held.enter_context, sole_user(Path(settings.data.dir)))
        sqlite = await SqliteStorage.open(database_path(settings), place=_place_of_writes(settings), held=(lock,))
        try:
            yield sqlite
        finally:
            await sqlite.close()


def _place_of_writes(settings: Settings) -> Place:
    """Where scores are written to SQLite: with one core a second process has nothing to gain."""
    place = settings.database.sqlite_writer
    return "thread" if place == "auto" and len(os.sched_getaffinity(0)) < 2 else place


@asynccontextmanager
async def open_to_read(settings: Settings) -> AsyncIterator[Storage]:
    """The system of record beside a server that may run on it. Raises ConfigError where there is none, Unavailable."""
    if is_scaled_out(settings):
        async with open_storage(settings) as storage:
            yield storage
        return
    path = database_path(settings)
    if not path.exists():
        raise ConfigError(f"{path}: there is no such database")
    sqlite = await SqliteStorage.open(path)
    yield sqlite
    await sqlite.close()


@asynccontextmanager
async def open_shared(settings: Settings, clock: Clock, tasks: Tasks) -> AsyncIterator[Shared | None]:
    """Redis if it is used; it need not be there yet."""
    if not is_scaled_out(settings):
        yield None
        return
    from scoreboard.redis import Keys, Server, Subscriber

    server = Server(settings.redis.url, clock, tasks)
    keys = Keys(settings.redis.prefix)
    shared = Shared(server, keys, Subscriber(server, keys))
    tasks.start(shared.subscriber.run(), "redis messages")
    tasks.start(shared.subscriber.beat(), "redis heartbeat")
    try:
        yield shared
    finally:
        await server.close()


@asynccontextmanager
async def open_ranking(
    shared: Shared | None, storage: Storage, boards: Boards, notify: Notify, tasks: Tasks
) -> AsyncIterator[Ranking]:
    """The ranking, with nothing loaded or with what Redis holds."""
    ranking: Ranking
    if shared is None:
        ranking = MemoryRanking(boards.settings, notify, boards.is_open)
    else:
        from scoreboard.ranking.redis import RedisRanking

        ranking = redis = RedisRanking(
            shared.server,
            shared.subscriber,
            shared.keys,
            boards.settings,
            notify,
            storage,
            boards.ids,
        )
        tasks.start(redis.keep_watch(), "watched boards")
    try:
        yield ranking
    finally:
        await ranking.close()


def make_admissions(
    shared: Shared | None,
    settings: Settings,
    clock: Clock,
    tasks: Tasks,
    revoked: Callable[[str, Sequence[str]], None],
) -> Admissions:
    """What submissions are asked before they are judged; `revoked` is told of sessions that ended, and whose."""
    budget = settings.limits.player_writes_per_minute
    if shared is None:
        return MemoryAdmissions(clock, budget, revoked)
    from scoreboard.admission.redis import RedisAdmissions

    local = MemoryAdmissions(clock, budget, session_ttl_s=SESSION_BELIEVED_S)
    return RedisAdmissions(shared.server, shared.keys, clock, budget, local, tasks, revoked=revoked)


def make_attempts(shared: Shared | None, settings: Settings, clock: Clock) -> Attempts:
    """What is remembered of failed sign-ins."""
    growing = patience(settings.limits.password_tries)
    local = MemoryAttempts(clock, growing)
    if shared is None:
        return local
    from scoreboard.attempts.redis import RedisAttempts

    return RedisAttempts(shared.server, shared.keys, clock, growing, local)


def make_seats(shared: Shared | None, tasks: Tasks) -> Seats:
    """How many sockets everybody has."""
    if shared is None:
        return MemorySeats()
    from scoreboard.seats.redis import RedisSeats

    return RedisSeats(shared.server, shared.keys, tasks)


def make_control(shared: Shared | None, clock: Clock) -> Control:
    """The channel between replicas."""
    if shared is None:
        return MemoryControl(clock)
    from scoreboard.control.redis import RedisControl

    return RedisControl(shared.server, shared.subscriber, shared.keys, clock)
