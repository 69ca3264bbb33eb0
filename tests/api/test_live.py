"""The whole application seen over its WebSocket."""

import asyncio
import logging
from pathlib import Path

import pytest

from scoreboard.app.state import STORAGE
from scoreboard.model import Player
from tests.api.app import Api, backend
from tests.api.sockets import Line


async def line(api: Api, token: str | None = None) -> Line:
    connection = Line(await api.http.ws_connect("/ws", protocols=["scoreboard.v1.msgpack"]), "msgpack")
    await connection.sign_in(token)
    return connection


async def test_a_client_can_live_on_the_socket_alone(api: Api) -> None:
    player = Line(await api.http.ws_connect("/ws"), "json")
    joined = await player.ask("register", id=1, username="ada", password="correct horse")
    assert (await player.sign_in(joined["access_token"]))["player"] == joined["player"]
    watcher = await line(api)
    await watcher.subscribe(board="main", limit=3)
    await player.subscribe(board="main", me=True)
    assert (await player.of_type("me"))["position"] is None

    action = await player.ask("action", id=2, board="main", action="coin")
    await player.send("score", id=3, board="main", action_token=action["action_token"], score=25)
    answers = [await player.of_type("result", "me") for _ in range(2)]
    (scored,) = (answer for answer in answers if answer["type"] == "result")
    (moved,) = (answer for answer in answers if answer["type"] == "me")
    assert (scored["id"], scored["status"], scored["score"], scored["position"]) == (3, "accepted", 25, 1)
    assert (moved["position"], moved["rank"], moved["score"], moved["version"]) == (1, 1, 25, scored["version"])
    while watcher.view.version[1] < scored["version"]:
        await watcher.of_type("snapshot", "delta")
    assert [(row.name, row.score) for row in watcher.view.rows.values()] == [("ada", 25)]

    repeat = await player.ask("score", id=4, board="main", action_token=action["action_token"], score=25)
    assert (repeat["code"], repeat["id"], repeat["result"]["score"]) == ("action_token_used", 4, 25)
    top = await player.ask("top", id=5, board="main")
    assert (top["rows"][0]["score"], top["version"]) == (25, scored["version"])
    assert (await player.ask("me", id=6))["value"]["name"] == "ada"


async def test_signing_out_everywhere_closes_the_player_s_sockets(api: Api) -> None:
    joined = (await api.post("auth/register", {"username": "ada", "password": "correct horse"})).body
    sockets = [await line(api, joined["access_token"]) for _ in range(2)]
    await api.of(f"Bearer {joined['access_token']}").post("auth/logout-all")
    for socket in sockets:
        assert (await socket.parted())["code"] == 4401


@pytest.mark.parametrize("kind", ["logout", "logout_all"])
async def test_signing_out_over_the_socket_is_answered_before_the_goodbye(api: Api, kind: str) -> None:
    joined = (await api.post("auth/register", {"username": "ada", "password": "correct horse"})).body
    socket, other = [await line(api, joined["access_token"]) for _ in range(2)]
    await socket.send(kind, id=5)
    assert await socket.receive() == {"type": "result", "id": 5}
    bye = await socket.parted()
    assert (bye["code"], bye["reason"], bye["reconnect"]) == (4401, "signed out", False)
    assert (await other.parted())["reconnect"] is True


async def test_a_sign_out_that_fails_half_way_is_an_error_and_ends_the_socket(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    joined = (await api.post("auth/register", {"username": "ada", "password": "correct horse"})).body
    socket = await line(api, joined["access_token"])

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(api.http.app[STORAGE], "add_audit", broken)
    with caplog.at_level(logging.CRITICAL):
        assert (await socket.ask("logout", id=5))["code"] == "internal_error"
    assert (await socket.parted())["code"] == 4401


async def test_a_session_that_ends_while_a_socket_signs_in_does_not_keep_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = (await api.post("auth/register", {"username": "ada", "password": "correct horse"})).body
    storage, read, ended = api.http.app[STORAGE], asyncio.Event(), asyncio.Event()
    player = storage.player

    async def late(player_id: str) -> Player | None:
        found = await player(player_id)
        read.set()
        await ended.wait()
        return found

    monkeypatch.setattr(storage, "player", late)
    socket = Line(await api.http.ws_connect("/ws"), "json")
    await socket.send("auth", token=joined["access_token"])
    await read.wait()
    await api.of(f"Bearer {joined['access_token']}").post("auth/logout")
    ended.set()
    assert (await socket.receive())["code"] == "unauthenticated"
    assert (await socket.parted())["code"] == 4401


async def test_other_board_settings_reach_the_viewers(api: Api, tmp_path: Path) -> None:
    spectator = await line(api)
    await spectator.subscribe(board="main")
    await spectator.of_type("snapshot")
    settings = {"operator": "sum", "public": False}
    assert (await backend(api, tmp_path).call("PUT", "admin/boards/main", settings)).status == 200
    lost = await spectator.of_type("error")
    assert (lost["code"], lost["subscription"]) == ("forbidden", "main/all/10")
