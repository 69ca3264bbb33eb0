"""The WebSocket endpoint on a real server: signing in, messages, bounds, time, and the ways it ends."""

import asyncio
import logging
import random
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
import msgspec
import pytest
import uvloop
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError
from websockets.typing import Subprotocol

from scoreboard.api.socket import MAX_GARBAGE
from scoreboard.config import LimitSettings, LiveSettings
from scoreboard.live.base import UNSENT_BOUND, Codec
from scoreboard.live.farewell import TOO_FAST
from scoreboard.model import BoardSettings
from scoreboard.wire import Delta, Snapshot
from tests.api.sockets import LONG_S, House, house
from tests.live.boards import MAIN, Boards, View

CODECS: tuple[Codec, ...] = ("json", "msgpack")


both_codecs = pytest.mark.parametrize("codec", CODECS)


# Signing in


@both_codecs
async def test_a_player_signs_in_and_hears_the_terms(codec: Codec) -> None:
    async with house() as place:
        line = await place.connect(codec)
        ok = await line.ask("auth", id=1, token="ada")
        assert (ok["type"], ok["id"]) == ("auth.ok", 1)
        assert ok["player"] == {"id": "ada", "name": "Ada", "role": "player"}
        assert 890 <= ok["expires_in"] <= 900
        assert ok["ping_s"] == 25
        assert ok["limits"] == {"messages_per_minute": 600, "max_message_bytes": 16384, "max_subscriptions": 32}
        assert (await line.ask("whoami", id=2))["value"] == {"id": "ada"}


@pytest.mark.parametrize(("ping_s", "told"), [(25.0, b'"ping_s":25,'), (2.5, b'"ping_s":2.5,')])
async def test_a_whole_number_of_seconds_is_sent_as_one(ping_s: float, told: bytes) -> None:
    async with house(LiveSettings(ping_s=ping_s)) as place:
        line = await place.connect()
        await line.send("auth", token="ada")
        ok = (await line.socket.receive_str()).encode()
        assert told in ok
        assert isinstance(msgspec.json.decode(ok)["expires_in"], int)


async def test_a_spectator_needs_no_token() -> None:
    async with house() as place:
        line = await place.connect()
        ok = await line.sign_in()
        assert (ok["player"], ok["expires_in"]) == (None, None)
        assert await line.subscribe(board="main") == "main/all/10"


async def test_nothing_but_signing_in_is_answered_before_it() -> None:
    async with house() as place:
        line = await place.connect()
        for kind, fields in (("subscribe", {"board": "main"}), ("echo", {"text": "a"}), ("activity", {})):
            assert (await line.ask(kind, id="x", **fields))["code"] == "unauthenticated"
        assert (await line.ask("refresh", refresh_token="ada"))["access_token"] == "ada#2"
        assert (await line.ask("ping", id=3)) == {"type": "pong", "id": 3}
        await line.sign_in("ada#2")


async def test_who_does_not_sign_in_in_time_is_sent_away() -> None:
    async with house(LiveSettings(auth_s=0.05)) as place:
        bye = await (await place.connect()).parted()
        assert (bye["code"], bye["reconnect"]) == (4401, True)


@pytest.mark.parametrize(
    ("token", "code", "close", "reconnect"),
    [("forged", "unauthenticated", 4401, True), ("banned", "player_banned", 4403, False)],
)
async def test_a_refused_sign_in_is_answered_and_closed(token: str, code: str, close: int, reconnect: bool) -> None:
    async with house() as place:
        line = await place.connect()
        refusal = await line.ask("auth", id=7, token=token)
        assert (refusal["type"], refusal["id"], refusal["code"]) == ("error", 7, code)
        bye = await line.parted()
        assert (bye["code"], bye["reconnect"]) == (close, reconnect)


async def test_a_fault_of_ours_at_sign_in_leaves_the_socket_open(caplog: pytest.LogCaptureFixture) -> None:
    async with house() as place:
        line = await place.connect()
        with caplog.at_level(logging.CRITICAL):
            fault = await line.ask("auth", token="broken")
        assert fault["code"] == "internal_error"
        assert b"scoreboard_internal_errors_total 1.0" in place.metrics.render()
        await line.sign_in("ada")


