"""Every replica is restarted in turn under load, before a crowd: as an operator brings out a new version."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import aiohttp
import pytest

from scoreboard.api.ws import UPGRADE_SHARES
from scoreboard.client.link import Codec, Link
from tests.cluster.cluster import SUMS, Cluster
from tests.cluster.load import Audience, Load, nothing_is_lost
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer, require_redis

REPLICAS = 3
PER_S = 6
CROWD = 72
"""So many that those of one replica are more than all replicas together may admit in a second."""


@pytest.fixture
def narrow(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Cluster]:
    """Replicas that admit few new sockets in a second, and part from all of theirs almost at once."""
    config = {"live": {"upgrades_per_s": PER_S, "drain_s": 0.2}}
    folder = tmp_path_factory.mktemp("narrow")
    with (
        RedisServer(require_redis()) as redis,
        Cluster(folder, database=postgres_server.new_database(), redis=redis.url, config=config) as running,
    ):
        yield running


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When each connection of a client was opened; clients come back without the pause that spares a real server."""
    monkeypatch.setattr("scoreboard.client.live.pause_s", lambda attempt, retry_after_s=None: 0.1)
    connect, times = Link.connect, list[float]()

    async def noted(http: aiohttp.ClientSession, url: str, codec: Codec) -> Link:
        link = await connect(http, url, codec)
        times.append(asyncio.get_running_loop().time())
        return link

    monkeypatch.setattr(Link, "connect", noted)
    return times


async def test_a_rolling_restart_costs_no_score_and_brings_no_rush(narrow: Cluster, opened: list[float]) -> None:
    board = uuid4().hex[:12]
    await narrow.make_board(board, SUMS)
    async with Load(narrow, board) as load, Audience(narrow, board, [narrow.url] * CROWD) as audience:
        for replica in narrow.replicas:
            before = len(opened)
            await asyncio.to_thread(replica.stop)
            await load.goes_on(40)
            await asyncio.to_thread(narrow.restart, replica)
            async with asyncio.timeout(60):
                while len(opened) - before < CROWD // REPLICAS // 2:  # those that were sent away are coming back
                    await asyncio.sleep(0.05)
        await load.ends()
        await nothing_is_lost(narrow, board, load, audience)
    at_once = max(PER_S // UPGRADE_SHARES, 1)
    for first in opened:
        assert sum(first <= at < first + 1 for at in opened) <= REPLICAS * (PER_S + at_once)
