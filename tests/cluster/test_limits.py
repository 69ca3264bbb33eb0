"""What is counted by player counts on all replicas together."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from scoreboard.client import Client
from scoreboard.errors import RateLimited
from scoreboard.model import ActionRule, BoardSettings
from scoreboard.wire import ScoreOut
from tests.cluster.cluster import Cluster
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer, require_redis
from tests.server import NO_LIMITS

WRITES = 12


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Cluster]:
    """Replicas on which a player has few writes."""
    with RedisServer(require_redis()) as redis:
        folder, database = tmp_path_factory.mktemp("limited"), postgres_server.new_database()
        config = {"limits": {**NO_LIMITS, "player_writes_per_minute": WRITES}}
        with Cluster(folder, database=database, redis=redis.url, config=config) as running:
            yield running


async def players(cluster: Cluster, open_clients: AsyncExitStack, player_id: str) -> list[Client]:
    """One player as a client of each replica."""
    async with Client(cluster.url, key=cluster.key) as backend:
        token = (await backend.exchange(player_id)).access_token
    return [await open_clients.enter_async_context(Client(url, token=token, attempts=1)) for url in cluster.urls]


async def test_a_player_has_one_budget_on_all_replicas(cluster: Cluster, board: str) -> None:
    async with AsyncExitStack() as open_clients:
        clients = await players(cluster, open_clients, "l:many")
        tokens = [(await clients[0].start_action(board, "hit")).action_token for _ in range(3 * WRITES)]
        answers = await asyncio.gather(
            *(clients[n % 3].submit(board, token, 1) for n, token in enumerate(tokens)), return_exceptions=True
        )
    refusals = [answer for answer in answers if isinstance(answer, RateLimited)]
    assert all((refusal.retry_after_s or 0) > 0 for refusal in refusals)
    # One more comes free every five seconds, in which a busy machine may be.
    assert WRITES <= sum(isinstance(answer, ScoreOut) for answer in answers) <= WRITES + 2
    assert len(refusals) >= 2 * WRITES - 2
    assert cluster.top(board) == [("l:many", len(answers) - len(refusals))]


async def test_what_is_too_soon_after_a_score_on_another_replica_is_held(cluster: Cluster) -> None:
    rule = ActionRule(max_score=100, min_interval_ms=60_000)
    await cluster.make_board("slow", BoardSettings(operator="sum", actions={"hit": rule}))
    async with AsyncExitStack() as open_clients:
        clients = await players(cluster, open_clients, "l:quick")
        outcomes = []
        for client in clients:
            action = await client.start_action("slow", "hit")
            outcomes.append((await client.submit("slow", action.action_token, 5)).status)
    assert outcomes == ["accepted", "held", "held"]
    assert cluster.top("slow") == [("l:quick", 5)]
