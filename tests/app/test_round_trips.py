"""What the submission path costs in conversations with PostgreSQL and Redis."""

import asyncio
from pathlib import Path

from msgspec import structs

from scoreboard.api.context import CONTEXT, Context
from scoreboard.app.state import SHARED, STORAGE
from scoreboard.model import ActionRule, BoardSettings, Rules
from scoreboard.storage.postgres import PostgresStorage
from scoreboard.tokens import Claims
from scoreboard.wire import Exchange, ScoreOut, ScoreUpdate, StartAction
from tests.api.app import running
from tests.api.modes import shared_settings
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer

# Fresh accounts of one address that all do the same are what a farm of bots looks like.
SUMS = BoardSettings(
    operator="sum", actions={"coin": ActionRule()}, rules=Rules(repetition="shadow", shared_address="shadow")
)
PLAYERS = 64
ROUNDS = 5


async def signed_in(context: Context, number: int) -> Claims:
    tokens = await context.accounts.exchange(Exchange(player_id=f"t:{number}"), "test", "127.0.0.1", "")
    return await context.access.verify(tokens.access_token)


async def submit(context: Context, claims: Claims, token: str) -> ScoreOut:
    judged = await context.judge.claim(ScoreUpdate(board="main", action_token=token, score=1), claims, "127.0.0.1")
    return await context.submissions.submit(judged)


async def test_many_scores_at_once_cost_one_admission_one_transaction_and_one_rank_round(
    tmp_path: Path, postgres_server: PostgresServer, redis_server: RedisServer
) -> None:
    settings = structs.replace(shared_settings(tmp_path, postgres_server, redis_server), boards={"main": SUMS})
    async with running(tmp_path, settings) as api:
        context, redis, storage = api.http.app[CONTEXT], api.http.app[SHARED].server, api.http.app[STORAGE]
        assert isinstance(storage, PostgresStorage)
        players = [await signed_in(context, number) for number in range(PLAYERS)]
        costs = []
        for number in range(ROUNDS):
            tokens = [
                context.submissions.start(StartAction(board="main", action="coin"), claims).action_token
                for claims in players
            ]
            before = (redis.round_trips, storage.round_trips)
            answers = await asyncio.gather(*map(submit, [context] * PLAYERS, players, tokens))
            costs.append((redis.round_trips - before[0], storage.round_trips - before[1]))
            assert {(answer.status, answer.score) for answer in answers} == {("accepted", number + 1)}
    # Heartbeats and the like add to some rounds, not to all. What became of the scores may be told by itself.
    assert min(costs)[0] <= 3
    assert min(transactions for _, transactions in costs) == 1
