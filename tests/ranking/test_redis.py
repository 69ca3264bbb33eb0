"""The ranking in a real Redis: the contract, and what only a server outside the process can do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from scoreboard.clock import SystemClock
from scoreboard.model import BoardPeriod
from scoreboard.ranking.base import Notify, NotLoaded, Ranking, SettingsOf
from scoreboard.ranking.redis import RedisRanking
from scoreboard.redis import Keys, Server, Subscriber
from scoreboard.tasks import Tasks
from tests.ranking.contract import NamesContract, ReadingContract, WritingContract
from tests.ranking.loading import LoadingContract
from tests.ranking.model import ModelContract
from tests.ranking.world import Backend, World
from tests.redis_cluster import RedisCluster
from tests.redis_server import RedisServer

BOARDS = ("main", "other", "one", "two", "a", "b")


class Confirmed:
    """What a database keeps of rankings."""

    def __init__(self) -> None:
        self.rankings: dict[BoardPeriod, tuple[int, str]] = {}

    async def confirm_epoch(self, period: BoardPeriod, epoch: int, home: str) -> bool:
        if self.rankings.get(period, (0, ""))[0] > epoch:
            return False
        self.rankings[period] = (epoch, home)
        return True

    async def confirmed_epoch(self, period: BoardPeriod) -> tuple[int, str] | None:
        return self.rankings.get(period)


class RedisBackend:
    def __init__(self, redis: RedisServer | RedisCluster) -> None:
        self.redis = redis
        self.confirmed = Confirmed()
        self.keys = Keys("test")

    @asynccontextmanager
    async def open(self, settings_of: SettingsOf, notify: Notify) -> AsyncIterator[Ranking]:
        self.redis.command("FLUSHALL")
        self.confirmed = Confirmed()
        # Epochs begin anew, which they never do in a database: what is told of the ranking before is told elsewhere.
        self.keys = Keys(f"test{uuid4().hex[:8]}")
        async with replica(self, settings_of, notify) as ranking:
            yield ranking

    async def delivered(self) -> None:
        """What is done here is told before the call returns."""


@asynccontextmanager
async def replica(backend: RedisBackend, settings_of: SettingsOf, notify: Notify) -> AsyncIterator[RedisRanking]:
    """The ranking as one server has it."""
    tasks = Tasks()
    server = Server(backend.redis.url, SystemClock(), tasks)
    keys = backend.keys
    subscriber = Subscriber(server, keys)
    for work in (subscriber.run(), subscriber.beat()):
        tasks.start(work, "redis")
    ranking = RedisRanking(server, subscriber, keys, settings_of, notify, backend.confirmed, lambda: BOARDS)
    tasks.start(ranking.keep_watch(), "watch")
    try:
        yield ranking
    finally:
        await tasks.cancel()
        await server.close()


class TestRedisRanking(ReadingContract, WritingContract, NamesContract, LoadingContract, ModelContract):
    @pytest.fixture
    def backend(self, redis_server: RedisServer) -> Backend:
        return RedisBackend(redis_server)


class TestClusterRanking(ReadingContract, WritingContract, NamesContract, LoadingContract):
    """The same in a cluster, where each period has a slot of its own; the model of all answers once is enough."""

    @pytest.fixture
    def backend(self, redis_cluster: RedisCluster) -> Backend:
        return RedisBackend(redis_cluster)


async def test_a_ranking_that_redis_lost_is_not_taken_for_one_that_is_known(redis_server: RedisServer) -> None:
    backend = RedisBackend(redis_server)
    world = World(backend)
    main = world.board()
    async with world.open() as world.ranking:
        world.ranking.watch(main)
        await world.load(main, world.standing(main, "ada", 5))
        for look in (world.ranking.top(main, 1), world.ranking.placings(main, ["ada"])):
            async with asyncio.timeout(10):
                while not await world.ranking.loaded(main):
                    await world.load(main, world.standing(main, "ada", 5), epoch=2)
            redis_server.command("FLUSHALL")
            with pytest.raises(NotLoaded):
                await look
            assert not await world.ranking.loaded(main)
        assert await world.ranking.project([world.standing(main, "ada", 6, 2)]) == (None,)
        assert not await world.ranking.loaded(main)
