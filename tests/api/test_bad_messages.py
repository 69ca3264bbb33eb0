"""Hostile and careless WebSocket messages in both codecs: an error or a documented close, and nothing changed."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Literal

import msgpack
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from scoreboard.clock import HOUR
from tests.api.target import BOARD, FOREIGN_SECRET, Target, unsigned

Codec = Literal["json", "msgpack"]
CODECS: tuple[Codec, ...] = ("json", "msgpack")

both_codecs = pytest.mark.parametrize("codec", CODECS)


class Line:
    """One socket, spoken to in whole frames."""

    def __init__(self, socket: ClientConnection, codec: Codec) -> None:
        self._socket = socket
        self._codec = codec

    async def say(self, message: object) -> None:
        """Send a message as a decent client would."""
        await self.send(json.dumps(message).encode() if self._codec == "json" else msgpack.packb(message))

    async def send(self, raw: bytes, *, wrong_frame: bool = False) -> None:
        """Send these bytes as one frame, of the codec's kind unless told."""
        await self._socket.send(raw, text=(self._codec == "json") != wrong_frame)

    async def outcome(self) -> dict[str, Any]:
        """The next answer, or `{"closed": code}`; pushes in between are left out."""
        try:
            while True:
                raw = await self._socket.recv()
                message: dict[str, Any] = json.loads(raw) if self._codec == "json" else msgpack.unpackb(raw)
                if message["type"] in {"result", "error", "auth.ok", "pong"}:
                    return message
        except ConnectionClosed as closed:
            return {"closed": None if closed.rcvd is None else closed.rcvd.code}

    async def closed(self) -> int | None:
        """The code the server closes with, after whatever it says before."""
        while "closed" not in (answer := await self.outcome()):
            pass
        code: int | None = answer["closed"]
        return code

    async def ask(self, message: object) -> dict[str, Any]:
        """Send a message and return its outcome."""
        await self.say(message)
        return await self.outcome()


@asynccontextmanager
async def line(target: Target, codec: Codec, token: str | None = "own") -> AsyncIterator[Line]:
    """A socket, signed in with the token; not signed in at all where it is None."""
    protocol = Subprotocol(f"scoreboard.v1.{codec}")
    url = target.server.url.replace("http", "ws", 1) + "/ws"
    async with connect(url, subprotocols=[protocol], compression=None, max_size=None) as socket:
        spoken = Line(socket, codec)
        if token is not None:
            answer = await spoken.ask({"type": "auth", "token": target.token if token == "own" else token})
            assert answer["type"] == "auth.ok", answer
        yield spoken


def score(token: str, value: object = 5, **more: object) -> dict[str, object]:
    return {"type": "score", "id": 1, "board": BOARD, "action_token": token, "score": value, **more}


NOT_JSON = {
    "nothing": b"",
    "not JSON": b"hello",
    "an array": b"[]",
    "null": b"null",
    "cut short": b'{"type":"ping"',
    "followed by more": b'{"type":"ping"}{}',
    "a key twice": b'{"type":"ping","id":1,"id":2}',
    "a key twice, once escaped": b'{"type":"ping","id":1,"\\u0069d":2}',
    "NaN": b'{"type":"ping","id":NaN}',
    "1e999": b'{"type":"ping","id":1e999}',
    "a NUL": b'{"type":"ping","id":"\\u0000"}',
    "a lone surrogate": b'{"type":"ping","id":"\\ud800"}',
    "bottomless": b'{"type":"ping","id":' + b"[" * 10_000,
    "no type": b'{"id":1}',
    "unknown type": b'{"type":"drop table","id":1}',
    "type of another type": b'{"type":["ping"],"id":1}',
    "an unknown field": b'{"type":"ping","admin":true}',
    "a REST-only operation": b'{"type":"batch","items":[]}',
    "an internal message": b'{"type":"snapshot"}',
    "id as a float": b'{"type":"ping","id":1.5}',
    "id too large": b'{"type":"ping","id":9007199254740993}',
    "id too long": b'{"type":"ping","id":"' + b"x" * 65 + b'"}',
    "id as an object": b'{"type":"ping","id":{}}',
}

TIMESTAMP = msgpack.packb({"type": "ping", "id": datetime(2026, 1, 1, tzinfo=UTC)}, datetime=True)

