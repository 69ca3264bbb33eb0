"""The three ways of a suspicious score on three replicas: approved, rejected with its player, refused at the door."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from scoreboard.client import Client
from scoreboard.clock import SECOND, SystemClock, rfc3339
from scoreboard.errors import ActionTokenInvalid, ActionTokenUsed, PlayerBanned, ScoreboardError
from tests.cluster.cluster import Cluster

EVERYWHERE_WITHIN_S = 2.0


class Moderator:
    """Asks one replica as somebody with a key."""

    def __init__(self, http: aiohttp.ClientSession, url: str, key: str) -> None:
        self._http = http
        self._url = url
        self._headers = {"Authorization": f"Key {key}"}

    async def call(self, method: str, path: str, body: object = None) -> Any:
        address = f"{self._url}/api/v1/{path}"
        async with self._http.request(method, address, json=body, headers=self._headers) as response:
            assert response.status == 200, await response.text()
            return await response.json()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


@pytest.fixture
def moderators(cluster: Cluster, http: aiohttp.ClientSession) -> list[Moderator]:
    """One on each replica."""
    return [Moderator(http, url, cluster.key) for url in cluster.urls]


@asynccontextmanager
async def player(cluster: Cluster, replica: int = 0) -> AsyncIterator[tuple[Client, str, str]]:
    """A new player on one replica: the client, the id and the access token."""
    async with Client(cluster.urls[replica], attempts=1) as client:
        signed_in = await client.register(f"u{uuid4().hex[:12]}", "correct horse")
        yield client, signed_in.player.id, signed_in.access_token


async def hold(client: Client, board: str, score: int = 900) -> str:
    """A submission that the board's rules hold."""
    action = await client.start_action(board, "hit")
    answer = await client.submit(board, action.action_token, score)
    assert answer.status == "held"
    return answer.submission_id


async def connect(http: aiohttp.ClientSession, url: str, token: str | None = None) -> aiohttp.ClientWebSocketResponse:
    socket = await http.ws_connect(f"{url}/ws")
    await socket.send_json({"type": "auth", **({"token": token} if token else {})})
    assert (await socket.receive_json())["type"] == "auth.ok"
    return socket


async def shown(socket: aiohttp.ClientWebSocketResponse, player_id: str, score: int) -> None:
    """Return once a push shows the player's score."""
    while True:
        message = await socket.receive_json(timeout=EVERYWHERE_WITHIN_S)
        if any((row["player_id"], row["score"]) == (player_id, score) for row in message.get("rows", ())):
            return