async def test_signing_in_as_somebody_else_changes_who_the_socket_is() -> None:
    async with house() as place:
        line = await place.line("ada")
        await line.subscribe(board="main", me=True)
        await line.sign_in("bob")
        assert (await line.ask("whoami"))["value"] == {"id": "bob"}
        assert (await line.ask("unsubscribe", subscription="main/all/me"))["code"] == "not_found"
        assert (place.registry.of_player("ada"), place.registry.of_player("bob")) == (0, 1)


async def test_the_token_s_end_is_announced_and_closes_the_socket() -> None:
    async with house() as place:
        place.desk.ttl_s = 0.2
        line = await place.line("ada")
        assert (await line.of_type("expiring"))["expires_in"] == 0
        assert (await line.parted())["code"] == 4401


async def test_refreshing_over_the_socket_renews_it() -> None:
    async with house() as place:
        place.desk.ttl_s = 1.0
        line = await place.line("ada")
        place.desk.ttl_s = 900
        assert (await line.ask("refresh", id=1, refresh_token="ada"))["refresh_token"] == "next"
        place.registry.close_sessions(["session of ada"])
        assert (await line.ask("whoami"))["value"] == {"id": "ada"}, "the old session is not this socket's any more"
        place.registry.close_sessions(["session of ada#2"])
        assert (await line.parted())["code"] == 4401


async def test_a_session_that_ended_is_refused() -> None:
    async with house() as place:
        place.desk.ended.add("session of ada")
        line = await place.connect()
        assert (await line.ask("auth", id=1, token="ada"))["code"] == "unauthenticated"
        assert (await line.parted())["code"] == 4401
        assert place.registry.of_player("ada") == 0


async def test_a_session_that_ends_during_the_sign_in_takes_the_socket_with_it() -> None:
    async with house() as place:
        place.desk.asked_for = asyncio.Event()
        line = await place.connect()
        await line.send("auth", token="ada")
        await asyncio.wait_for(place.desk.asked_for.wait(), LONG_S)
        place.registry.close_sessions(["session of ada"])
        place.desk.release.set()
        assert (await line.receive())["type"] == "bye"


async def test_a_renewal_by_a_session_that_ended_leaves_the_socket_to_its_own() -> None:
    async with house() as place:
        line = await place.line("ada")
        place.desk.ended.add("session of ada#2")
        await line.ask("refresh", refresh_token="ada")
        assert (await line.ask("whoami"))["value"] == {"id": "ada"}
        place.registry.close_sessions(["session of ada"])
        assert (await line.parted())["code"] == 4401


async def test_another_player_s_refresh_does_not_change_the_socket() -> None:
    async with house() as place:
        line = await place.line("ada")
        await line.ask("refresh", refresh_token="bob")
        assert (await line.ask("whoami"))["value"] == {"id": "ada"}


# Boards


@both_codecs
async def test_the_answer_comes_first_and_then_the_snapshot(codec: Codec) -> None:
    async with house() as place:
        await place.boards.load(MAIN)
        await place.boards.put("ada", 9, name='Ada "<b>" 🎲')
        line = await place.line(codec=codec)
        await line.send("subscribe", id=2, board="main", limit=3)
        assert await line.receive() == {"type": "result", "id": 2, "subscription": "main/all/3"}
        snapshot = await line.receive()
        assert (snapshot["type"], snapshot["limit"], snapshot["total"]) == ("snapshot", 3, 1)
        assert snapshot["rows"][0]["name"] == 'Ada "<b>" 🎲'


@both_codecs
async def test_a_client_that_applies_what_it_is_sent_shows_the_ranking(codec: Codec) -> None:
    chance = random.Random(1)
    async with house() as place:
        await place.boards.load(MAIN)
        lines = [await place.line(codec=codec) for _ in range(3)]
        for line in lines:
            await line.subscribe(board="main", limit=10)
        for number in range(200):
            await place.boards.put(f"p{chance.randint(0, 20)}", chance.choice((None, number, 1)))
            if number % 10 == 0:
                await lines[0].of_type("snapshot", "delta")
        top = await place.boards.ranking.top(MAIN, 10)
        for line in lines:
            while not line.view.shows(top, 10):
                await line.receive()
            assert {"snapshot", "delta"} == set(line.view.kinds)


