"""Answers that go past aiohttp's headers are answers like any other."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from email.utils import parsedate_to_datetime
from pathlib import Path

import msgspec
import pytest

from scoreboard.api.ready import MOST_TOGETHER
from scoreboard.clock import SystemClock, to_datetime
from tests.api.app import running
from tests.api.raw import Raw

TOP = b"GET /api/v1/boards/main/top HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    async with running(tmp_path) as api:
        assert api.http.port is not None
        yield api.http.port


async def test_a_ready_answer_has_all_the_headers_it_needs(port: int) -> None:
    async with Raw(port) as raw:
        raw.send(TOP + b"\r\n")
        status, headers, body = await raw.answer()
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-cache"
    assert headers["etag"] == '"1.1"'
    assert abs((parsedate_to_datetime(headers["date"]) - to_datetime(SystemClock().now())).total_seconds()) < 60
    assert msgspec.json.decode(body)["board"] == "main"


async def test_requests_sent_in_a_row_are_answered_in_a_row_on_one_connection(port: int) -> None:
    async with Raw(port) as raw:
        raw.send((TOP + b"\r\n") * 3 + TOP.replace(b"main", b"nope") + b"\r\n")
        statuses = [(await raw.answer())[0] for _ in range(4)]
    assert statuses == [200, 200, 200, 404]


async def test_answers_of_both_kinds_come_in_the_order_of_their_requests(port: int) -> None:
    kinds = [TOP, TOP.replace(b"main", b"nope"), TOP.replace(b"/top", b""), TOP.replace(b"boards/main/top", b"nothing")]
    async with Raw(port) as raw:
        raw.send(b"".join(kind + b"\r\n" for kind in kinds * 3))
        statuses = [(await raw.answer())[0] for _ in range(12)]
    assert statuses == [200, 404, 200, 404] * 3


async def test_many_who_ask_at_once_are_all_answered(port: int) -> None:
    async with AsyncExitStack() as stack:
        raws = [await stack.enter_async_context(Raw(port)) for _ in range(2 * MOST_TOGETHER + 1)]
        for raw in raws:
            raw.send(TOP + b"\r\n")
        assert {(await raw.answer())[0] for raw in raws} == {200}


async def test_who_leaves_before_the_answer_takes_no_other_with_them(port: int) -> None:
    async with Raw(port) as stays:
        for _ in range(20):
            async with Raw(port) as leaves:
                leaves.send(TOP + b"\r\n")
                stays.send(TOP + b"\r\n")
            assert (await stays.answer())[0] == 200


@pytest.mark.parametrize("request_head", [TOP + b"Connection: close\r\n", TOP.replace(b"HTTP/1.1", b"HTTP/1.0")])
async def test_who_wants_the_connection_closed_gets_it_closed(port: int, request_head: bytes) -> None:
    async with Raw(port) as raw:
        raw.send(request_head + b"\r\n")
        status, _, body = await raw.answer()
        assert (status, msgspec.json.decode(body)["total"]) == (200, 0)
        assert await raw.ended()


async def test_a_head_has_no_body(port: int) -> None:
    async with Raw(port) as raw:
        raw.send(TOP.replace(b"GET", b"HEAD") + b"\r\n")
        status, headers, _ = await raw.answer(has_body=False)
        raw.send(TOP + b"\r\n")
        again, _, body = await raw.answer()
    assert (status, again) == (200, 200)
    assert int(headers["content-length"]) == len(body)
