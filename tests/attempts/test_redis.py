"""Failed sign-ins in a real Redis, which several servers share."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from scoreboard.attempts.base import patience
from scoreboard.attempts.memory import MemoryAttempts
from scoreboard.attempts.redis import RedisAttempts
from scoreboard.clock import ManualClock, SystemClock
from scoreboard.redis import Keys, Server
from scoreboard.tasks import Tasks
from tests.attempts.contract import HOME, OWNER, TRIES, AttemptsContract, Make, guess
from tests.redis_server import RedisServer

REPLICAS = 3


class TestRedisAttempts(AttemptsContract):
    @pytest.fixture
    async def make(self, clock: ManualClock, redis_server: RedisServer) -> AsyncIterator[Make]:
        tasks = Tasks()
        server = Server(redis_server.url, SystemClock(), tasks)
        yield lambda patience: RedisAttempts(server, Keys("test"), clock, patience, MemoryAttempts(clock, patience))
        await tasks.cancel()
        await server.close()

    async def test_guesses_spread_over_replicas_are_counted_together(self, make: Make) -> None:
        replicas = [make(patience(TRIES)) for _ in range(REPLICAS)]
        waits = await asyncio.gather(*(guess(replica) for replica in replicas * TRIES))
        assert sum(wait is None for wait in waits) == TRIES

    async def test_what_is_remembered_goes_by_itself(self, make: Make, redis_server: RedisServer) -> None:
        attempts = make(patience(TRIES))
        await guess(attempts)
        await attempts.succeeded(await attempts.enter(OWNER, HOME))
        await guess(attempts)
        keys = [line for line in redis_server.command("KEYS", "*").splitlines() if line.startswith("test:")]
        assert keys
        assert all(int(redis_server.command("PTTL", key).removeprefix(":")) > 0 for key in keys)


async def test_without_redis_guesses_are_counted_in_the_process(own_redis: RedisServer) -> None:
    tasks, clock = Tasks(), ManualClock()
    server = Server(own_redis.url, SystemClock(), tasks)
    attempts = RedisAttempts(server, Keys("test"), clock, patience(TRIES), MemoryAttempts(clock, patience(TRIES)))
    own_redis.kill()
    assert [await guess(attempts) is None for _ in range(TRIES + 1)] == [True] * TRIES + [False]
    await attempts.withdraw(await attempts.enter("bob", HOME))
    await tasks.cancel()
    await server.close()