async def test_an_independent_client_library_sees_the_same() -> None:
    async with house() as place, connect(place.url, subprotocols=[Subprotocol("scoreboard.v1.json")]) as client:
        assert client.subprotocol == "scoreboard.v1.json"
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers
        view = View()
        await client.send('{"type":"auth"}')
        await client.send('{"type":"subscribe","board":"main"}')
        await place.boards.load(MAIN)
        for score in range(20):
            await place.boards.put(f"p{score % 7}", score)
        top = await place.boards.ranking.top(MAIN, 10)
        async with asyncio.timeout(LONG_S):
            while not view.shows(top, 10):
                raw = await client.recv()
                kind = msgspec.json.decode(raw)["type"]
                if kind == "snapshot":
                    view.apply(msgspec.json.decode(raw, type=Snapshot))
                elif kind == "delta":
                    view.apply(msgspec.json.decode(raw, type=Delta))


async def test_a_dropped_client_resumes_by_deltas() -> None:
    async with house() as place:
        await place.boards.load(MAIN)
        for score in range(8):
            await place.boards.put(f"p{score}", score)
        line = await place.line()
        await line.subscribe(board="main")
        await line.of_type("snapshot")
        epoch, version = line.view.version
        await line.socket.close()
        await place.boards.put("p7", 70)

        again = await place.line()
        again.view = line.view
        await again.subscribe(board="main", since={"period": "all", "epoch": epoch, "version": version})
        message = await again.of_type("snapshot", "delta")
        assert (message["type"], message["from"]) == ("delta", version)
        assert again.view.shows(await place.boards.ranking.top(MAIN, 10), 10)


async def test_what_is_not_public_is_for_players() -> None:
    async with house(boards=Boards(main=BoardSettings(public=False))) as place:
        spectator, player = await place.line(), await place.line("ada")
        assert (await spectator.ask("subscribe", board="main"))["code"] == "unauthenticated"
        await player.subscribe(board="main")


async def test_unsubscribing_ends_the_pushes() -> None:
    async with house() as place:
        line = await place.line()
        name = await line.subscribe(board="main")
        await line.of_type("snapshot")
        assert await line.ask("unsubscribe", id=1, subscription=name) == {"type": "result", "id": 1}
        assert place.hub.watching() == {}
        assert (await line.ask("unsubscribe", subscription=name))["code"] == "not_found"


# Operations


@both_codecs
async def test_an_operation_s_answer_carries_its_message_s_id(codec: Codec) -> None:
    async with house() as place:
        line = await place.line("ada", codec)
        assert await line.ask("echo", id="a", text="x") == {"type": "result", "id": "a", "text": "x"}
        assert await line.ask("echo", text="x") == {"type": "result", "text": "x"}
        assert await line.ask("whoami", id=5) == {"type": "result", "id": 5, "value": {"id": "ada"}}
        refused = await line.ask("missing", id=6)
        assert refused == {
            "type": "error",
            "id": 6,
            "code": "not_found",
            "title": "There is no such thing here",
            "temporary": False,
            "detail": "Nothing of that kind.",
        }


async def test_an_unforeseen_fault_is_logged_and_the_socket_lives(caplog: pytest.LogCaptureFixture) -> None:
    async with house() as place:
        line = await place.line()
        with caplog.at_level(logging.ERROR):
            fault = await line.ask("broken", id=1)
        assert (fault["code"], fault["title"]) == ("internal_error", "Something went wrong on the server")
        assert fault["request_id"] in caplog.text
        assert "ZeroDivisionError" in caplog.text
        assert (await line.ask("echo", text="still here"))["text"] == "still here"


async def test_a_slow_operation_is_overtaken() -> None:
    async with house() as place:
        line = await place.line()
        await line.send("slow", id="slow")
        assert (await line.ask("echo", id="quick", text=""))["id"] == "quick"
        place.desk.release.set()
        assert (await line.of_type("result"))["id"] == "slow"


