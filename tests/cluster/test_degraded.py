"""What a cluster still does while Redis or PostgreSQL is away, and how soon all is well once it is back."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import aiohttp
import pytest

from scoreboard.client import BoardView, Client, Live
from scoreboard.errors import ActionTokenUsed, Unauthenticated, Unavailable
from scoreboard.wire import BatchItem
from tests.cluster.cluster import Cluster
from tests.cluster.site import Site

ANSWERED_WITHIN_S = 1.0
BACK_WITHIN_S = 3.0
RANKED_WITHIN_S = 5.0
EVERYWHERE_WITHIN_S = 2.0
NOTICED_WITHIN_S = 5.0
"""How soon what nobody can tell of is found out by looking."""

UNREACHABLE = "cannot be reached"
NO_DATABASE = "The database cannot be reached."


@pytest.fixture
def cluster(site: Site) -> Cluster:
    return site.cluster


@pytest.fixture(autouse=True)
async def mended(site: Site) -> AsyncIterator[None]:
    """Each test begins and ends with all there is."""
    yield
    await site.mended()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < seconds, f"it took {took:.2f} s"


class Wire:
    """Requests as they go over the wire, as a backend unless told."""

    def __init__(self, url: str, key: str) -> None:
        self._http = aiohttp.ClientSession(f"{url}/api/v1/", headers={"Authorization": f"Key {key}"})

    async def __aenter__(self) -> "Wire":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def get(self, path: str) -> tuple[int, Any, Any]:
        """Status, headers and body."""
        async with self._http.get(path) as response:
            return response.status, response.headers, await response.json()

    async def post(self, path: str, body: object) -> tuple[int, Any, Any]:
        async with self._http.post(path, json=body) as response:
            return response.status, response.headers, await response.json()


async def fresh(url: str, board: str, expected: list[tuple[str, int]], within_s: float) -> None:
    """Return when a replica answers from the ranking, with these rows."""
    deadline = time.monotonic() + within_s
    async with Client(url) as client:
        while True:
            top = await client.top(board)
            if not top.stale and [(row.player_id, row.score) for row in top.rows] == expected:
                return
            assert time.monotonic() < deadline, top
            await asyncio.sleep(0.05)


async def stale(replica: Wire, board: str, within_s: float) -> tuple[Mapping[str, str], dict[str, Any]]:
    """Headers and body of a replica's top once it is marked so: a late success may count for the database before."""
    deadline = time.monotonic() + within_s
    while True:
        status, headers, top = await replica.get(f"boards/{board}/top")
        assert status == 200
        if top.get("stale"):
            return headers, top
        assert time.monotonic() < deadline, top
        await asyncio.sleep(0.05)


async def test_without_redis_scores_are_durable_and_boards_come_from_the_database(site: Site, board: str) -> None:
    cluster = site.cluster
    async with Client(cluster.url, key=cluster.key) as backend, Wire(cluster.url, cluster.key) as wire:
        await backend.batch([BatchItem(player_id="d:a", board=board, score=5)])
        site.redis.kill()
        await cluster.says("redis", UNREACHABLE)
        items = [{"player_id": "d:b", "board": board, "score": score} for score in (7, 2)]
        with within(ANSWERED_WITHIN_S):
            status, _, answer = await wire.post("scores/batch", {"items": items})
        assert status == 200
        assert [(item["status"], item["score"], item["position"], item["rank"]) for item in answer["items"]] == [
            ("accepted", 7, None, None),
            ("accepted", 9, None, None),
        ]
        with within(ANSWERED_WITHIN_S):
            status, headers, top = await wire.get(f"boards/{board}/top")
        assert (status, top["stale"], top["epoch"], top["version"], top["total"]) == (200, True, None, None, 2)
        assert [(row["player_id"], row["score"]) for row in top["rows"]] == [("d:b", 9), ("d:a", 5)]
        assert "ETag" not in headers
        status, headers, _ = await wire.get(f"boards/{board}/around/d:b")
        assert (status, headers["Retry-After"]) == (503, "1")
        site.redis.start()
        await asyncio.gather(*(fresh(url, board, cluster.top(board), RANKED_WITHIN_S) for url in cluster.urls))
        await cluster.verified(board)


async def test_without_redis_a_token_still_counts_once_on_all_replicas(site: Site, board: str) -> None:
    cluster = site.cluster
    async with Client(cluster.url, key=cluster.key) as backend:
        token = (await backend.exchange("d:race")).access_token
    one, other = (Client(url, token=token, attempts=1) for url in cluster.urls[:2])
    site.redis.kill()
    await cluster.says("redis", UNREACHABLE)
    async with one, other:
        for _ in range(30):
            action = (await one.start_action(board, "hit")).action_token
            uses = await asyncio.gather(
                *(each.submit(board, action, 1) for each in (one, other)), return_exceptions=True
            )
            assert sorted(type(use).__name__ for use in uses) == [ActionTokenUsed.__name__, "ScoreOut"]
    assert cluster.top(board) == [("d:race", 30)]
    site.redis.start()


