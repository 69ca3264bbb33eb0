"""What replicas depend on breaks under load and comes back: no score is lost, and all is soon as the database says."""

import asyncio
from pathlib import Path
from typing import Literal

import pytest

from scoreboard.client import Live
from tests.cluster.cluster import SUMS, Cluster
from tests.cluster.load import Audience, Load, nothing_is_lost
from tests.cluster.site import Site
from tests.postgres import PostgresServer
from tests.redis_sentinel import SentinelRedis
from tests.redis_server import require_redis

ACCEPTED_WITHIN_S = 5.0
BACK_WITHIN_S = 3.0


@pytest.fixture
def cluster(site: Site) -> Cluster:
    return site.cluster


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that come back without the pause that spares a real server."""
    monkeypatch.setattr("scoreboard.client.live.pause_s", lambda attempt, retry_after_s=None: 0.05)


async def test_scores_are_taken_while_redis_is_away_and_ranked_once_it_is_back_empty(site: Site, board: str) -> None:
    async with Audience(site.cluster, board) as audience:
        async with Load(site.cluster, board) as load:
            site.redis.kill()
            await load.goes_on(100, ACCEPTED_WITHIN_S)
            site.redis.start()
            await load.goes_on(100, BACK_WITHIN_S)
        await nothing_is_lost(site.cluster, board, load, audience)


async def test_a_ranking_that_was_emptied_is_made_anew(site: Site, board: str) -> None:
    async with Audience(site.cluster, board) as audience:
        async with Load(site.cluster, board) as load:
            assert site.redis.command("FLUSHALL") == "+OK"
            await load.goes_on(100, ACCEPTED_WITHIN_S)
        await nothing_is_lost(site.cluster, board, load, audience)


async def test_a_redis_that_hangs_holds_up_nobody(site: Site, board: str) -> None:
    async with Audience(site.cluster, board) as audience:
        async with Load(site.cluster, board) as load:
            site.redis.pause()
            try:
                await load.goes_on(100, ACCEPTED_WITHIN_S)
            finally:
                site.redis.resume()
            await load.goes_on(100, BACK_WITHIN_S)
        await nothing_is_lost(site.cluster, board, load, audience)


@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_scores_are_taken_again_soon_after_postgres_is_back(
    site: Site, board: str, how: Literal["fast", "immediate"]
) -> None:
    async with Audience(site.cluster, board) as audience:
        async with Load(site.cluster, board) as load:
            await asyncio.to_thread(site.postgres.stop, how)
            await site.cluster.says("database", "The database cannot be reached.")
            await asyncio.to_thread(site.postgres.start)
            await load.goes_on(100, BACK_WITHIN_S)
        await nothing_is_lost(site.cluster, board, load, audience)


@pytest.mark.parametrize("gone", ["redis", "postgres"])
async def test_who_watches_is_told_while_the_board_may_be_behind(
    site: Site, board: str, gone: Literal["redis", "postgres"]
) -> None:
    states: asyncio.Queue[str] = asyncio.Queue()
    server = site.redis if gone == "redis" else site.postgres
    async with Live(site.cluster.url, told=lambda state, _: states.put_nowait(state)) as live:
        await live.subscribe(board)
        assert await states.get() == "active"
        await asyncio.to_thread(server.stop)
        assert await asyncio.wait_for(states.get(), ACCEPTED_WITHIN_S) == "stale"
        await asyncio.to_thread(server.start)
        assert await asyncio.wait_for(states.get(), ACCEPTED_WITHIN_S) == "active"


async def test_connections_that_postgres_ends_are_replaced(site: Site, board: str) -> None:
    async with Audience(site.cluster, board) as audience:
        async with Load(site.cluster, board) as load:
            assert site.postgres.kill_backends(site.cluster.database) > 0
            await load.goes_on(100, BACK_WITHIN_S)
        await nothing_is_lost(site.cluster, board, load, audience)


async def test_a_redis_that_swallows_everything_holds_up_nobody(site: Site, board: str) -> None:
    async with Audience(site.cluster, board) as audience:
        async with Load(site.cluster, board) as load:
            assert site.to_redis.swallow() > 0
            await load.goes_on(100, ACCEPTED_WITHIN_S)
            site.to_redis.restore()
            await load.goes_on(100, BACK_WITHIN_S)
        await nothing_is_lost(site.cluster, board, load, audience)


async def test_a_database_that_swallows_everything_costs_no_score(site: Site, board: str) -> None:
    async with Audience(site.cluster, board) as audience:
        async with Load(site.cluster, board) as load:
            assert site.to_postgres.swallow() > 0
            await site.cluster.says("database", "The database cannot be reached.")
            site.to_postgres.restore()
            await load.goes_on(100, BACK_WITHIN_S)
        await nothing_is_lost(site.cluster, board, load, audience)


async def test_a_connection_that_swallows_what_it_carries_costs_no_score(site: Site, board: str) -> None:
    async with Audience(site.cluster, board) as audience:
        async with Load(site.cluster, board) as load:
            for proxy in (site.to_redis, site.to_postgres):
                assert proxy.swallow(4) == 4
            await load.goes_on(100)
        for proxy in (site.to_redis, site.to_postgres):
            proxy.restore()
        await nothing_is_lost(site.cluster, board, load, audience)


async def test_a_failover_that_loses_what_redis_was_told_costs_no_score(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    with (
        SentinelRedis(require_redis()) as redis,
        Cluster(tmp_path, database=postgres_server.new_database(), redis=redis.url) as cluster,
    ):
        await cluster.make_board("sums", SUMS)
        async with Audience(cluster, "sums") as audience:
            async with Load(cluster, "sums") as load:
                redis.part()
                await load.goes_on(60)
                assert await asyncio.to_thread(redis.fail_over) > 0
                await load.goes_on(100, ACCEPTED_WITHIN_S)
            await nothing_is_lost(cluster, "sums", load, audience)