async def test_beyond_the_bound_of_work_a_socket_is_not_read() -> None:
    async with house(LiveSettings(max_in_flight=2)) as place:
        line = await place.line()
        for number in range(5):
            await line.send("slow", id=number)
        other = await place.line()
        await other.ask("echo", text="a round trip after those messages arrived")
        assert place.desk.slow_calls == 2
        place.desk.release.set()
        assert sorted([(await line.of_type("result"))["id"] for _ in range(5)]) == [0, 1, 2, 3, 4]


async def test_messages_answered_at_once_are_answered_in_order() -> None:
    async with house() as place:
        line = await place.line()
        await line.subscribe(board="main")
        await line.of_type("snapshot")
        for number in range(0, 40, 2):
            await line.send("ping", id=number)
            await line.send("unsubscribe", id=number + 1, subscription="none")
        answers = [(await line.receive())["id"] for _ in range(40)]
        assert answers == list(range(40))


# Bad input


@both_codecs
async def test_nonsense_is_answered_and_the_socket_lives(codec: Codec) -> None:
    async with house() as place:
        line = await place.line(codec=codec)
        for type_, fields in (
            ("nothing-known", {"id": 1}),
            ("echo", {"id": 2}),
            ("echo", {"id": 3, "text": 4}),
            ("echo", {"id": 4, "text": "a", "more": 1}),
            ("subscribe", {"id": 5, "board": "main", "limit": 101}),
        ):
            error = await line.ask(type_, **fields)
            assert (error["type"], error["code"], error["id"]) == ("error", "bad_request", fields["id"])
        assert (await line.ask("echo", text="x"))["text"] == "x"


async def test_nothing_but_nonsense_is_closed() -> None:
    async with house() as place:
        line = await place.line()
        for _ in range(MAX_GARBAGE):
            await line.socket.send_str('{"type":')
        codes = [(await line.receive())["code"] for _ in range(MAX_GARBAGE)]
        assert codes == ["bad_request"] * MAX_GARBAGE
        bye = await line.parted()
        assert (bye["code"], bye["reconnect"]) == (4400, False)


@both_codecs
async def test_the_other_codec_s_kind_of_frame_is_closed(codec: Codec) -> None:
    async with house() as place:
        line = await place.line(codec=codec)
        await (line.socket.send_bytes(b"{}") if codec == "json" else line.socket.send_str("{}"))
        assert (await line.parted())["code"] == 4400


@pytest.mark.parametrize("size", [16_385, 70_000, 3_000_000])
async def test_a_message_too_big_is_refused_with_a_goodbye(size: int) -> None:
    async with house() as place:
        line = await place.line()
        await line.socket.send_str("x" * size)
        assert (await line.parted())["code"] == 1009


async def test_the_biggest_message_is_read() -> None:
    async with house() as place:
        line = await place.line()
        frame = len(b'{"type":"echo","text":""}')
        assert len((await line.ask("echo", text="x" * (16_384 - frame)))["text"]) == 16_384 - frame


async def test_text_that_is_not_utf8_is_closed() -> None:
    async with house() as place:
        line = await place.line()
        await line.socket.send_frame(b'{"type":"ping","id":"\xff"}', aiohttp.WSMsgType.TEXT)
        assert (await line.parted())["code"] == 1007


async def test_a_broken_frame_is_closed() -> None:
    async with house() as place:
        line = await place.line()
        await line.socket.send_frame(b"x", aiohttp.WSMsgType.CONTINUATION)
        assert (await line.parted())["code"] == 1002


async def test_too_many_messages_are_refused_and_then_closed() -> None:
    async with house(limits=LimitSettings(messages_per_minute=5)) as place:
        line = await place.line()
        for number in range(4):
            await line.ask("echo", id=number, text="")
        for _ in range(MAX_GARBAGE):
            await line.send("echo", text="")
        refused = await line.receive()
        assert (refused["code"], refused["temporary"]) == ("rate_limited", True)
        assert refused["retry_after_ms"] > 0
        bye = await line.parted()
        assert (bye["code"], bye["reconnect"]) == (TOO_FAST.code, True)
        assert 0 < bye["retry_after_ms"] <= 60_000


async def test_a_player_who_comes_back_has_no_new_budget_of_messages() -> None:
    async with house(limits=LimitSettings(messages_per_minute=5)) as place:
        line = await place.line("ada")
        for number in range(5):
            await line.ask("echo", id=number, text="")
        again = await place.line("ada")
        assert (await again.ask("echo", text=""))["code"] == "rate_limited"


