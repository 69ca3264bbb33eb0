"""One message to a real server, or to one that may not be reached."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientTimeout, web
from aiohttp.test_utils import TestServer

from scoreboard.webhooks import post as module
from scoreboard.webhooks.post import NOT_PUBLIC, Answer, is_public, open_session, post
from tests.ports import free_port
from tests.webhooks.receiver import Receiver, receiving

SENT = {"webhook-id": "msg_1", "content-type": "application/json"}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def send(url: str, *, private: bool = True) -> Answer:
    async with open_session(private=private) as session:
        return await post(session, url, SENT, b"{}", private=private)


async def test_what_is_answered_is_told(receiver: Receiver) -> None:
    receiver.statuses = [204, 400, 503]
    answers = [await send(receiver.url) for _ in range(3)]
    assert answers == [Answer(204), Answer(400, "answered 400"), Answer(503, "answered 503")]


async def test_no_redirect_is_followed(receiver: Receiver) -> None:
    receiver.statuses = [302]
    assert await send(receiver.url) == Answer(302, "answered 302")
    assert len(receiver.ids) == 1


async def test_nobody_is_waited_for_without_end(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", 0.1)
    receiver.open.clear()
    assert await send(receiver.url) == Answer(None, "no answer within 0.1 s")


@pytest.mark.parametrize("piece", [b"x" * 65_536, b""])
async def test_an_answer_that_has_no_end_counts_by_its_status(piece: bytes) -> None:
    gone = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while piece:
                await response.write(piece)
        await gone.wait()
        return response

    app = web.Application()
    app.router.add_post("/", endless)
    async with TestServer(app) as server:
        assert await send(str(server.make_url("/"))) == Answer(200)
        gone.set()


async def test_a_receiver_that_is_away_is_told_without_its_address() -> None:
    port = free_port()
    answer = await send(f"http://127.0.0.1:{port}/secret")
    assert answer == Answer(None, "ClientConnectorError")
    answer = await send("http://no-such-host.invalid/secret")
    assert answer.status is None
    assert "invalid" not in (answer.error or "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST.", "[::1]", "[::ffff:127.0.0.1]"])
async def test_a_private_address_is_not_told_whatever_it_is_called(receiver: Receiver, host: str) -> None:
    url = receiver.url.replace("127.0.0.1", host)
    assert await send(url, private=False) == Answer(None, NOT_PUBLIC)
    assert receiver.ids == []


async def test_a_name_of_a_private_address_is_looked_up(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the name was when the webhook was made."""
    monkeypatch.setattr(module, "is_public", lambda host: host == "localhost" or is_public(host))
    url = receiver.url.replace("127.0.0.1", "localhost")
    assert await send(url, private=False) == Answer(None, NOT_PUBLIC)
    assert receiver.ids == []


@pytest.mark.parametrize(("host", "public"), [
    ("93.184.215.14", True),
    ("2606:4700::1111", True),
    ("game.example", True),
    ("10.0.0.1", False),
    ("172.16.0.1", False),
    ("192.168.1.1", False),
    ("169.254.169.254", False),
    ("100.64.0.1", False),
    ("0.0.0.0", False),
    ("224.0.0.1", False),
    ("fd00::1", False),
    ("fe80::1%eth0", False),
    ("64:ff9b::a00:1", False),
    ("64:ff9b:1::a00:1", False),
    ("2002:7f00:1::1", False),
    ("::127.0.0.1", False),
    ("fec0::1", False),
    ("127.1", False),
    ("2130706433", False),
    ("0177.0.0.1.", False),
    ("4.example", True),
    ("::ffff:10.0.0.1", False),
])  # fmt: skip
def test_public_addresses_are_told_from_others(host: str, public: bool) -> None:
    assert is_public(host) == public


async def test_a_session_gives_up_in_time() -> None:
    async with open_session(private=True) as session:
        assert session.timeout == ClientTimeout(total=module.TIMEOUT_S)
