"""A cluster, and boards on it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.cluster.cluster import SUMS, Cluster
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer, require_redis


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Cluster]:
    """Three replicas with a Redis of their own; a test that ends one starts it again."""
    with RedisServer(require_redis()) as redis:
        database = postgres_server.new_database()
        with Cluster(tmp_path_factory.mktemp("cluster"), database=database, redis=redis.url) as running:
            yield running


@pytest.fixture
async def board(cluster: Cluster) -> str:
    """A board of sums with the action `hit`, known to every replica."""
    name = uuid4().hex[:12]
    await cluster.make_board(name, SUMS)
    return name
