"""A cluster whose Redis and PostgreSQL a test may break."""

from tests.cluster.cluster import Cluster
from tests.postgres import PostgresServer
from tests.proxy import Proxy
from tests.redis_server import RedisServer


class Site:
    """A cluster, and what it stands on, each behind a proxy."""

    def __init__(
        self, cluster: Cluster, postgres: PostgresServer, to_postgres: Proxy, redis: RedisServer, to_redis: Proxy
    ) -> None:
        self.cluster = cluster
        self.postgres = postgres
        self.to_postgres = to_postgres
        self.redis = redis
        self.to_redis = to_redis

    async def mended(self) -> None:
        """Start again what a test left broken, and return once every replica has noticed."""
        self.redis.start_again()
        self.postgres.start_again()
        for part in ("database", "redis"):
            await self.cluster.says(part, "ready")
