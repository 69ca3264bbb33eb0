"""Seats: what is promised of them wherever they are counted, and over replicas on a real Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from scoreboard.clock import SystemClock
from scoreboard.redis import Keys, Server
from scoreboard.seats.base import Seats
from scoreboard.seats.memory import MemorySeats
from scoreboard.seats.redis import RedisSeats
from scoreboard.tasks import Tasks
from tests.redis_server import RedisServer

ADA, BOB = "player/ada", "player/bob"
LONG_S = 15


class SeatsContract:
    async def test_a_holder_has_no_more_than_the_cap(self, seats: Seats) -> None:
        assert [await seats.take(ADA, 2) for _ in range(3)] == [True, True, False]
        assert await seats.take(BOB, 2)

    async def test_a_seat_given_back_can_be_taken_again(self, seats: Seats) -> None:
        assert await seats.take(ADA, 1)
        seats.leave(ADA)
        assert await seats.take(ADA, 1)
        assert not await seats.take(ADA, 1)

    async def test_a_cap_of_nothing_is_no_limit(self, seats: Seats) -> None:
        assert all([await seats.take(ADA, 0) for _ in range(50)])


class TestMemory(SeatsContract):
    @pytest.fixture
    def seats(self) -> Seats:
        return MemorySeats()


class TestRedis(SeatsContract):
    @pytest.fixture
    async def seats(self, redis_server: RedisServer) -> AsyncIterator[Seats]:
        async with replica(redis_server) as one:
            yield one


@asynccontextmanager
async def replica(redis: RedisServer) -> AsyncIterator[RedisSeats]:
    tasks = Tasks()
    server = Server(redis.url, SystemClock(), tasks)
    seats = RedisSeats(server, Keys("seats"), tasks)
    try:
        yield seats
    finally:
        await seats.close()
        await tasks.cancel()
        await server.close()


async def test_the_cap_is_one_over_all_replicas(redis_server: RedisServer) -> None:
    async with replica(redis_server) as one, replica(redis_server) as other:
        assert await one.take(ADA, 2)
        assert await other.take(ADA, 2)
        assert not await one.take(ADA, 2)
        assert not await other.take(ADA, 2)
        one.leave(ADA)
        async with asyncio.timeout(LONG_S):
            while not await other.take(ADA, 2):  # until it has heard of that
                await asyncio.sleep(0)


async def test_of_many_at_once_no_more_than_the_cap_sit_down(redis_server: RedisServer) -> None:
    async with replica(redis_server) as one, replica(redis_server) as other:
        taken = await asyncio.gather(*(seats.take(ADA, 5) for seats in (one, other) for _ in range(20)))
        assert sum(taken) == 5


async def test_a_replica_that_ends_gives_its_seats_back(redis_server: RedisServer) -> None:
    async with replica(redis_server) as one:
        async with replica(redis_server) as other:
            assert await other.take(ADA, 1)
            assert not await one.take(ADA, 1)
        assert await one.take(ADA, 1)


async def test_a_replica_that_was_killed_is_forgotten_when_its_lease_ends(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.seats.redis.LEASE_MS", 50)
    async with replica(redis_server) as one, replica(redis_server) as killed:
        assert await killed.take(ADA, 1)
        async with asyncio.timeout(LONG_S):
            while not await one.take(ADA, 1):
                await asyncio.sleep(0.01)


async def test_without_redis_each_replica_counts_its_own_and_tells_them_later(own_redis: RedisServer) -> None:
    async with replica(own_redis) as one, replica(own_redis) as other:
        assert await one.take(BOB, 2)
        own_redis.kill()
        assert await one.take(ADA, 2)
        assert await one.take(ADA, 2)
        assert not await one.take(ADA, 2)
        own_redis.start()
        async with asyncio.timeout(LONG_S):
            while await other.take(ADA, 2):  # until Redis is tried again and told
                other.leave(ADA)
                await one.renew()
                await asyncio.sleep(0.05)
        assert await other.take(BOB, 2)
        assert not await other.take(BOB, 2)


async def test_seats_lost_with_the_data_of_redis_are_written_anew(redis_server: RedisServer) -> None:
    async with replica(redis_server) as one, replica(redis_server) as other:
        assert await one.take(ADA, 2)
        redis_server.command("FLUSHALL")
        assert await one.take(BOB, 2)
        await one.renew()
        assert await other.take(ADA, 2)
        assert not await other.take(ADA, 2)
