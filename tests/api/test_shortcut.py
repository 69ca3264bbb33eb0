"""By the short way requests are answered as they are by the long one."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from scoreboard.api.operations import OPERATIONS
from scoreboard.api.rest import PREFIX
from scoreboard.api.shortcut import Addresses
from scoreboard.config import ServerSettings, Settings
from tests.api.app import NO_LIMITS, Api, backend, running
from tests.api.raw import Raw

ORIGIN = "https://game.example"
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get")
PATHS = (
    "boards",
    "boards/",
    "boards//top",
    "boards/main",
    "boards/main/",
    "boards/main/top",
    "boards/main/top/",
    "boards/main//top",
    "boards/main/top/top",
    "boards/top/top",
    "boards/nope/top",
    "boards/ma%69n/top",
    "boards/main%2Ftop",
    "boards/main%2ftop/top",
    "boards/main/%74op",
    "boards/./main/top",
    "boards/../boards/main/top",
    "boards/main/top/..",
    "boards/../top",
    "boards/.../top",
    "boards/{board}/top",
    "boards/{main}/top",
    "boards/main;x=1/top",
    "boards/main/TOP",
    "boards/Main/top",
    "boards/main/around/e:ada",
    "boards/main/around/e%3Aada",
    "boards/main/around/e:nobody",
    "boards/main/around/.ada",
    "boards/main/around/~ada",
    "boards/main/around/a+b",
    "boards/main/around/a b",
    "boards/main/around/ad\u00e4",
    "boards/main/around/ad%C3%A4",
    "boards/main/around/ad%ff",
    "boards/main/around/a%00b",
    "boards/main/around/a%",
    "boards/main/around/a%zz",
    "boards/main/around/",
    "boards/main/around/" + "a" * 64,
    "boards/main/around/" + "a" * 65,
    "boards/main/around/" + "a" * 600,
    "boards/main/players/e:ada",
    "boards/main/players/e:ada/history",
    "boards/main/players/e:ada/",
    "boards/main/players/e:ada/nothing",
    "boards/main/ranks",
    "boards/club/top",
    "me",
    "me/",
    "me/sessions",
    "actions",
    "scores/update",
    "scores/batch",
    "admin/keys/none",
    "admin/reviews/decide",
    "admin/reviews/00000000-0000-7000-8000-000000000000",
    "admin/boards/never%20was",
    "nothing",
    "",
)
QUERIES = (
    "?",
    "?limit=3",
    "?limit=3&",
    "?&limit=3",
    "?limit=3&&window=all",
    "?limit=3&limit=4",
    "?limit=3&limit=3",
    "?limit",
    "?limit=",
    "?=3",
    "?limit=3=4",
    "?limit=0",
    "?limit=101",
    "?limit=abc",
    "?limit=3.0",
    "?limit=+3",
    "?limit=%33",
    "?li%6dit=3",
    "?LIMIT=3",
    "?limit=3;window=all",
    "?limit=3#there",
    "#there",
    "?window=all",
    "?window=day",
    "?window=all&period=all",
    "?period=2026-W48",
    "?window=%ff",
    "?board=main",
    "?board=other",
    "?nothing=1",
    "?limit=3?window=all",
    "?limit=3/4",
)
OTHER_TARGETS = (
    "/",
    "/healthz",
    "/api/v1",
    "/api/v1/",
    "/api",
    "//api/v1/boards/main/top",
    "/api//v1/boards/main/top",
    "/API/V1/boards/main/top",
    "/api/v1/../v1/boards/main/top",
    "/%61pi/v1/boards/main/top",
    "http://elsewhere.example/api/v1/boards/main/top",
    "http://elsewhere.example/api/v1/boards/main/top?limit=1",
    "*",
)
BODIES = (
    b"",
    b"{}",
    b"[]",
    b"null",
    b'{"players":["e:ada","e:nobody"]}',
    b'{"players":["e:ada"],"board":"main"}',
    b'{"players":["e:ada"],"board":"other"}',
    b'{"players":["e:ada"],"players":["e:bob"]}',
    b'{"players":["e:ada"],"window":"all"}',
    b'{"players":["e:ada"]',
    b"\xff",
)
MORE_HEADERS = (
    "Connection: close",
    "Expect: 100-continue",
    "Expect: the impossible",
    "If-None-Match: {tag}",
    'If-None-Match: "0.0"',
    "Authorization: Bearer none",
    "Authorization: Basic bm9uZQ==",
    "Authorization: ",
    f"Origin: {ORIGIN}",
    "Origin: https://elsewhere.example",
    "X-Forwarded-For: 10.0.0.1",
    "Idempotency-Key: ",
)
SEEDED = [
    {"id": name, "player_id": f"e:{name}", "board": "main", "score": score, "at": "2026-01-01T10:00:00Z"}
    for name, score in (("ada", 9), ("bob", 7), ("cy", 7), ("dee", 1))
]


class Answer(NamedTuple):
    """What must be the same by both ways."""

    status: int
    headers: dict[str, str]
    body: bytes


class Both:
    """Two servers with the same boards, only one of them shortened."""

    def __init__(self, apis: list[Api]) -> None:
        self.ports = [api.http.port for api in apis]

    async def answers(self, head: str, body: bytes = b"") -> list[Answer]:
        """What each says to the same bytes; an interim answer counts for nothing here."""
        return [await _ask(port or 0, head, body) for port in self.ports]

    async def same(self, head: str, body: bytes = b"") -> Answer:
        """What both say."""
        long, short = await self.answers(head, body)
        assert long == short, head
        return short


async def _ask(port: int, head: str, body: bytes) -> Answer:
    async with Raw(port) as raw:
        raw.send(head.encode() + b"\r\n\r\n" + body)
        status, headers, text = await raw.answer(has_body=not head.startswith("HEAD"))
        if status == 100:
            status, headers, text = await raw.answer()
    for name in ("date", "server", "x-request-id"):
        headers.pop(name, None)
    headers.pop("content-length", None)  # of a problem it depends on the id in it
    return Answer(status, headers, re.sub(rb'"(request|submission)_id":"[0-9a-f-]+"', b"", text))


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Both]:
    settings = Settings(limits=NO_LIMITS, server=ServerSettings(cors_origins=(ORIGIN,)))
    async with AsyncExitStack() as stack:
        apis = []
        for shortened in (False, True):
            folder = tmp_path / str(shortened)
            folder.mkdir()
            api = await stack.enter_async_context(running(folder, settings, shortened=shortened))
            key = backend(api, folder)
            for board, public in (("other", True), ("club", False)):
                answer = await key.call("PUT", f"admin/boards/{board}", {"public": public})
                assert answer.status == 200
            assert (await key.post("scores/batch", {"items": SEEDED})).status == 200
            apis.append(api)
        yield Both(apis)


def request(method: str, target: str, *more: str, body: bytes = b"") -> str:
    lines = [f"{method} {target} HTTP/1.1", "Host: here", *more]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines)


async def test_what_an_odd_path_names_is_the_same_by_both_ways(both: Both) -> None:
    statuses = {
        (await both.same(request(method, PREFIX + path))).status for method, path in product(METHODS, PATHS)
    } | {(await both.same(request(method, target))).status for method, target in product(METHODS, OTHER_TARGETS)}
    assert statuses >= {200, 400, 401, 404, 405}
    assert all(status < 500 for status in statuses)


@pytest.mark.parametrize("path", ["boards/main/top", "boards/main/around/e:bob", "boards/main/ranks", "me"])
async def test_what_an_odd_query_says_is_the_same_by_both_ways(both: Both, path: str) -> None:
    for method, query in product(("GET", "POST", "DELETE"), QUERIES):
        await both.same(request(method, f"{PREFIX}{path}{query}"))


async def test_every_character_means_the_same_by_both_ways(both: Both) -> None:
    for number in range(0x20, 0x7F):
        for text in (chr(number), f"%{number:02X}"):
            await both.same(request("GET", f"{PREFIX}boards/main/around/e{text}bob"))
            await both.same(request("GET", f"{PREFIX}boards/main/top?{text}limit{text}={text}1{text}"))


async def test_what_a_body_says_besides_the_address_is_the_same_by_both_ways(both: Both) -> None:
    for path, body in product(("boards/main/ranks", "boards/main/ranks?window=all", "scores/update", "boards"), BODIES):
        await both.same(request("POST", PREFIX + path, body=body), body)


async def test_headers_mean_the_same_by_both_ways(both: Both) -> None:
    top, ranks = PREFIX + "boards/main/top", PREFIX + "boards/main/ranks"
    tag = (await both.same(request("GET", top))).headers["etag"]
    body = BODIES[4]
    for more in (header.format(tag=tag) for header in MORE_HEADERS):
        await both.same(request("GET", top, more))
        await both.same(request("POST", ranks, more, body=body), body)
    assert (await both.same(request("GET", top, f"If-None-Match: {tag}"))).status == 304


async def test_other_origins_are_told_that_they_are_allowed_by_both_ways(both: Both) -> None:
    answer = await both.same(request("GET", PREFIX + "boards/main/top", f"Origin: {ORIGIN}"))
    assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_every_operation_can_be_reached_by_the_short_way() -> None:
    addresses = Addresses(OPERATIONS)
    for operation in OPERATIONS:
        names = re.findall(r"{(\w+)}", operation.path)
        path = re.sub(r"{(\w+)}", r"the.\1", operation.path)
        named = addresses.find(operation.method, f"{PREFIX}{path}?a=1&b-c=x:y")
        assert named is not None
        assert named.operation is operation
        assert named.path == {name: f"the.{name}" for name in names}
        assert named.query == {"a": "1", "b-c": "x:y"}


def test_an_address_that_was_asked_for_before_need_not_be_taken_apart_again() -> None:
    addresses = Addresses(OPERATIONS)
    first = addresses.find("GET", f"{PREFIX}boards/main/top")
    assert first is not None
    assert addresses.find("GET", f"{PREFIX}boards/main/top") is first
    assert addresses.find("POST", f"{PREFIX}boards/main/top") is None


UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")


@pytest.mark.parametrize(
    ("method", "target", "more", "status"),
    [
        ("GET", "/ws", (), 400),
        ("GET", "/ws", UPGRADE, 400),
        ("GET", "/ws", (*UPGRADE, "Sec-WebSocket-Key: short"), 400),
        ("GET", "/ws", (*UPGRADE, "Origin: https://elsewhere.example"), 403),
        ("GET", "/ws", ("Expect: 100-continue",), 400),
        ("GET", "/ws?a=1", (), 400),
        ("GET", "/ws/", (), 404),
        ("HEAD", "/ws", (), 400),
        ("POST", "/ws", (), 405),
    ],
)
async def test_a_socket_that_is_refused_is_refused_by_both_ways(
    both: Both, method: str, target: str, more: tuple[str, ...], status: int
) -> None:
    assert (await both.same(request(method, target, *more))).status == status
