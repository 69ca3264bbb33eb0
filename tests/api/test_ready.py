"""Answers that go past aiohttp's headers are answers like any other."""

import asyncio
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import msgspec
import pytest
from aiohttp.test_utils import TestServer

from scoreboard.api.ready import READY
from scoreboard.app import create_app
from scoreboard.clock import SystemClock, to_datetime
from scoreboard.config import DataSettings, Settings
from tests.api.app import NO_LIMITS

TOP = b"GET /api/v1/boards/main/top HTTP/1.1\r\nHost: a\r\n"


class Wire:
    """A connection on which bytes are sent, and answers read one by one."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> "Wire":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    def send(self, text: bytes) -> None:
        self._writer.write(text)

    async def answer(self, *, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in lower case, body."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await self._reader.readexactly(int(headers.get("content-length", "0"))) if has_body else b""
        return int(head[0].split()[1]), headers, body

    async def ended(self) -> bool:
        """Whether the server has nothing more to say and closes."""
        return await self._reader.read() == b""


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    app = create_app(Settings(limits=NO_LIMITS, data=DataSettings(dir=str(tmp_path))))
    app[READY] = True
    async with TestServer(app) as server:
        assert server.port is not None
        yield server.port


async def test_a_ready_answer_has_all_the_headers_it_needs(port: int) -> None:
    async with Wire(port) as wire:
        wire.send(TOP + b"\r\n")
        status, headers, body = await wire.answer()
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-cache"
    assert headers["etag"] == '"1.1"'
    assert abs((parsedate_to_datetime(headers["date"]) - to_datetime(SystemClock().now())).total_seconds()) < 60
    assert msgspec.json.decode(body)["board"] == "main"


async def test_requests_sent_in_a_row_are_answered_in_a_row_on_one_connection(port: int) -> None:
    async with Wire(port) as wire:
        wire.send((TOP + b"\r\n") * 3 + TOP.replace(b"main", b"nope") + b"\r\n")
        statuses = [(await wire.answer())[0] for _ in range(4)]
    assert statuses == [200, 200, 200, 404]


@pytest.mark.parametrize("request_head", [TOP + b"Connection: close\r\n", TOP.replace(b"HTTP/1.1", b"HTTP/1.0")])
async def test_who_wants_the_connection_closed_gets_it_closed(port: int, request_head: bytes) -> None:
    async with Wire(port) as wire:
        wire.send(request_head + b"\r\n")
        status, _, body = await wire.answer()
        assert (status, msgspec.json.decode(body)["total"]) == (200, 0)
        assert await wire.ended()


async def test_a_head_has_no_body(port: int) -> None:
    async with Wire(port) as wire:
        wire.send(TOP.replace(b"GET", b"HEAD") + b"\r\n")
        status, headers, _ = await wire.answer(has_body=False)
        wire.send(TOP + b"\r\n")
        again, _, body = await wire.answer()
    assert (status, again) == (200, 200)
    assert int(headers["content-length"]) == len(body)
