"""Sentinels and clusters: found by their URLs, followed when they move."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from scoreboard.clock import SystemClock
from scoreboard.control.base import BoardChanged
from scoreboard.errors import ConfigError, Unavailable
from scoreboard.redis import Command, Keys, Server
from scoreboard.redis.topology import topology
from scoreboard.tasks import Tasks
from tests.control.test_redis import replica as control
from tests.redis_cluster import AnyRedis, RedisCluster
from tests.redis_sentinel import SentinelRedis
from tests.redis_server import require_redis

WITHIN_S = 20.0


@pytest.fixture
def redis_sentinels() -> Iterator[SentinelRedis]:
    """A primary that the test may kill."""
    with SentinelRedis(require_redis()) as sentinels:
        yield sentinels


@asynccontextmanager
async def opened(redis: AnyRedis) -> AsyncIterator[Server]:
    tasks = Tasks()
    server = Server(redis.url, SystemClock(), tasks)
    yield server
    await tasks.cancel()
    await server.close()


async def put(server: Server, key: str, value: str) -> None:
    """Write, trying until it is possible."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                await server.call(Command(("SET", key, value), key))
                return
            except Unavailable:
                await asyncio.sleep(0.05)


async def test_what_goes_to_many_slots_takes_one_round_trip_to_each_node(redis_cluster: RedisCluster) -> None:
    keys = [f"{{{number}}}" for number in range(60)]
    async with opened(redis_cluster) as server:
        await server.call(*(Command(("SET", key, key), key) for key in keys))
        assert len({await server.place(key) for key in keys}) == 3
        before = server.round_trips
        answers = await server.call(*(Command(("GET", key), key) for key in keys))
        assert answers == [key.encode() for key in keys]
        assert server.round_trips - before == 3


async def test_a_slot_that_moved_is_found_where_it_is_now(redis_cluster: RedisCluster) -> None:
    async with opened(redis_cluster) as server:
        await put(server, "{moving}", "before")
        here = await server.place("{moving}")
        source = next(node for node in redis_cluster.nodes if here.endswith(f":{node.port}"))
        target = next(node for node in redis_cluster.nodes if node is not source)
        ids = {node: node.command("CLUSTER", "MYID").split("\r\n")[1] for node in redis_cluster.nodes}
        slot = source.command("CLUSTER", "KEYSLOT", "{moving}").removeprefix(":")
        target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source])
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target])
        source.command("MIGRATE", "127.0.0.1", str(target.port), "{moving}", "0", "5000")
        try:
            # While it moves the old place only says where to ask this once.
            assert await server.call(Command(("GET", "{moving}"), "{moving}")) == [b"before"]
            for node in (target, source):
                node.command("CLUSTER", "SETSLOT", slot, "NODE", ids[target])
            assert await server.call(Command(("GET", "{moving}"), "{moving}")) == [b"before"]
            await put(server, "{moving}", "after")
            assert await server.place("{moving}") == f"127.0.0.1:{target.port}"
        finally:
            target.command("DEL", "{moving}")
            for node in redis_cluster.nodes:
                node.command("CLUSTER", "SETSLOT", slot, "NODE", ids[source])


async def test_replicas_hear_each_other_through_a_cluster(redis_cluster: RedisCluster) -> None:
    async with control(redis_cluster) as one, control(redis_cluster) as other, asyncio.timeout(WITHIN_S):
        await one.control.tell(BoardChanged("main"))
        assert await other.heard.get() == BoardChanged("main")
        await other.control.describe({"sockets": 5})
        assert [each.counts["sockets"] for each in await one.control.replicas()] == [5]


async def test_after_a_failover_the_new_master_is_used_and_known_to_be_another_one(
    redis_sentinels: SentinelRedis,
) -> None:
    async with opened(redis_sentinels) as server, control(redis_sentinels) as one, control(redis_sentinels) as other:
        await put(server, "key", "before")
        home = await server.home("key")
        moves: list[str] = []
        server.on_move(lambda: moves.append("moved"))
        await asyncio.to_thread(redis_sentinels.fail_over)
        await put(server, "key", "after")
        assert await server.home("key") != home
        assert moves
        assert redis_sentinels.standby.command("GET", "key").endswith("after")
        async with asyncio.timeout(WITHIN_S):
            await other.gaps.get()
            while other.heard.empty():
                await one.control.tell(BoardChanged("main"))
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("redis+sentinel://host:26379", "the name of the master is missing"),
        ("redis+sentinel://host:x/scores", "host:port"),
        ("redis+cluster://", "host:port"),
        ("http://host", "begins with none of"),
    ],
)
def test_a_url_that_leads_nowhere_is_refused(url: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=f"^redis.url: .*{complaint}"):
        topology(url)


async def test_a_master_that_no_sentinel_can_name_is_unavailable() -> None:
    for url in ("redis+sentinel://127.0.0.1:1,127.0.0.1:2/scores", "redis+cluster://127.0.0.1:1"):
        tasks = Tasks()
        server = Server(url, SystemClock(), tasks)
        with pytest.raises(Unavailable):
            await server.home(Keys("test").control)
        assert not server.is_up
        await tasks.cancel()
        await server.close()