async def test_spectators_of_one_address_share_what_its_sockets_may_send() -> None:
    async with house(limits=LimitSettings(messages_per_minute=3, sockets_per_address=2)) as place:
        for _ in range(2):
            line = await place.line()
            for _ in range(2):
                await line.ask("echo", text="")
            await line.socket.close()
            while len(place.registry):
                await asyncio.sleep(0)
        assert (await (await place.connect()).ask("auth"))["code"] == "rate_limited"


# Time


async def test_a_client_that_answers_pings_stays_and_a_silent_one_is_cut() -> None:
    async with house(LiveSettings(ping_s=0.05, pong_s=0.1)) as place:
        silent, lively = await place.line(), await place.line()
        cut = asyncio.ensure_future(silent.cut())
        while not cut.done():
            await lively.of_type("ping")
            await lively.send("pong")
        await cut
        assert (await lively.ask("echo", text="x"))["text"] == "x"


async def test_a_frame_of_any_kind_is_a_sign_of_life() -> None:
    async with house(LiveSettings(ping_s=0.05, pong_s=0.1)) as place:
        silent, pinging = await place.line(), await place.line()
        cut = asyncio.ensure_future(silent.cut())
        while not cut.done():
            await pinging.of_type("ping")
            await pinging.socket.ping(b"are you there")
        await cut
        assert (await pinging.ask("echo", text="x"))["text"] == "x"


async def test_a_ping_frame_is_answered_with_its_payload() -> None:
    async with house() as place, connect(place.url) as client:
        waiter = await client.ping(b"abc")
        await asyncio.wait_for(waiter, LONG_S)


async def test_an_idle_client_hears_nothing_until_it_acts_and_is_closed_in_the_end() -> None:
    async with house(LiveSettings(tick_ms=5, ping_s=0.05, inactive_s=0.3, close_s=0.5)) as place:
        line, awake = await place.line("ada"), await place.line("bob")
        await line.subscribe(board="main")
        await awake.subscribe(board="main")
        await awake.of_type("snapshot")
        while (message := await line.receive())["type"] != "state":
            if message["type"] == "ping":
                await line.send("pong")
                await line.socket.ping()
                await awake.send("activity")
        assert message["state"] == "inactive"
        await place.boards.put("ada", 5)
        await awake.of_type("delta", "snapshot")
        await line.send("activity", id=9)
        assert await line.receive() == {"type": "state", "state": "active"}
        assert await line.receive() == {"type": "result", "id": 9}
        assert (await line.of_type("snapshot", "delta"))["type"] == "snapshot"
        assert line.view.shows(await place.boards.ranking.top(MAIN, 10), 10)
        bye = await line.parted()
        assert (bye["code"], bye["reconnect"]) == (4408, True)


async def test_spectators_may_be_exempt_from_idling_out() -> None:
    settings = LiveSettings(ping_s=0.05, inactive_s=0.1, close_s=0.1, spectators_idle_out=False)
    async with house(settings) as place:
        display, player = await place.line(), await place.line("ada")
        assert (await player.parted())["code"] == 4408
        assert (await display.ask("echo", text="x"))["text"] == "x"


async def test_both_idle_times_can_be_switched_off() -> None:
    async with house(LiveSettings(ping_s=0.05, inactive_s=0, close_s=0.1)) as place:
        line = await place.line()
        while (message := await line.receive())["type"] == "ping":
            await line.send("pong")
        assert message["code"] == 4408, "never inactive, closed all the same"
    async with house(LiveSettings(ping_s=0.05, inactive_s=0.1, close_s=0)) as place:
        line = await place.line()
        assert (await line.of_type("state"))["state"] == "inactive"
        for _ in range(5):
            await line.of_type("ping")
            await line.send("pong")


# Who may connect


async def test_an_address_has_a_bounded_number_of_sockets() -> None:
    async with house(limits=LimitSettings(sockets_per_address=2)) as place:
        first, _ = await place.line(), await place.line()
        bye = await (await place.connect()).parted()
        assert (bye["code"], bye["reconnect"]) == (4409, True)
        await first.socket.close()
        while len(place.registry) > 1:
            await asyncio.sleep(0)
        await place.line()


