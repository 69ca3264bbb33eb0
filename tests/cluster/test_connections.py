"""Who is connected where, as an official sees it on any replica."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import aiohttp

from scoreboard.client import Client, Live
from tests.cluster.cluster import Cluster

TOLD_WITHIN_S = 8.0


async def connections(url: str, key: str) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession(headers={"Authorization": key}) as http,
        http.get(f"{url}/api/v1/admin/connections") as response,
    ):
        answer: dict[str, Any] = {"status": response.status, **await response.json()}
        return answer


async def test_connections_are_counted_by_replica_and_board_and_gone_ones_are_not(cluster: Cluster, board: str) -> None:
    key = f"Key {cluster.key}"
    async with AsyncExitStack() as open_lives:
        client = await open_lives.enter_async_context(Client(cluster.urls[0]))
        await client.register("watcher", "correct horse")
        await open_lives.enter_async_context(client.live())
        for url, count in zip(cluster.urls, (0, 2, 3), strict=True):
            for _ in range(count):
                live = await open_lives.enter_async_context(Live(url))
                await live.subscribe(board)
        for url in cluster.urls:
            await until(url, key, [(1, 1, {}), (2, 0, {board: 2}), (3, 0, {board: 3})])
    await until(cluster.urls[0], key, [(0, 0, {})] * 3)


async def until(url: str, key: str, expected: list[tuple[int, int, dict[str, int]]]) -> None:
    """Return once the replicas are told to have these sockets, players and followers."""
    deadline = time.monotonic() + TOLD_WITHIN_S
    while True:
        answer = await connections(url, key)
        assert answer["status"] == 200
        found = [(each["sockets"], each["players"], each["watching"]) for each in answer["replicas"]]
        if sorted(found, key=str) == sorted(expected, key=str):
            return
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.1)


async def test_a_player_may_not_see_who_is_connected(cluster: Cluster) -> None:
    async with Client(cluster.urls[0]) as client:
        signed_in = await client.register("nosy", "correct horse")
    assert (await connections(cluster.urls[1], f"Bearer {signed_in.access_token}"))["status"] == 403
