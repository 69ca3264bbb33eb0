"""The application as a whole: health, mounting, proxies, cross-origin pages and errors."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from scoreboard import create_app
from scoreboard.api import health, operations
from scoreboard.app.state import STORAGE
from scoreboard.clock import SECOND, ManualClock
from scoreboard.config import DataSettings, ServerSettings, Settings
from tests.api.app import NO_LIMITS, Answer, Api, running

JSON = {"Content-Type": "application/json"}


async def test_a_running_server_is_alive_and_ready(api: Api) -> None:
    assert (await api.get("/healthz")).status == 200
    ready = await api.get("/readyz")
    assert (ready.status, ready.body["status"]) == (200, "ready")


async def test_metrics_count_submissions_sockets_and_faults(api: Api) -> None:
    ada, _ = await api.registered("ada")
    for score in (5, 101):
        await ada.score(score)
    async with api.http.ws_connect("/ws") as socket:
        await socket.send_json({"type": "auth"})
        await socket.receive_json()
        async with api.http.get("/metrics") as answer:
            text = await answer.text()
    assert 'scoreboard_submissions_total{status="accepted"} 1.0' in text
    assert 'scoreboard_submissions_total{status="held"} 1.0' in text
    assert "scoreboard_sockets 1.0" in text
    assert "scoreboard_internal_errors_total 0.0" in text


async def test_requests_leave_nothing_to_the_garbage_collector(api: Api) -> None:
    ada, _ = await api.registered("ada")
    calls: tuple[Callable[[], Awaitable[Answer]], ...] = (
        lambda: api.get("boards/main/top"),
        lambda: ada.score(1),
        lambda: api.get("boards/nope/top"),
    )
    for call in calls:
        await call()
        gc.collect()
        gc.disable()
        try:
            for _ in range(10):
                await call()
            assert gc.collect() < 10
        finally:
            gc.enable()


async def test_a_server_that_goes_down_is_not_ready_but_alive(api: Api) -> None:
    api.http.app[health.READINESS].open = False
    assert (await api.get("/readyz")).status == 503
    assert (await api.get("/healthz")).status == 200


async def test_the_database_is_asked_once_a_second_however_many_want_to_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, pings = ManualClock(), list[int]()
    app = create_app(Settings(limits=NO_LIMITS, data=DataSettings(dir=str(tmp_path))), clock)
    async with TestClient(TestServer(app)) as http:
        ping = app[STORAGE].ping

        async def counted() -> None:
            pings.append(clock.now())
            await ping()

        monkeypatch.setattr(app[STORAGE], "ping", counted)
        for _ in range(2):
            answers = await asyncio.gather(*(http.get("/readyz") for _ in range(10)))
            assert {answer.status for answer in answers} == {200}
            clock.advance(SECOND)
    assert len(pings) == 2


async def test_it_can_be_mounted_in_another_application(tmp_path: Path) -> None:
    outer = web.Application(client_max_size=10)
    outer.add_subapp("/game/", create_app(Settings(limits=NO_LIMITS, data=DataSettings(dir=str(tmp_path)))))
    async with TestClient(TestServer(outer)) as http:
        body = {"username": "ada", "password": "correct horse"}
        async with http.post("/game/api/v1/auth/register", json=body) as answer:
            assert answer.status == 201
        async with http.get("/game/readyz") as answer:
            assert answer.status == 200


async def test_an_address_without_anything_is_a_problem_too(api: Api) -> None:
    missing = await api.get("nothing/here")
    assert (missing.status, missing.code) == (404, "not_found")
    assert missing.headers["Content-Type"] == "application/problem+json"
    assert missing.headers["X-Request-ID"] == missing.body["request_id"]


async def test_another_method_is_refused_as_such(api: Api) -> None:
    answer = await api.call("PATCH", "me/sessions")
    assert (answer.status, answer.code) == (405, "bad_request")
    assert answer.headers["Allow"] == "GET,HEAD"


async def test_the_head_of_what_can_be_read_can_be_asked_for(api: Api) -> None:
    async with api.http.head("/api/v1/boards/main/top") as answer:
        assert answer.status == 200
        assert "ETag" in answer.headers


async def test_a_body_must_be_declared_as_json(api: Api) -> None:
    async with api.http.post("/api/v1/auth/login", data=b"{}", headers={"Content-Type": "text/plain"}) as answer:
        assert answer.status == 400


async def test_a_body_over_the_cap_is_refused_whether_or_not_it_says_so(api: Api) -> None:
    async def chunks() -> object:
        for _ in range(10):
            yield b" " * 10_000

    for data in (b" " * 70_000, chunks()):
        async with api.http.post("/api/v1/auth/login", data=data, headers=JSON) as answer:
            assert answer.status == 413
            assert msgspec.json.decode(await answer.read())["code"] == "too_large"


async def test_a_defect_is_logged_and_the_client_hears_nothing_of_it(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(operations.OPERATIONS[0].input, "__post_init__", fail, raising=False)
    monkeypatch.setattr("scoreboard.leaderboard.board_out", fail)
    answer = await api.get("boards/main")
    assert (answer.status, answer.code) == (500, "internal_error")
    assert "secret" not in str(answer.body)
    assert answer.body["request_id"] in caplog.text
    assert "the secret inside" in caplog.text


async def test_a_page_of_a_listed_origin_may_call(tmp_path: Path) -> None:
    server = ServerSettings(cors_origins=("https://game.example",))
    async with running(tmp_path, Settings(limits=NO_LIMITS, server=server)) as api:
        allowed = await api.get("boards", Origin="https://game.example")
        other = await api.get("boards", Origin="https://evil.example")
        assert allowed.headers["Access-Control-Allow-Origin"] == "https://game.example"
        assert "Access-Control-Allow-Origin" not in other.headers
        streamed = await api.get("boards/main/export", Origin="https://game.example")
        assert streamed.headers["Access-Control-Allow-Origin"] == "https://game.example"
        assert "Content-Disposition" in streamed.headers["Access-Control-Expose-Headers"]
        asked = {"Origin": "https://game.example", "Access_Control_Request_Method": "POST"}
        preflight = await api.call("OPTIONS", "scores/update", **asked)
        assert preflight.status == 204
        assert "POST" in preflight.headers["Access-Control-Allow-Methods"]


async def test_an_origin_that_is_none_is_not_repeated_even_where_any_may_call(tmp_path: Path) -> None:
    server = ServerSettings(cors_origins=("*",))
    async with running(tmp_path, Settings(limits=NO_LIMITS, server=server)) as api:
        assert (await api.get("boards", Origin="null")).headers["Access-Control-Allow-Origin"] == "null"
        strange = await api.get("boards", Origin="https://\u00e9.example")
        assert strange.status == 200
        assert "Access-Control-Allow-Origin" not in strange.headers


async def test_only_a_listed_proxy_may_say_where_a_request_came_from(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(NO_LIMITS, requests_per_minute=1)
    for trusted, expected in (((), [200, 429]), (("127.0.0.0/8",), [200, 200])):
        server = ServerSettings(trusted_proxies=trusted)
        async with running(tmp_path, Settings(limits=limits, server=server)) as api:
            answers = [await api.get("boards", X_Forwarded_For=f"10.9.9.9, 10.0.0.{host}") for host in (1, 2)]
            assert [answer.status for answer in answers] == expected


async def test_a_proxy_that_sends_nonsense_for_an_address_is_told_so(tmp_path: Path) -> None:
    server = ServerSettings(trusted_proxies=("127.0.0.0/8",))
    async with running(tmp_path, Settings(limits=NO_LIMITS, server=server)) as api:
        assert (await api.get("boards", X_Forwarded_For="unknown")).code == "bad_request"


async def test_what_a_client_puts_before_the_proxys_entry_is_not_believed(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(NO_LIMITS, requests_per_minute=1)
    server = ServerSettings(trusted_proxies=("127.0.0.0/8",))
    async with running(tmp_path, Settings(limits=limits, server=server)) as api:
        answers = [await api.get("boards", X_Forwarded_For=f"10.0.0.{host}, 10.9.9.9") for host in (1, 2)]
        assert [answer.status for answer in answers] == [200, 429]


def test_every_operation_that_people_may_do_is_a_websocket_message() -> None:
    for operation in operations.OPERATIONS:
        for_backends_only = operation.access in {"exchange", "write", "import"}
        is_a_file = operation.name == "export"
        assert operation.websocket == (not for_backends_only and not is_a_file), operation.name


def test_operations_have_names_and_routes_of_their_own() -> None:
    names = [operation.name for operation in operations.OPERATIONS]
    routes = [(operation.method, operation.path) for operation in operations.OPERATIONS]
    assert len(set(names)) == len(names)
    assert len(set(routes)) == len(routes)
