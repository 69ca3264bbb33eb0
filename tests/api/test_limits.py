"""How limits are told, over REST and WebSocket, and what happens when too much is under way."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from scoreboard.api.context import CONTEXT
from scoreboard.api.limiting import Limits
from scoreboard.api.problems import REST_S
from scoreboard.clock import ManualClock
from scoreboard.config import LimitSettings, SecuritySettings, ServerSettings, Settings
from scoreboard.errors import Overloaded
from tests.api.app import NO_LIMITS, Answer, Api, running
from tests.api.sockets import Line

LEFT = re.compile(r'"(?P<name>[a-z]+)";r=(?P<left>\d+);t=(?P<full_in>\d+)')


def left(answer: Answer) -> tuple[str, int, int]:
    """The limit that an answer tells of, what is left of it, and in how many seconds all of it will be."""
    told = LEFT.fullmatch(answer.headers["RateLimit"])
    assert told is not None, answer.headers["RateLimit"]
    return told["name"], int(told["left"]), int(told["full_in"])


async def refusals(api: Api) -> dict[tuple[str, str], float]:
    """What was refused so far, by code and limit."""
    async with api.http.get("/metrics") as response:
        families = text_string_to_metric_families(await response.text())
    return {
        (sample.labels["code"], sample.labels["limit"]): sample.value
        for family in families
        for sample in family.samples
        if sample.name == "scoreboard_refused_total"
    }


def limited(**limits: int) -> Settings:
    return Settings(limits=msgspec.structs.replace(NO_LIMITS, **limits))


@pytest.fixture(params=[False, True], ids=["by aiohttp", "shortened"])
async def three(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Api]:
    """A server that takes three requests a minute."""
    async with running(tmp_path, limited(requests_per_minute=3), shortened=request.param) as api:
        yield api


async def test_each_answer_tells_what_is_left_of_the_limit(three: Api) -> None:
    answers = [await three.get("boards") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Policy"] for answer in answers] == ['"address";q=3;w=60'] * 4
    assert [left(answer)[:2] for answer in answers] == [("address", number) for number in (2, 1, 0, 0)]
    assert [left(answer)[2] for answer in answers[:3]] == [20, 40, 60]
    assert left(answers[3])[2] == int(answers[3].headers["Retry-After"])
    assert answers[3].body["quota"] == {"name": "address", "count": 3, "window_s": 60}


async def test_without_a_limit_nothing_is_told(tmp_path: Path) -> None:
    async with running(tmp_path, limited()) as api:
        assert "RateLimit" not in (await api.get("boards")).headers


async def test_a_costly_operation_tells_its_own_limit(tmp_path: Path) -> None:
    async with running(tmp_path, limited(requests_per_minute=100, registrations_per_hour=2)) as api:
        answer = await api.post("auth/register", {"username": "ada", "password": "correct horse"})
        assert answer.headers["RateLimit-Policy"] == '"register";q=2;w=3600'
        assert left(answer)[:2] == ("register", 1)


async def test_an_api_key_is_told_of_its_own_budget(tmp_path: Path) -> None:
    async with running(tmp_path, limited(requests_per_minute=100, key_requests_per_minute=7)) as api:
        key = api.of(f"Key {(tmp_path / 'admin.key').read_text().strip()}")
        answers = [await key.get("admin/keys") for _ in range(2)]  # a key never seen before counts as its address
        assert [left(answer)[:2] for answer in answers] == [("address", 99), ("key", 6)]


async def test_a_player_who_scores_too_often_hears_the_limit_on_both_transports(tmp_path: Path) -> None:
    async with running(tmp_path, limited(player_writes_per_minute=2)) as api:
        joined = (await api.post("auth/register", {"username": "ada", "password": "correct horse"})).body
        ada = api.of(f"Bearer {joined['access_token']}")
        answers = [await ada.score(1) for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 429]
        quota = {"name": "player", "count": 2, "window_s": 60}
        assert answers[2].body["quota"] == quota
        assert answers[2].headers["RateLimit-Policy"] == '"player";q=2;w=60'

        line = Line(await api.http.ws_connect("/ws"), "json")
        await line.sign_in(joined["access_token"])
        token = await ada.token()
        refused = await line.ask("score", id=1, board="main", action_token=token, score=1)
        assert (refused["code"], refused["quota"]) == ("rate_limited", quota)
        assert 0 < refused["retry_after_ms"] <= 30_001
        assert await refusals(api) == {("rate_limited", "player"): 2}


async def test_too_many_messages_are_told_with_their_limit(tmp_path: Path) -> None:
    async with running(tmp_path, limited(messages_per_minute=2)) as api:
        line = Line(await api.http.ws_connect("/ws"), "json")
        await line.sign_in(None)
        await line.ask("boards", id=1)
        refused = await line.ask("boards", id=2)
        assert refused["quota"] == {"name": "messages", "count": 2, "window_s": 60}


async def test_wrong_passwords_are_refused_on_both_transports_together(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        await api.registered("ada")
        guess: dict[str, Any] = {"username": "ada", "password": "wrong horse"}
        assert [(await api.post("auth/login", guess)).status for _ in range(3)] == [401] * 3
        line = Line(await api.http.ws_connect("/ws"), "json")
        codes = [(await line.ask("login", id=number, **guess))["code"] for number in range(3)]
        assert codes == ["unauthenticated", "unauthenticated", "rate_limited"]
        refused = await api.post("auth/login", guess)
        assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "rate_limited", "1")


async def test_a_flood_of_guesses_from_everywhere_is_refused_and_scores_are_taken(tmp_path: Path) -> None:
    settings = Settings(
        limits=NO_LIMITS,
        server=ServerSettings(trusted_proxies=("127.0.0.0/8",)),
        security=SecuritySettings(password_queue=4),
    )
    async with running(tmp_path, settings) as api:
        ada, _ = await api.registered("ada")

        async def guess(number: int) -> int:
            body = {"username": f"player{number % 7}", "password": "wrong horse"}
            return (await api.post("auth/login", body, X_Forwarded_For=f"10.0.0.{number}")).status

        flood = asyncio.gather(*(guess(number) for number in range(100)))
        scores = [(await ada.score(1)).status for _ in range(20)]
        statuses = await flood
        assert scores == [200] * 20
        assert set(statuses) <= {401, 429, 503}
        assert statuses.count(401) < 50
        told = await refusals(api)
        assert told[("overloaded", "")] + told.get(("rate_limited", ""), 0) == 100 - statuses.count(401)
        owner = {"username": "ada", "password": "correct horse"}
        assert (await api.post("auth/login", owner, X_Forwarded_For="10.0.0.200")).status == 200


# Too much at once


@pytest.fixture
async def narrow(tmp_path: Path) -> AsyncIterator[Api]:
    """A server that works on one request, and one submission, at a time."""
    async with running(tmp_path, limited(concurrent_requests=1)) as api:
        yield api


def limits_of(api: Api) -> Limits:
    app = api.http.app
    assert app is not None
    return app[CONTEXT].limits


async def test_one_more_than_may_be_under_way_is_refused_at_once_and_a_later_one_is_not(narrow: Api) -> None:
    limits_of(narrow).begin(kind=False)
    refused = await narrow.get("boards")
    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (503, "overloaded", "1")
    assert (await narrow.get("/healthz")).status == 200
    line = Line(await narrow.http.ws_connect("/ws"), "json")
    await line.sign_in(None)
    told = await line.ask("boards", id=1)
    assert (told["code"], told["temporary"], told["retry_after_ms"]) == ("overloaded", True, 1001)
    assert await refusals(narrow) == {("overloaded", ""): 2}
    limits_of(narrow).end(kind=False)
    assert (await narrow.get("boards")).status == 200


async def test_submissions_have_room_of_their_own(narrow: Api) -> None:
    ada, _ = await narrow.registered("ada")
    token = await ada.token()
    limits_of(narrow).begin(kind=False)
    assert (await ada.score(5, token)).status == 200
    limits_of(narrow).end(kind=False)
    token = await ada.token()
    limits_of(narrow).begin(kind=True)
    assert (await ada.score(5, token)).code == "overloaded"
    assert (await narrow.get("boards/main/top")).status == 200
    limits_of(narrow).end(kind=True)
    assert (await ada.score(5, token)).status == 200


async def test_whatever_becomes_of_a_request_its_place_is_free_again(narrow: Api) -> None:
    for path in ("boards/nope", "me", "boards/main/top?limit=x", "boards"):
        await narrow.get(path)
    assert (await narrow.get("boards")).status == 200


async def test_a_body_that_comes_slowly_takes_no_place(narrow: Api) -> None:
    server = narrow.http.server
    _, slow = await asyncio.open_connection("127.0.0.1", server.port)
    slow.write(
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
    )
    await slow.drain()
    assert [(await narrow.get("boards")).status for _ in range(5)] == [200] * 5
    slow.close()


async def test_a_connection_rests_after_it_was_refused_for_want_of_room(narrow: Api) -> None:
    limits_of(narrow).begin(kind=False)
    reader, writer = await asyncio.open_connection("127.0.0.1", narrow.http.server.port)
    writer.write(b"GET /api/v1/boards HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
    heard_at = [await refused_at(reader) for _ in range(2)]
    assert heard_at[1] - heard_at[0] >= REST_S * 0.9
    writer.close()


async def refused_at(reader: asyncio.StreamReader) -> float:
    """Read a refusal; when it came."""
    head = await reader.readuntil(b"\r\n\r\n")
    heard_at = asyncio.get_running_loop().time()
    assert head.startswith(b"HTTP/1.1 503")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length is not None
    await reader.readexactly(int(length[1]))
    return heard_at


def test_a_place_is_for_one_at_a_time() -> None:
    limits = Limits(LimitSettings(concurrent_requests=2), ManualClock())
    for _ in range(2):
        limits.begin("reads")
    with pytest.raises(Overloaded) as refused:
        limits.begin("reads")
    assert refused.value.retry_after_s == 1
    limits.begin("writes")
    limits.end("reads")
    limits.begin("reads")
