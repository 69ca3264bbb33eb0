"""Admission in a real Redis, which several servers share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from scoreboard.admission.memory import MemoryAdmissions
from scoreboard.admission.redis import RedisAdmissions
from scoreboard.clock import SECOND, ManualClock, SystemClock
from scoreboard.redis import Keys, Server
from scoreboard.tasks import Tasks
from tests.admission.contract import OUTCOME, AdmissionContract, Make, admit, knock, past, session, submission
from tests.redis_cluster import AnyRedis, RedisCluster
from tests.redis_server import RedisServer


@asynccontextmanager
async def replica(redis: RedisServer, lease_s: float = 15) -> AsyncIterator[tuple[RedisAdmissions, Server]]:
    """The admission state as one server has it, with one session known."""
    async with replica_of(redis, lease_s) as (admissions, server):
        await admissions.learn(session())
        yield admissions, server


@asynccontextmanager
async def replica_of(redis: RedisServer, lease_s: float = 15) -> AsyncIterator[tuple[RedisAdmissions, Server]]:
    """The same, which learns nothing by itself."""
    tasks, clock = Tasks(), ManualClock()
    server = Server(redis.url, SystemClock(), tasks)
    local = MemoryAdmissions(clock, 0, session_ttl_s=2)
    admissions = RedisAdmissions(server, Keys("test"), clock, 0, local, tasks, lease_s=lease_s)
    yield admissions, server
    await tasks.cancel()
    await server.close()


@asynccontextmanager
async def making(redis: AnyRedis, clock: ManualClock) -> AsyncIterator[Make]:
    """Makes admission states by their budgets."""
    tasks = Tasks()
    server = Server(redis.url, SystemClock(), tasks)

    def make(budget: int) -> RedisAdmissions:
        local = MemoryAdmissions(clock, budget, session_ttl_s=2)
        return RedisAdmissions(server, Keys("test"), clock, budget, local, tasks)

    yield make
    await tasks.cancel()
    await server.close()


class TestRedisAdmissions(AdmissionContract):
    @pytest.fixture
    async def make(self, clock: ManualClock, redis_server: RedisServer) -> AsyncIterator[Make]:
        async with making(redis_server, clock) as make:
            yield make


class TestClusterAdmissions(AdmissionContract):
    """The same in a cluster, where each player has a slot of their own."""

    @pytest.fixture
    async def make(self, clock: ManualClock, redis_cluster: RedisCluster) -> AsyncIterator[Make]:
        async with making(redis_cluster, clock) as make:
            yield make


async def test_of_two_servers_with_one_action_id_one_reserves_it(redis_server: RedisServer) -> None:
    async with replica(redis_server) as (one, _), replica(redis_server) as (other, _):
        for number in range(100):
            answers = await asyncio.gather(admit(one, f"a{number}"), admit(other, f"a{number}"))
            assert sorted(answer.reserved for answer in answers) == ["in flight", "new"]


async def test_what_one_settles_is_done_for_the_other(redis_server: RedisServer) -> None:
    async with replica(redis_server) as (one, server), replica(redis_server) as (other, _):
        await admit(one, "a")
        waiting = asyncio.create_task(other.wait(knock("a")))
        await one.settle([(submission("a"), OUTCOME)])
        await waiting
        await server.posted()
        assert (await admit(other, "a")).reserved == "done"


async def test_what_a_player_did_before_is_shared(redis_server: RedisServer) -> None:
    async with replica(redis_server) as (one, _), replica(redis_server) as (other, _):
        assert past(await admit(one, "a", at=SECOND, score=7)) == []
        assert past(await admit(other, "b", at=3 * SECOND)) == [(SECOND, 7)]


async def test_an_action_id_that_nobody_settles_is_new_after_its_lease(redis_server: RedisServer) -> None:
    async with replica(redis_server, lease_s=5) as (admissions, _):
        await admit(admissions, "a")
        assert (await admit(admissions, "a", at=4 * SECOND)).reserved == "in flight"
        assert (await admit(admissions, "a", at=6 * SECOND)).reserved == "new"


async def test_all_who_ask_at_once_are_answered_in_few_round_trips(redis_server: RedisServer) -> None:
    async with replica(redis_server) as (admissions, server):
        await admit(admissions, "first")
        before = server.round_trips
        answers = await asyncio.gather(*(admit(admissions, f"a{number}") for number in range(64)))
        assert {answer.reserved for answer in answers} == {"new"}
        assert server.round_trips - before == 1


async def test_what_became_of_a_submission_goes_with_the_next_question(redis_server: RedisServer) -> None:
    async with replica(redis_server) as (admissions, server):
        await admit(admissions, "a")
        before = server.round_trips
        await admissions.settle([(submission("a"), OUTCOME)])
        assert (await admit(admissions, "a")).reserved == "done"
        assert server.round_trips - before == 1


async def test_what_became_of_the_last_submission_is_told_before_the_end(redis_server: RedisServer) -> None:
    async with replica(redis_server) as (one, _), replica(redis_server) as (other, _):
        await admit(one, "a")
        await one.settle([(submission("a"), OUTCOME)])
        await one.close()
        assert (await admit(other, "a")).reserved == "done"


async def test_while_redis_is_away_the_process_answers_and_then_redis_again(own_redis: RedisServer) -> None:
    async with replica(own_redis) as (admissions, _):
        await admit(admissions, "a")
        own_redis.kill()
        await admissions.learn(session())
        assert (await admit(admissions, "b")).session == "live"
        own_redis.start()
        async with asyncio.timeout(10):
            while (await admit(admissions, "c")).session != "unknown":  # Redis is empty: the database is to be asked
                await asyncio.sleep(0.05)


async def test_what_ended_while_redis_was_away_is_ended_there_once_it_is_back(own_redis: RedisServer) -> None:
    async with replica(own_redis) as (one, _), replica(own_redis) as (other, server):
        own_redis.pause()
        await one.revoke("p_ada", ["s1"])
        await one.ban("p_bob", True)
        await one.ban("p_bob", False)
        own_redis.resume()
        async with asyncio.timeout(10):
            while (await admit(other, "a")).session != "revoked" or not server.is_up:
                await asyncio.sleep(0.05)
            while own_redis.command("EXISTS", "test:{p_bob}:lifted") != ":1":
                await asyncio.sleep(0.05)
        assert own_redis.command("EXISTS", "test:{p_bob}:banned") == ":0"


async def test_what_an_older_copy_says_of_a_session_is_not_believed(own_redis: RedisServer) -> None:
    async with replica(own_redis) as (admissions, _):
        assert own_redis.command("SAVE") == "+OK"
        await admissions.revoke("p_ada", ["s1"])
        assert (await admit(admissions, "a")).session == "revoked"
        own_redis.kill()
        own_redis.start()
        async with replica_of(own_redis) as (another, _):
            assert (await admit(another, "b")).session == "unknown"
            assert await another.session("p_ada", "s1") is None


async def test_a_ban_or_its_end_in_an_older_copy_does_not_hide_the_newer_one(own_redis: RedisServer) -> None:
    async with replica(own_redis) as (admissions, _):
        await admissions.ban("p_ada", False)
        assert own_redis.command("SAVE") == "+OK"
        await admissions.ban("p_ada", True)
        own_redis.kill()
        own_redis.start()
        async with replica_of(own_redis) as (another, _):
            await another.learn(session(banned=True))
            assert (await admit(another, "a")).session == "banned"