NOT_MSGPACK = {
    "nothing": b"",
    "never used": b"\xc1",
    "an array": b"\x93\x01\x02\x03",
    "null": b"\xc0",
    "cut short": msgpack.packb({"type": "ping"})[:-1],
    "followed by more": msgpack.packb({"type": "ping"}) + b"\xc0",
    "a key twice": b"\x83" + b"".join(map(msgpack.packb, ("type", "ping", "id", 1, "id", 2))),
    "NaN": msgpack.packb({"type": "ping", "id": float("nan")}),
    "infinity": msgpack.packb({"type": "ping", "id": float("inf")}),
    "2^64 - 1": msgpack.packb({"type": "ping", "id": 2**64 - 1}),
    "a NUL": msgpack.packb({"type": "ping", "id": "\0"}),
    "bad UTF-8": b"\x82" + msgpack.packb("type") + msgpack.packb("ping") + msgpack.packb("id") + b"\xa2\xff\xfe",
    "a binary string": msgpack.packb({"type": "ping", "id": b"x"}),
    "a binary key": msgpack.packb({b"type": "ping"}),
    "a number as key": msgpack.packb({1: "ping"}),
    "an extension": msgpack.packb({"type": "ping", "id": msgpack.ExtType(5, b"x")}),
    "a timestamp": TIMESTAMP,
    "bottomless": b"\x91" * 10_000,
    "a map of four billion": b"\xdf\xff\xff\xff\xff",
    "a string of four billion": b"\x82\xa4type\xdb\xff\xff\xff\xff",
    "no type": msgpack.packb({"id": 1}),
    "unknown type": msgpack.packb({"type": "drop table"}),
    "an unknown field": msgpack.packb({"type": "ping", "admin": True}),
}

NONSENSE = [
    *(pytest.param("json", raw, id=f"json {name}") for name, raw in NOT_JSON.items()),
    *(pytest.param("msgpack", raw, id=f"msgpack {name}") for name, raw in NOT_MSGPACK.items()),
]


@pytest.mark.parametrize(("codec", "raw"), NONSENSE)
async def test_a_malformed_message_is_answered_and_the_socket_lives(target: Target, codec: Codec, raw: bytes) -> None:
    async with line(target, codec) as socket:
        await socket.send(raw)
        answer = await socket.outcome()
        assert (answer["type"], answer["code"], answer["temporary"]) == ("error", "bad_request", False)
        assert (await socket.ask({"type": "ping", "id": "still here"})) == {"type": "pong", "id": "still here"}


@pytest.mark.parametrize(("codec", "raw"), NONSENSE)
async def test_a_malformed_message_before_signing_in_is_refused(target: Target, codec: Codec, raw: bytes) -> None:
    async with line(target, codec, None) as socket:
        await socket.send(raw)
        assert (await socket.outcome())["code"] == "bad_request"


NOT_SCORES = [2**53, -(2**53), 2**63 - 1, 1.5, 1.0, 1e300, True, False, None, "5", "NaN", [5], {"a": 5}]


@both_codecs
async def test_what_is_no_score_is_refused_and_the_token_stays_good(target: Target, codec: Codec) -> None:
    token = target.action()
    for value in NOT_SCORES:
        async with line(target, codec) as socket:
            answer = await socket.ask(score(token, value))
            assert (answer["type"], answer["code"], answer["id"]) == ("error", "bad_request", 1), value
    async with line(target, codec) as socket:
        assert (await socket.ask(score(token, 0)))["status"] == "accepted"


@both_codecs
async def test_wrong_fields_of_a_score_are_refused(target: Target, codec: Codec) -> None:
    token = target.action()
    for more in (
        {"operator": "latest"},
        {"tiebreakers": [1]},
        {"tiebreakers": [1.5]},
        {"metadata": {"a": {"b": 1}}},
        {"metadata": {"a": "x" * 3000}},
        {"metadata": [1]},
        {"board": "../main"},
        {"board": 5},
        {"action_token": 5},
        {"action_token": ""},
    ):
        async with line(target, codec) as socket:
            assert (await socket.ask(score(token) | more))["code"] == "bad_request", more


@both_codecs
async def test_forged_and_foreign_action_tokens_are_refused(target: Target, codec: Codec) -> None:
    for token, code in (
        (target.action(secret=FOREIGN_SECRET), "action_token_invalid"),
        (target.action(player="e:eve"), "action_token_invalid"),
        (target.action(board="other"), "action_token_invalid"),
        (target.action(action="dance"), "action_token_invalid"),
        (target.token, "action_token_invalid"),
        (unsigned({"typ": "action"}, {"alg": "none"}), "action_token_invalid"),
        ("nonsense", "action_token_invalid"),
        (target.action(age=HOUR), "action_token_expired"),
    ):
        async with line(target, codec) as socket:
            assert (await socket.ask(score(token)))["code"] == code


@both_codecs
async def test_a_used_action_token_is_refused_with_the_first_result(target: Target, codec: Codec) -> None:
    token = target.action()
    async with line(target, codec) as socket:
        first = await socket.ask(score(token, 0))
        again = await socket.ask(score(token, 100))
    assert again["code"] == "action_token_used"
    assert again["result"]["submission_id"] == first["submission_id"]


