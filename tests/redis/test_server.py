"""One Redis, and what the driver would make worse."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from scoreboard.clock import SystemClock
from scoreboard.errors import InternalError, Unavailable
from scoreboard.redis import Command, Script, Server
from scoreboard.tasks import Tasks
from tests.redis_server import RedisServer

WITHIN_S = 20.0
ANSWER = Script("return 42", "1fa00e76656cc152ad327c13fe365858fd7be306")


@pytest.fixture
async def server(own_redis: RedisServer) -> AsyncIterator[Server]:
    tasks = Tasks()
    server = Server(own_redis.url, SystemClock(), tasks)
    yield server
    await tasks.cancel()
    await server.close()


def increase(server: Server) -> "asyncio.Task[list[int]]":
    return asyncio.create_task(server.call(Command(("INCR", "count"), "count")))


async def until_up(server: Server) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                await server.call(Command(("PING",), "any"))
                return
            except Unavailable:
                await asyncio.sleep(0.02)


async def test_what_was_not_answered_is_not_sent_again(server: Server, own_redis: RedisServer) -> None:
    assert await increase(server) == [1]
    own_redis.pause()
    with pytest.raises(Unavailable):
        await increase(server)
    own_redis.resume()
    await until_up(server)
    assert own_redis.command("GET", "count").endswith("2")  # it came through once, if late


async def test_a_server_that_is_away_costs_nobody_any_time(server: Server, own_redis: RedisServer) -> None:
    await increase(server)
    own_redis.kill()
    begun = time.monotonic()
    for _ in range(200):
        with pytest.raises(Unavailable):
            await increase(server)
    assert time.monotonic() - begun < 2
    assert not server.is_up
    assert server.problem == "cannot be reached"


async def test_a_server_that_hangs_is_given_up_soon(server: Server, own_redis: RedisServer) -> None:
    await increase(server)
    own_redis.pause()
    begun = time.monotonic()
    for _ in range(20):
        with pytest.raises(Unavailable):
            await increase(server)
    own_redis.resume()
    assert time.monotonic() - begun < 4


async def test_scripts_are_sent_again_to_a_server_that_forgot_them(server: Server, own_redis: RedisServer) -> None:
    assert await server.evaluate(ANSWER, ["any"]) == 42
    own_redis.command("SCRIPT", "FLUSH")
    assert await server.evaluate(ANSWER, ["any"]) == 42
    own_redis.kill()
    own_redis.start()
    await until_up(server)
    assert await server.evaluate(ANSWER, ["any"]) == 42


async def test_a_restarted_server_is_known_to_be_another_one(server: Server, own_redis: RedisServer) -> None:
    home = await server.home("any")
    own_redis.kill()
    own_redis.start()
    await until_up(server)
    assert await server.home("any") != home


async def test_a_server_that_evicts_is_told_of(
    server: Server, own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    await until_up(server)
    own_redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    own_redis.command("CLIENT", "KILL", "TYPE", "normal")  # the policy is looked at by each new connection
    async with asyncio.timeout(WITHIN_S):
        while server.problem is None:
            await until_up(server)
            await asyncio.sleep(0.02)
    assert server.problem == "maxmemory-policy is allkeys-lru; set it to noeviction"
    own_redis.command("CLIENT", "KILL", "TYPE", "normal")
    await until_up(server)
    told = [record.getMessage() for record in caplog.records if "maxmemory-policy" in record.getMessage()]
    assert told == [f"redis: {server.problem}; rankings may lose players unnoticed"]


async def test_what_is_refused_fails_alone(server: Server) -> None:
    await server.call(Command(("SET", "text", "x"), "text"))
    broken = asyncio.create_task(server.call(Command(("INCR", "text"), "text")))
    fine = increase(server)
    with pytest.raises(InternalError):
        await broken
    assert await fine == [1]