async def test_a_player_has_a_bounded_number_of_sockets() -> None:
    async with house(limits=LimitSettings(sockets_per_player=2)) as place:
        first, _ = await place.line("ada"), await place.line("ada")
        third = await place.connect()
        await third.send("auth", token="ada")
        assert (await third.parted())["code"] == 4409
        await place.line("bob")
        await first.sign_in("ada")


@pytest.mark.parametrize(
    ("origins", "origin", "status"),
    [
        ((), None, 101),
        ((), "https://elsewhere.example", 403),
        (("https://game.example",), "https://game.example", 101),
        (("https://game.example",), "https://game.example.evil", 403),
        (("*",), "https://elsewhere.example", 101),
        ((), "http://[", 403),
        ((), "null", 403),
    ],
)
async def test_browsers_connect_from_allowed_origins_only(
    origins: tuple[str, ...], origin: str | None, status: int
) -> None:
    async with house(LiveSettings(origins=origins)) as place:
        if status == 101:
            await (await place.connect(origin=origin)).sign_in()
        else:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await place.connect(origin=origin)
            assert refused.value.status == status


async def test_the_server_s_own_pages_may_connect() -> None:
    async with house() as place:
        await (await place.connect(origin=str(place.http.make_url("/")).rstrip("/"))).sign_in()


async def test_upgrades_beyond_the_rate_are_asked_to_come_later() -> None:
    async with house(LiveSettings(upgrades_per_s=1)) as place:
        await place.connect()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await place.connect()
        assert refused.value.status == 503
        assert refused.value.headers is not None
        assert refused.value.headers["Retry-After"] == "1"


async def test_what_is_refused_anyway_takes_nothing_of_what_is_there_for_all() -> None:
    async with house(LiveSettings(upgrades_per_s=1), LimitSettings(sockets_per_address=1)) as place:
        for _ in range(3):
            async with place.http.get("/ws") as response:
                assert response.status == 400
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await place.connect(origin="https://elsewhere.example")
        first = await place.line()
        for _ in range(3):
            assert (await (await place.connect()).parted())["code"] == 4409
        await first.ask("echo", text="")


async def test_an_address_opens_sockets_out_of_its_budget_of_requests() -> None:
    async with house(limits=LimitSettings(requests_per_minute=2)) as place:
        lines = [await place.line(), await place.line()]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await place.connect()
        assert refused.value.status == 429
        assert len(place.registry) == len(lines)


async def test_a_plain_request_is_a_bad_request() -> None:
    async with house() as place, place.http.get("/ws") as response:
        assert response.status == 400
        assert (await response.json())["code"] == "bad_request"


# The end


async def test_a_client_s_close_is_answered_with_its_code() -> None:
    async with house() as place:
        line = await place.line()
        await line.socket.close(code=4000)
        assert line.socket.close_code == 4000
        while len(place.registry):
            await asyncio.sleep(0)
        assert len(place.wheel) <= 1, "at most the outlet's last look"


async def test_a_ban_closes_every_socket_of_the_player_for_good() -> None:
    async with house() as place:
        lines = [await place.line("ada"), await place.line("ada")]
        other = await place.line("bob")
        place.registry.close_player("ada")
        for line in lines:
            bye = await line.parted()
            assert (bye["code"], bye["reconnect"]) == (4403, False)
        assert (await other.ask("echo", text="x"))["text"] == "x"


async def test_draining_parts_from_everybody_and_admits_nobody() -> None:
    async with house() as place:
        lines = [await place.line(codec=codec) for codec in CODECS * 5]
        draining = asyncio.ensure_future(place.endpoint.drain(0.2))
        byes = await asyncio.gather(*(line.parted() for line in lines))
        await draining
        assert {(bye["code"], bye["reason"], bye["reconnect"]) for bye in byes} == {(1012, "restart", True)}
        assert len({bye["retry_after_ms"] for bye in byes}) > 1
        assert len(place.registry) == 0
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await place.connect()
        assert refused.value.status == 503


