"""Three replicas behind a load balancer are one server: to whomever a client comes, the answers are the same."""

import asyncio
from contextlib import AsyncExitStack
from itertools import product

import pytest
from msgspec import structs

from scoreboard.anticheat.physics import MAX_IN_STORE
from scoreboard.client import BoardView, Client, Live
from scoreboard.client.link import Codec
from scoreboard.errors import ActionTokenUsed, Unauthenticated
from scoreboard.wire import BatchItem
from tests.cluster.cluster import SUMS, Cluster


async def test_what_one_replica_begins_the_others_go_on_with(cluster: Cluster, board: str) -> None:
    first, second, third = cluster.urls
    async with Client(first) as one:
        signed_in = await one.register("ada", "correct horse")
        action = await one.start_action(board, "hit")
    async with Client(second, token=signed_in.access_token) as two:
        answer = await two.submit(board, action.action_token, 40)
        assert (answer.score, answer.position, answer.rank) == (40, 1, 1)
    async with Client(third, token=signed_in.access_token, attempts=1) as three:
        with pytest.raises(ActionTokenUsed) as used:
            await three.submit(board, action.action_token, 40)
        assert used.value.result is not None
        assert used.value.result["submission_id"] == answer.submission_id
        assert (await three.me()).id == signed_in.player.id
        assert (await three.player(board, signed_in.player.id)).score == 40
        await three.logout()
    async with Client(first, token=signed_in.access_token) as one:
        with pytest.raises(Unauthenticated):
            await one.me()


async def test_all_replicas_read_the_same_board_at_the_same_version(cluster: Cluster, board: str) -> None:
    async with Client(cluster.url, key=cluster.key) as backend:
        await backend.batch([BatchItem(player_id=f"r:{n}", board=board, score=n % 7 + 1) for n in range(60)])
    async with AsyncExitStack() as open_clients:
        clients = [await open_clients.enter_async_context(Client(url)) for url in (*cluster.urls, cluster.url)]
        tops = [await client.top(board, 20) for client in clients]
        assert {(top.epoch, top.version, top.total, top.rows, top.stale) for top in tops} == {
            (tops[0].epoch, tops[0].version, 60, tops[0].rows, False)
        }
        assert [(row.player_id, row.score) for row in tops[0].rows] == cluster.top(board, 20)
        around = [await client.around(board, "r:30", 3) for client in clients]
        assert len({(page.version, page.rows) for page in around}) == 1
        assert len(around[0].rows) == 7
        # Each page is asked of whichever replica is next.
        whole = [row async for row in clients[-1].standings(board, page_size=7)]
        assert [(row.player_id, row.score) for row in whole] == cluster.top(board, 100)


async def follow(live: Live, board: str, seen: dict[tuple[int, int], tuple[object, ...]], last: int) -> BoardView:
    """Follow a board until its best row has the last score, noting what was shown at which version."""
    async for update in live:
        assert isinstance(update, BoardView)
        assert seen.setdefault((update.epoch, update.version), update.rows) == update.rows
        if update.rows and update.rows[0].score == last:
            return update
    raise AssertionError("the iteration ended")


async def test_clients_of_all_replicas_are_shown_the_same_rows_at_the_same_version(
    cluster: Cluster, board: str
) -> None:
    seen: dict[tuple[int, int], tuple[object, ...]] = {}
    codecs: tuple[Codec, ...] = ("json", "msgpack")
    async with AsyncExitStack() as open_clients:
        lives = [
            await open_clients.enter_async_context(Live(url, codec=codec))
            for url, codec in product((*cluster.urls, cluster.url), codecs)
        ]
        for live in lives:
            await live.subscribe(board)
        following = [asyncio.create_task(follow(live, board, seen, 1_000)) for live in lives]
        backend = await open_clients.enter_async_context(Client(cluster.url, key=cluster.key))
        for n in range(40):
            items = [BatchItem(player_id=f"w:{m}", board=board, score=n + m) for m in range(5)]
            await backend.batch(items)
        (last,) = await backend.batch([BatchItem(player_id="w:last", board=board, score=1_000)])
        assert last.status == "accepted"
        views = await asyncio.gather(*following)
    assert {(view.epoch, view.version, view.rows) for view in views} == {
        (views[0].epoch, views[0].version, views[0].rows)
    }
    assert [(row.player_id, row.score) for row in views[0].rows] == cluster.top(board)


async def test_the_rules_see_what_a_player_did_on_any_replica(cluster: Cluster) -> None:
    board = "strict"
    await cluster.make_board(board, structs.replace(SUMS, rules=structs.replace(SUMS.rules, too_fast="hold")))
    async with AsyncExitStack() as open_clients:
        signed_in = await (await open_clients.enter_async_context(Client(cluster.url))).register("cy", "correct horse")
        clients = [
            await open_clients.enter_async_context(Client(url, token=signed_in.access_token)) for url in cluster.urls
        ]
        store = [(await clients[0].start_action(board, "hit")).action_token for _ in range(MAX_IN_STORE + 3)]
        statuses = [
            (await clients[number % len(clients)].submit(board, token, 1)).status for number, token in enumerate(store)
        ]
    assert statuses == ["accepted"] * MAX_IN_STORE + ["held"] * 3
    assert [score for _, score in cluster.top(board)] == [MAX_IN_STORE]