async def closed(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """The close code, once the connection has ended."""
    while (await socket.receive(timeout=EVERYWHERE_WITHIN_S)).type is aiohttp.WSMsgType.TEXT:
        pass
    return socket.close_code


async def test_held_then_approved_counts_at_its_original_time_and_is_pushed_by_every_replica(
    cluster: Cluster, board: str, http: aiohttp.ClientSession, moderators: list[Moderator]
) -> None:
    async with player(cluster) as (client, player_id, _):
        submission_id = await hold(client, board)
        [(at,)] = cluster.rows("SELECT accepted_at FROM history WHERE id = %s", submission_id)
        watchers = [await connect(http, url) for url in cluster.urls]
        for watcher in watchers:
            await watcher.send_json({"type": "subscribe", "board": board, "window": "all"})
        listed = await moderators[1].call("GET", f"admin/reviews?board={board}")
        assert [review["submission_id"] for review in listed["reviews"]] == [submission_id]
        assert (await client.top(board)).total == 0
        await moderators[1].call("POST", f"admin/reviews/{submission_id}/claim", {})
        await moderators[2].call("POST", f"admin/reviews/{submission_id}/approve", {"reason": "seen"})
        await asyncio.gather(*(shown(watcher, player_id, 900) for watcher in watchers))
        rows = []
        for url in cluster.urls:
            async with Client(url) as reader:
                rows.append(await reader.player(board, player_id))
        assert {(row.epoch, row.version, row.score, row.position) for row in rows} == {
            (rows[0].epoch, rows[0].version, 900, 1)
        }
        [(achieved_at,)] = cluster.rows("SELECT achieved_at FROM standings WHERE board = %s", board)
        assert achieved_at == at
        await cluster.verified(board)
        for watcher in watchers:
            await watcher.close()


async def test_held_then_rejected_bans_the_player_everywhere_within_two_seconds(
    cluster: Cluster, board: str, http: aiohttp.ClientSession, moderators: list[Moderator]
) -> None:
    async with player(cluster) as (client, player_id, token):
        action = await client.start_action(board, "hit")
        await client.submit(board, action.action_token, 60)
        unused = await client.start_action(board, "hit")
        submission_id = await hold(client, board)
        sockets = [await connect(http, url, token) for url in cluster.urls]
        started = time.monotonic()
        await moderators[2].call("POST", f"admin/reviews/{submission_id}/reject", {"ban": True})
        assert await asyncio.gather(*map(closed, sockets)) == [4403] * 3
        for url in cluster.urls:
            async with Client(url) as anybody:
                assert (await anybody.top(board)).total == 0
            async with Client(url, token=token, attempts=1) as elsewhere:
                with pytest.raises(PlayerBanned):
                    await elsewhere.me()
                with pytest.raises(PlayerBanned):
                    await elsewhere.submit(board, unused.action_token, 10)
        assert time.monotonic() - started < EVERYWHERE_WITHIN_S
        for moderator in moderators:
            known = await moderator.call("GET", f"admin/players/{player_id}")
            assert (known["player"]["status"], known["sessions"]) == ("banned", [])
        await cluster.verified(board)


async def test_an_invalid_or_used_token_is_refused_and_nothing_has_changed(cluster: Cluster, board: str) -> None:
    async with player(cluster) as (client, _, token):
        used = await client.start_action(board, "hit")
        await client.submit(board, used.action_token, 60)
        held = await client.start_action(board, "hit")
        await client.submit(board, held.action_token, 900)
        async with player(cluster, 1) as (other, _, _):
            foreign = await other.start_action(board, "hit")
        before = everything(cluster, board)
        expected: list[tuple[str, type[ScoreboardError]]] = [
            (used.action_token, ActionTokenUsed),
            (held.action_token, ActionTokenUsed),
            (foreign.action_token, ActionTokenInvalid),
            (used.action_token[:-6] + "AAAAAA", ActionTokenInvalid),
            ("nonsense", ActionTokenInvalid),
        ]
        for url in cluster.urls:
            async with Client(url, token=token, attempts=1) as elsewhere:
                for action_token, error in expected:
                    with pytest.raises(ScoreboardError) as refused:
                        await elsewhere.submit(board, action_token, 50)
                    assert type(refused.value) is error
        assert everything(cluster, board) == before


async def test_a_ban_for_a_while_is_lifted_once_by_whichever_replica(
    cluster: Cluster, board: str, http: aiohttp.ClientSession, moderators: list[Moderator]
) -> None:
    async with player(cluster) as (client, player_id, _):
        action = await client.start_action(board, "hit")
        await client.submit(board, action.action_token, 60)
        before = await client.player(board, player_id)
        watcher = await connect(http, cluster.urls[1])
        until = rfc3339(SystemClock().now() + SECOND)
        await moderators[0].call("POST", f"admin/players/{player_id}/ban", {"until": until})
        async with Client(cluster.urls[2]) as anybody:
            assert (await anybody.top(board)).total == 0
        await watcher.send_json({"type": "subscribe", "board": board, "window": "all"})
        await shown(watcher, player_id, 60)
        async with Client(cluster.urls[2]) as anybody:
            after = await anybody.player(board, player_id)
        assert (after.score, after.position, after.achieved_at) == (before.score, before.position, before.achieved_at)
        trail = await moderators[2].call("GET", f"admin/audit?subject={player_id}&act=player")
        assert [entry["act"] for entry in trail["entries"]] == ["player.lift", "player.ban"]
        await watcher.close()


async def test_the_audit_trail_of_all_replicas_is_whole(cluster: Cluster) -> None:
    status, said = await cluster.command("audit", "verify")
    assert (status, said.endswith("chains ok\n")) == (0, True), said


def everything(cluster: Cluster, board: str) -> list[list[tuple[Any, ...]]]:
    """Whatever the database has of a board."""
    return [
        cluster.rows(f"SELECT * FROM {table} WHERE board = %s ORDER BY 1, 2, 3, 4", board)
        for table in ("standings", "history", "actions", "reviews")
    ]