class Deaf:
    """A client that sends and never reads, with as little room in its kernel as there can be."""

    def __init__(self, socket_: socket.socket) -> None:
        self._socket = socket_

    async def send(self, raw: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, raw)

    async def flood(self, raw: bytes) -> None:
        """Send for ever."""
        async with asyncio.timeout(LONG_S):
            while True:
                await self.send(raw)


@asynccontextmanager
async def deaf_client(place: House, *messages: bytes) -> AsyncIterator[Deaf]:
    """A deaf client that has opened a socket and sent these messages."""
    upgrade = (
        "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    with socket.socket() as socket_:
        socket_.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        socket_.setblocking(False)
        await asyncio.get_running_loop().sock_connect(socket_, (place.http.host, place.http.port))
        deaf = Deaf(socket_)
        await deaf.send(upgrade.encode())
        for message in messages:
            await deaf.send(masked(message))
        yield deaf


def masked(payload: bytes) -> bytes:
    """A client's text frame; a mask of zeros changes nothing."""
    assert len(payload) < 126
    return bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload


AUTH = b'{"type":"auth"}'


async def test_a_client_that_never_reads_costs_bounded_memory_and_is_cut_while_others_are_served() -> None:
    subscribe = b'{"type":"subscribe","board":"main","limit":100}'
    async with house(LiveSettings(tick_ms=1, stall_s=0.5)) as place, deaf_client(place, AUTH, subscribe):
        await place.boards.load(MAIN)
        while place.hub.watching() != {"main": 1}:
            await asyncio.sleep(0)
        (transport,) = place.transports
        reader = await place.line()
        await reader.subscribe(board="main", limit=100)
        most, number = 0, 0
        async with asyncio.timeout(LONG_S):
            while len(place.registry) == 2:
                number += 1
                await place.boards.put(f"p{number % 100}", number, name="x" * 128)
                await reader.of_type("snapshot", "delta")
                most = max(most, transport.get_write_buffer_size())
        assert UNSENT_BOUND < most < 4 * UNSENT_BOUND
        top = await place.boards.ranking.top(MAIN, 100)
        while not reader.view.shows(top, 100):
            await reader.receive()


async def test_a_client_that_never_reads_its_answers_is_not_read_either_and_cut() -> None:
    settings, limits = LiveSettings(stall_s=0.5), LimitSettings(messages_per_minute=0)
    async with house(settings, limits) as place, deaf_client(place, AUTH) as deaf:
        flood = masked(b'{"type":"echo","text":"' + b"x" * 90 + b'"}') * 100
        with pytest.raises(ConnectionError):
            await deaf.flood(flood)
        while len(place.registry):
            await asyncio.sleep(0)


async def test_draining_cuts_who_does_not_go() -> None:
    async with house() as place, deaf_client(place, AUTH):
        while len(place.registry) == 0:
            await asyncio.sleep(0)
        await asyncio.wait_for(place.endpoint.drain(0), LONG_S)
        assert len(place.registry) == 0


async def test_work_that_ends_after_the_goodbye_is_not_written_behind_it() -> None:
    async with house() as place, connect(place.url) as client:
        await client.send('{"type":"auth","token":"ada"}')
        await client.send('{"type":"slow"}')
        await asyncio.wait_for(place.desk.slow_started.wait(), LONG_S)
        place.registry.close_player("ada")
        place.desk.release.set()
        kinds = [msgspec.json.decode(await client.recv())["type"] for _ in range(2)]
        assert kinds == ["auth.ok", "bye"]
        with pytest.raises(ConnectionClosedError) as closed:
            await client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4403


@pytest.mark.parametrize(
    "scenario",
    [
        partial(test_a_client_that_applies_what_it_is_sent_shows_the_ranking, "json"),
        partial(test_a_message_too_big_is_refused_with_a_goodbye, 3_000_000),
        test_a_client_that_answers_pings_stays_and_a_silent_one_is_cut,
        test_a_client_that_never_reads_costs_bounded_memory_and_is_cut_while_others_are_served,
        test_a_client_that_never_reads_its_answers_is_not_read_either_and_cut,
        test_a_client_s_close_is_answered_with_its_code,
        test_draining_parts_from_everybody_and_admits_nobody,
    ],
)
def test_the_loop_that_serves_in_production_does_the_same(scenario: Callable[[], Coroutine[None, None, None]]) -> None:
    uvloop.run(scenario())
