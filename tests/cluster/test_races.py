"""Whatever is sent twice at the same moment, to two replicas, happens once. SCOREBOARD_RACES tells how many to run."""

import asyncio
import os
from collections.abc import Awaitable
from contextlib import AsyncExitStack

from scoreboard.client import Client, Live
from scoreboard.errors import ActionTokenUsed, UsernameTaken
from scoreboard.wire import BatchItem, ScoreOut
from tests.cluster.cluster import Cluster

RACES = int(os.environ.get("SCOREBOARD_RACES") or 100)
AT_ONCE = 16
PLAYERS = 8


async def outcome(use: Awaitable[ScoreOut]) -> tuple[bool, str]:
    """Whether a use of a token was the first one, and the submission it was told of."""
    try:
        answer = await use
    except ActionTokenUsed as used:
        assert used.result is not None
        assert used.result["status"] == "accepted"
        return False, str(used.result["submission_id"])
    assert answer.status == "accepted"
    return True, answer.submission_id


async def test_of_two_uses_of_a_token_on_two_replicas_one_counts(cluster: Cluster, board: str) -> None:
    first, second, third = cluster.urls
    async with AsyncExitStack() as clients:
        backend = await clients.enter_async_context(Client(cluster.url, key=cluster.key))
        tokens = [(await backend.exchange(f"race:{n}")).access_token for n in range(PLAYERS)]
        starters = [await clients.enter_async_context(Client(third, token=token)) for token in tokens]
        here = [await clients.enter_async_context(Client(first, token=token, attempts=1)) for token in tokens]
        there: list[Client | Live] = []
        for number, token in enumerate(tokens):
            client = await clients.enter_async_context(Client(second, token=token, attempts=1))
            there.append(client if number % 2 else await clients.enter_async_context(client.live()))
        gate = asyncio.Semaphore(AT_ONCE)

        async def race(number: int) -> str:
            player = number % PLAYERS
            async with gate:
                token = (await starters[player].start_action(board, "hit")).action_token
                uses = (one.submit(board, token, 1 + number % 100) for one in (here[player], there[player]))
                (won, one), (also, other) = await asyncio.gather(*(outcome(use) for use in uses))
            assert {won, also} == {True, False}
            assert one == other
            return one

        counted = await asyncio.gather(*(race(number) for number in range(RACES)))
    assert sorted(row for (row,) in cluster.rows("SELECT id::text FROM history WHERE board = %s", board)) == sorted(
        counted
    )
    assert sum(score for _, score in cluster.top(board)) == sum(1 + number % 100 for number in range(RACES))
    await cluster.verified(board)


async def test_of_two_batches_with_the_same_ids_on_two_replicas_each_item_counts_once(
    cluster: Cluster, board: str
) -> None:
    items = [BatchItem(id=f"{board}-{n}", player_id=f"race:{n % 5}", board=board, score=n + 1) for n in range(50)]
    async with Client(cluster.urls[0], key=cluster.key) as one, Client(cluster.urls[1], key=cluster.key) as other:
        answers = await asyncio.gather(*(client.batch(items) for client in (one, other, one, other)))
    for n in range(len(items)):
        assert {answer[n].status for answer in answers} == {"accepted"}
        assert len({answer[n].submission_id for answer in answers}) == 1
    assert len(cluster.rows("SELECT id FROM history WHERE board = %s", board)) == len(items)


async def test_of_two_who_take_a_name_on_two_replicas_one_gets_it(cluster: Cluster) -> None:
    async with Client(cluster.urls[0]) as one, Client(cluster.urls[1]) as other:
        answers = await asyncio.gather(
            *(client.register("Neo", "correct horse") for client in (one, other)), return_exceptions=True
        )
    assert sorted(type(answer).__name__ for answer in answers) == ["SignedIn", UsernameTaken.__name__]