@both_codecs
async def test_bad_access_tokens_close_with_4401(target: Target, codec: Codec) -> None:
    for token in (
        target.access(secret=FOREIGN_SECRET),
        target.access(issuer="elsewhere"),
        target.access(audience="elsewhere"),
        target.action(),
        target.expired_access(),
        unsigned({"typ": "access"}, {"alg": "none"}),
        "nonsense",
        "ä.ö.ü",
    ):
        async with line(target, codec, None) as socket:
            answer = await socket.ask({"type": "auth", "id": 1, "token": token})
            assert answer["code"] in {"unauthenticated", "token_expired"}
            assert await socket.closed() == 4401


@both_codecs
async def test_nothing_is_done_before_signing_in(target: Target, codec: Codec) -> None:
    async with line(target, codec, None) as socket:
        for message in (score(target.action()), {"type": "subscribe", "board": BOARD}, {"type": "me"}):
            assert (await socket.ask(message))["code"] == "unauthenticated"


@both_codecs
async def test_a_spectator_cannot_score_nor_see_what_is_not_public(target: Target, codec: Codec) -> None:
    async with line(target, codec, None) as socket:
        assert (await socket.ask({"type": "auth"}))["type"] == "auth.ok"
        assert (await socket.ask(score(target.action())))["code"] == "unauthenticated"
        for message in ({"type": "subscribe", "board": "club"}, {"type": "top", "board": "club"}):
            assert (await socket.ask(message))["code"] in {"unauthenticated", "forbidden"}


@both_codecs
@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "subscribe", "board": "nowhere"}, "not_found"),
        ({"type": "subscribe", "board": BOARD, "limit": 0}, "bad_request"),
        ({"type": "subscribe", "board": BOARD, "limit": 101}, "bad_request"),
        ({"type": "subscribe", "board": BOARD, "limit": "10"}, "bad_request"),
        ({"type": "subscribe", "board": BOARD, "window": "decade"}, "bad_request"),
        ({"type": "subscribe", "board": BOARD, "since": {"period": "all"}}, "bad_request"),
        ({"type": "unsubscribe", "subscription": "main/all/99"}, "not_found"),
        ({"type": "top", "board": BOARD, "limit": 101}, "bad_request"),
        ({"type": "top", "board": "nowhere"}, "not_found"),
        ({"type": "standings", "board": BOARD, "cursor": "nonsense"}, "bad_request"),
        ({"type": "around", "board": BOARD, "player_id": "e:nobody"}, "not_found"),
        ({"type": "ranks", "board": BOARD, "players": []}, "bad_request"),
        ({"type": "action", "board": BOARD, "action": "dance"}, "not_found"),
        ({"type": "action", "board": "nowhere", "action": "coin"}, "not_found"),
        ({"type": "refresh", "refresh_token": "nonsense"}, "unauthenticated"),
        ({"type": "login", "username": "nobody", "password": "whatever"}, "unauthenticated"),
        ({"type": "register", "username": "e\u202eve", "password": "long enough"}, "bad_request"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
async def test_a_bad_question_is_refused(target: Target, codec: Codec, message: dict[str, Any], code: str) -> None:
    async with line(target, codec) as socket:
        assert (await socket.ask({**message, "id": 7})).items() >= {"type": "error", "id": 7, "code": code}.items()


@both_codecs
async def test_a_message_that_is_too_large_closes_with_1009(target: Target, codec: Codec) -> None:
    for size in (17_000, 3_000_000):
        async with line(target, codec) as socket:
            await socket.say({"type": "ping", "id": "x" * size})
            assert await socket.closed() == 1009


@both_codecs
async def test_the_other_codecs_frame_closes_with_4400(target: Target, codec: Codec) -> None:
    async with line(target, codec) as socket:
        await socket.send(b'{"type":"ping"}', wrong_frame=True)
        assert await socket.closed() == 4400


async def test_text_that_is_not_utf8_closes_with_1007(target: Target) -> None:
    async with line(target, "json") as socket:
        await socket.send(b'{"type":"ping","id":"\xff"}')
        assert await socket.closed() == 1007


@both_codecs
async def test_nothing_but_garbage_closes_with_4400(target: Target, codec: Codec) -> None:
    async with line(target, codec) as socket:
        for _ in range(30):
            await socket.send(b"\xc1" if codec == "msgpack" else b"garbage")
        assert await socket.closed() == 4400


async def test_an_upgrade_that_is_none_is_refused(target: Target) -> None:
    upgrade = (b"Upgrade: websocket", b"Sec-WebSocket-Version: 13")
    for headers in (
        (),
        upgrade,
        (*upgrade, b"Sec-WebSocket-Key: short"),
        (b"Upgrade: websocket", b"Sec-WebSocket-Version: 1", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    ):
        answer = await target.request("GET", "/ws", headers=headers, authorization="")
        assert 400 <= answer.status < 500, answer
