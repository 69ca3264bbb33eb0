"""A client that speaks only WebSocket: all that a player or spectator can do, without one request over REST."""

from pathlib import Path
from typing import Any, Self

import aiohttp
import msgspec
import pytest

from scoreboard.api.operations import OPERATIONS
from scoreboard.live.base import Codec
from scoreboard.model import BoardSettings
from tests.api.app import Api, backend, running

FOR_PLAYERS = {
    operation.name
    for operation in OPERATIONS
    if operation.access in ("anyone", "reader", "caller", "player") and operation.name != "export"
}
PASSWORD = "correct horse"


class Socket:
    """One socket; remembers the types it asked, and every push."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, codec: Codec) -> None:
        self._socket = socket
        self._codec = msgspec.json if codec == "json" else msgspec.msgpack
        self._text = codec == "json"
        self._ids = 0
        self.asked: set[str] = set()
        self.pushed: list[dict[str, Any]] = []

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """A message's answer."""
        self._ids += 1
        self.asked.add(kind)
        message = self._codec.encode({"type": kind, "id": self._ids, **fields})
        await (self._socket.send_str(message.decode()) if self._text else self._socket.send_bytes(message))
        while (answer := await self._receive()).get("id") != self._ids:
            self.pushed.append(answer)
        assert answer["type"] in ("result", "auth.ok", "error"), answer
        return answer

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """A push of that type with those fields."""
        while True:
            push = self.pushed.pop(0) if self.pushed else await self._receive()
            if push["type"] == kind and fields.items() <= push.items():
                return push

    async def score(self, score: int) -> dict[str, Any]:
        """One score by a fresh action."""
        action = await self.ask("action", board="main", action="coin")
        return await self.ask("score", board="main", action_token=action["action_token"], score=score)

    async def _receive(self) -> dict[str, Any]:
        message = await self._socket.receive(timeout=20)
        assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
        received: dict[str, Any] = self._codec.decode(message.data)
        return received

    @classmethod
    async def open(cls, api: Api, codec: Codec) -> Self:
        return cls(await api.http.ws_connect("/ws", protocols=(f"scoreboard.v1.{codec}",)), codec)

    async def close(self) -> None:
        await self._socket.close()


async def signed_up(api: Api, codec: Codec, name: str) -> tuple[Socket, dict[str, Any]]:
    socket = await Socket.open(api, codec)
    tokens = await socket.ask("register", username=name, password=PASSWORD)
    welcome = await socket.ask("auth", token=tokens["access_token"])
    assert welcome["player"]["name"] == name
    return socket, tokens


@pytest.mark.parametrize("codec", ["json", "msgpack"])
async def test_every_player_feature_is_there_without_one_rest_call(tmp_path: Path, codec: Codec) -> None:
    async with running(tmp_path) as api:
        await backend(api, tmp_path).call("PUT", "admin/boards/main", msgspec.to_builtins(BOARD))
        ada, tokens = await signed_up(api, codec, "ada")
        player_id = tokens["player"]["id"]
        await read_around(ada, player_id)
        await live_boards(api, codec, ada)
        await accounts(api, codec, ada, tokens)
        assert FOR_PLAYERS - ada.asked == set()


BOARD = BoardSettings(operator="sum", windows=("all", "day"), actions=msgspec.convert({"coin": {}}, dict[str, Any]))


async def read_around(ada: Socket, player_id: str) -> None:
    """Score, and read all that there is to be read."""
    assert (await ada.score(5))["score"] == 5
    action = await ada.ask("action", board="main", action="coin")
    claim = {"board": "main", "action_token": action["action_token"], "score": 7}
    first = await ada.ask("score", **claim)
    again = await ada.ask("score", **claim)
    assert (again["code"], again["result"]["submission_id"]) == ("action_token_used", first["submission_id"])
    assert [board["board"] for board in (await ada.ask("boards"))["boards"]] == ["main"]
    assert (await ada.ask("board", board="main"))["operator"] == "sum"
    assert {each["window"] for each in (await ada.ask("periods", board="main"))["periods"]} == {"all", "day"}
    for kind, fields in (
        ("top", {"limit": 5}),
        ("standings", {"window": "day"}),
        ("around", {"player_id": player_id}),
        ("ranks", {"players": [player_id]}),
    ):
        page = await ada.ask(kind, board="main", **fields)
        assert [(row["position"], row["name"], row["score"]) for row in page["rows"]] == [(1, "ada", 12)]
    assert (await ada.ask("player", board="main", player_id=player_id))["percentile"] == 100
    history = await ada.ask("history", board="main", player_id=player_id)
    assert [item["score"] for item in history["submissions"]] == [7, 5]
    assert (await ada.ask("me"))["value"]["id"] == player_id
    assert len((await ada.ask("sessions"))["sessions"]) == 1


async def live_boards(api: Api, codec: Codec, ada: Socket) -> None:
    """Watch the board and the own standing; a spectator sees what a player scores."""
    spectator = await Socket.open(api, codec)
    assert (await spectator.ask("auth"))["player"] is None
    name = (await spectator.ask("subscribe", board="main", limit=3))["subscription"]
    await ada.ask("subscribe", board="main", me=True)
    snapshot = await spectator.until("snapshot", board="main")
    await ada.score(3)
    assert (await ada.until("me", score=15))["position"] == 1
    news = await spectator.until("snapshot", board="main")  # of one row, it is shorter than a delta
    assert (news["version"], news["rows"][0]["score"]) == (snapshot["version"] + 1, 15)
    await spectator.ask("unsubscribe", subscription=name)
    await spectator.close()


async def accounts(api: Api, codec: Codec, ada: Socket, tokens: dict[str, Any]) -> None:
    """Renew, sign in elsewhere, change the password, sign out, everywhere in the end, and be forgotten."""
    renewed = await ada.ask("refresh", refresh_token=tokens["refresh_token"])
    assert (await ada.ask("auth", token=renewed["access_token"]))["type"] == "auth.ok"
    assert (await ada.ask("password", password=PASSWORD, new_password="better horses"))["type"] == "result"
    elsewhere = await Socket.open(api, codec)
    signed_in = await elsewhere.ask("login", username="ada", password="better horses")
    await elsewhere.ask("auth", token=signed_in["access_token"])
    assert (await elsewhere.ask("logout"))["type"] == "result"
    assert (await ada.ask("logout_all"))["type"] == "result"
    leaving, _ = await signed_up(api, codec, "bob")
    assert (await leaving.ask("erase_me"))["type"] == "result"
    for socket in (elsewhere, leaving):
        ada.asked |= socket.asked
        await socket.close()
    await ada.close()
    eve, _ = await signed_up(api, codec, "eve")
    assert (await eve.ask("erase_me"))["type"] == "result"
    ada.asked |= eve.asked
    await eve.close()
