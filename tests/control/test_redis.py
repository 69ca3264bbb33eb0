"""The channel between replicas, over a real Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scoreboard.clock import SystemClock
from scoreboard.control.base import BoardChanged, News, PlayerChanged, SessionsEnded
from scoreboard.control.memory import MemoryControl
from scoreboard.control.redis import RedisControl
from scoreboard.redis import Keys, Server, Subscriber
from scoreboard.tasks import Tasks
from tests.redis_cluster import AnyRedis
from tests.redis_server import RedisServer


class Replica:
    """One end of the channel, and what it heard."""

    def __init__(self, control: RedisControl) -> None:
        self.control = control
        self.heard: asyncio.Queue[News] = asyncio.Queue()
        self.gaps: asyncio.Queue[None] = asyncio.Queue()
        control.on(self.heard.put_nowait)
        control.on_gap(lambda: self.gaps.put_nowait(None))


@asynccontextmanager
async def replica(redis: AnyRedis) -> AsyncIterator[Replica]:
    tasks = Tasks()
    server, keys = Server(redis.url, SystemClock(), tasks), Keys("test")
    subscriber = Subscriber(server, keys)
    one = Replica(RedisControl(server, subscriber, keys, SystemClock()))
    tasks.start(subscriber.run(), "messages")
    tasks.start(subscriber.beat(), "heartbeat")
    await one.gaps.get()  # listening begins with one
    yield one
    await tasks.cancel()
    await server.close()


async def test_what_one_tells_all_others_hear_and_itself_does_not(redis_server: RedisServer) -> None:
    news: list[News] = [SessionsEnded("ada", ("s1", "s2")), PlayerChanged("bob", "banned"), BoardChanged("main")]
    async with replica(redis_server) as one, replica(redis_server) as other, replica(redis_server) as third:
        for each in news:
            await one.control.tell(each)
        assert [await other.heard.get() for _ in news] == news
        assert [await third.heard.get() for _ in news] == news
        await other.control.tell(BoardChanged("last"))
        assert await one.heard.get() == BoardChanged("last")


async def test_a_lost_connection_is_a_gap_after_which_news_come_again(own_redis: RedisServer) -> None:
    async with replica(own_redis) as one, replica(own_redis) as other:
        own_redis.kill()
        await one.control.tell(BoardChanged("nobody hears it"))
        own_redis.start()
        async with asyncio.timeout(15):
            await other.gaps.get()
            while other.heard.empty():  # until Redis is tried again
                await one.control.tell(BoardChanged("main"))
                await asyncio.sleep(0.05)
        assert await other.heard.get() == BoardChanged("main")


async def test_a_server_that_hangs_is_a_gap(own_redis: RedisServer) -> None:
    async with replica(own_redis) as one:
        own_redis.pause()
        try:
            async with asyncio.timeout(15):
                while one.control._subscriber.is_whole:
                    await asyncio.sleep(0.05)
        finally:
            own_redis.resume()
        async with asyncio.timeout(15):
            await one.gaps.get()


async def test_replicas_are_listed_until_they_leave(redis_server: RedisServer) -> None:
    async with replica(redis_server) as one, replica(redis_server) as other:
        await one.control.describe({"sockets": 3})
        await other.control.describe({"sockets": 5})
        assert sorted(each.counts["sockets"] for each in await one.control.replicas()) == [3, 5]
        await other.control.close()
        assert [each.counts for each in await one.control.replicas()] == [{"sockets": 3}]


async def test_a_server_that_is_alone_lists_itself() -> None:
    control = MemoryControl(SystemClock())
    await control.describe({"sockets": 2})
    assert [each.counts for each in await control.replicas()] == [{"sockets": 2}]
