"""Clusters for the tests here: one for those that leave it as it was."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from scoreboard.model import ActionRule, BoardSettings
from tests.cluster.cluster import Cluster
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer, require_redis


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Cluster]:
    """Three replicas that no test may stop, with a Redis of their own."""
    with RedisServer(require_redis()) as redis:
        database = postgres_server.new_database()
        with Cluster(tmp_path_factory.mktemp("cluster"), database=database, redis=redis.url) as running:
            yield running


@pytest.fixture
async def board(cluster: Cluster) -> str:
    """A board of sums with the action `hit`, known to every replica."""
    name = uuid4().hex[:12]
    await cluster.make_board(name, BoardSettings(operator="sum", actions={"hit": ActionRule(max_score=100)}))
    return name
