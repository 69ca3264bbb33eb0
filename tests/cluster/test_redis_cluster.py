"""Whole servers on a Redis Cluster."""

from pathlib import Path

from scoreboard.client import BoardView, Client
from scoreboard.model import BoardSettings
from scoreboard.wire import BatchItem
from tests.cluster.cluster import Cluster
from tests.postgres import PostgresServer
from tests.redis_cluster import RedisCluster


async def test_servers_on_a_redis_cluster_are_one(
    tmp_path: Path, postgres_server: PostgresServer, redis_cluster: RedisCluster
) -> None:
    database = postgres_server.new_database()
    with Cluster(tmp_path, database=database, redis=redis_cluster.url, count=2) as cluster:
        boards = ("one", "two", "three")
        for board in boards:
            await cluster.make_board(board, BoardSettings(operator="sum", windows=("all", "week")))
        here, there = cluster.urls
        async with Client(here, key=cluster.key) as one, Client(there).live() as live:
            await live.subscribe("one")
            await one.batch(
                [BatchItem(player_id=f"p:{n}", board=board, score=n + 1) for n in range(50) for board in boards]
            )
            async for update in live:
                assert isinstance(update, BoardView)
                if update.total == 50:
                    break
        async with Client(here) as one, Client(there) as other:
            for board in boards:
                top = await one.top(board)
                assert [(row.player_id, row.score) for row in top.rows] == cluster.top(board)
                again = await other.top(board)
                assert (again.epoch, again.version, again.rows) == (top.epoch, top.version, top.rows)
                await cluster.verified(board)