async def signed_out(client: Client) -> None:
    """Return once the client's session has ended."""
    while True:
        try:
            await client.me()
        except Unauthenticated:
            return
        await asyncio.sleep(0.05)


async def parted(live: Live) -> None:
    """Return once the server has ended a connection for good."""
    with pytest.raises(Unauthenticated):
        await anext(live)


@pytest.mark.parametrize("how", ["killed", "hung"])
async def test_a_session_that_ends_while_redis_is_away_stays_ended(
    site: Site, board: str, how: Literal["killed", "hung"]
) -> None:
    first, second, third = site.cluster.urls
    async with Client(site.cluster.url, key=site.cluster.key) as backend:
        token = (await backend.exchange("d:leaver")).access_token
    clients = [Client(url, token=token) for url in (first, second, third)]
    async with clients[0], clients[1], clients[2], clients[2].live() as live:
        await asyncio.gather(*(client.me() for client in clients))  # now Redis knows the session
        (site.redis.kill if how == "killed" else site.redis.pause)()
        await site.cluster.says("redis", UNREACHABLE)
        await clients[0].logout()
        async with asyncio.timeout(NOTICED_WITHIN_S):
            await asyncio.gather(signed_out(clients[1]), parted(live))
        (site.redis.start if how == "killed" else site.redis.resume)()
        await site.cluster.says("redis", "ready")
        async with asyncio.timeout(EVERYWHERE_WITHIN_S):
            await asyncio.gather(*(signed_out(client) for client in clients))


async def test_without_postgres_writes_are_refused_at_once_and_boards_are_shown_as_stale(
    site: Site, board: str
) -> None:
    cluster = site.cluster
    async with Client(cluster.url, key=cluster.key) as backend, Wire(cluster.url, cluster.key) as wire:
        player = await backend.exchange("d:player")
        await backend.batch([BatchItem(player_id=f"d:{n}", board=board, score=n) for n in range(1, 4)])
        await asyncio.gather(*(fresh(url, board, cluster.top(board), RANKED_WITHIN_S) for url in cluster.urls))
        expected = cluster.top(board)
        async with Live(cluster.url) as before, Client(cluster.url, token=player.access_token) as signed_in:
            await before.subscribe(board)
            assert shows(await anext(before), expected)
            action = (await signed_in.start_action(board, "hit")).action_token
            site.postgres.stop("immediate")
            await cluster.says("database", NO_DATABASE)
            writes: dict[str, object] = {
                "scores/batch": {"items": [{"player_id": "d:1", "board": board, "score": 1}]},
                "auth/register": {"username": "latecomer", "password": "correct horse"},
                "auth/exchange": {"player_id": "d:new"},
            }
            for path, body in writes.items():
                with within(ANSWERED_WITHIN_S):
                    await refused(wire, path, body)
            for url in cluster.urls:
                async with Client(url, token=player.access_token, attempts=1) as unlucky:
                    with within(ANSWERED_WITHIN_S), pytest.raises(Unavailable) as refusal:
                        await unlucky.submit(board, action, 50)
                assert (refusal.value.retry_after_s or 0) >= 1
                async with Wire(url, cluster.key) as replica:
                    headers, top = await stale(replica, board, NOTICED_WITHIN_S)
                    assert top["total"] == 3
                    assert [(row["player_id"], row["score"]) for row in top["rows"]] == expected
                    assert "ETag" not in headers
            async with Live(cluster.url) as later:
                await later.subscribe(board)
                assert shows(await anext(later), expected)
            site.postgres.start()
            with within(BACK_WITHIN_S):
                answer = await signed_in.submit(board, action, 50)
            assert answer.score == 50
            while not shows(await anext(before), cluster.top(board)):
                pass


def shows(update: object, expected: list[tuple[str, int]]) -> bool:
    assert isinstance(update, BoardView)
    return [(row.player_id, row.score) for row in update.rows] == expected


async def refused(wire: Wire, path: str, body: object) -> None:
    status, headers, problem = await wire.post(path, body)
    if path == "scores/batch":
        assert status == 200
        (item,) = problem["items"]
        assert (item["code"], item["temporary"]) == ("unavailable", True)
        return
    assert (status, problem["code"]) == (503, "unavailable")
    assert int(headers["Retry-After"]) >= 1
