"""A cluster, one that may be broken, and boards on them."""

from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest

from tests.cluster.cluster import SUMS, Cluster
from tests.cluster.site import Site
from tests.postgres import PostgresServer, require_postgres
from tests.proxy import Proxy
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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Whatever a test breaks here it mends: the replicas are never started again, so they must recover."""
    with ExitStack() as running:
        postgres = running.enter_context(PostgresServer(require_postgres()))
        redis = running.enter_context(RedisServer(require_redis()))
        to_postgres, to_redis = (running.enter_context(Proxy(server.port)) for server in (postgres, redis))
        database = postgres.new_database()
        cluster = Cluster(
            tmp_path_factory.mktemp("site"),
            database=database.replace(f":{postgres.port}/", f":{to_postgres.port}/"),
            redis=redis.url.replace(str(redis.port), str(to_redis.port)),
        )
        yield Site(running.enter_context(cluster), postgres, to_postgres, redis, to_redis)
