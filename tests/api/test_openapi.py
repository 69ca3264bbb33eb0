"""`/openapi.json`, and that it is true."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from scoreboard.api.operations import OPERATIONS
from tests.api import described
from tests.api.app import Api, backend

PREFIX = "/api/v1/"


async def test_it_is_an_openapi_document_that_is_asked_for_once(api: Api) -> None:
    answer = await api.get("/openapi.json")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    OpenAPIV31SpecValidator(answer.body).validate()
    again = await api.get("/openapi.json", If_None_Match=answer.headers["Etag"])
    assert (again.status, again.body) == (304, None)


async def test_it_has_every_route_of_the_server_and_no_other(api: Api) -> None:
    document = (await api.get("/openapi.json")).body
    paths = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert api.http.app is not None
    routes = {
        (route.method, route.resource.canonical)
        for route in api.http.app.router.routes()
        if route.resource is not None and route.resource.canonical.startswith(PREFIX) and route.method != "HEAD"
    }
    assert paths == routes


def test_every_operation_is_described_in_a_sentence() -> None:
    document = described.document()
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"].endswith(".")
            assert "\n" not in operation["summary"]


def test_every_example_is_one() -> None:
    components = described.document()["components"]
    for schema in _schemas(described.document()):
        for example in schema.get("examples", ()):
            Draft202012Validator({**schema, "components": components}).validate(example)


def test_who_may_call_is_told() -> None:
    operations = {
        operation["operationId"]: operation["security"]
        for methods in described.document()["paths"].values()
        for operation in methods.values()
    }
    assert operations["login"] == []
    assert operations["top"] == [{}, {"bearer": []}, {"key": []}]
    assert operations["score"] == [{"bearer": []}]
    assert operations["batch"] == [{"key": ["write"]}]
    assert operations["reviews"] == [{"key": ["moderate"]}, {"bearer": ["moderator", "admin"]}]


def test_every_message_of_the_socket_is_told() -> None:
    live = described.document()["x-websocket"]
    to_server = {message["type"] for message in live["toServer"]}
    assert {operation.name for operation in OPERATIONS if operation.websocket} < to_server
    assert {"auth", "subscribe", "unsubscribe", "activity", "ping", "pong"} < to_server
    assert {"result", "error", "auth.ok", "snapshot", "delta", "bye"} < {each["type"] for each in live["fromServer"]}


async def test_every_operation_answers_as_it_is_described(api: Api, tmp_path: Path) -> None:
    described.seen.clear()
    key = backend(api, tmp_path)
    await _boards(api, key)
    player, player_id = await api.registered("ada")
    await _scores(player, key, player_id)
    await _reviews(player, key)
    await _officials(api, key, tmp_path, player_id)
    await _webhooks(key)
    await _accounts(api, player, key)
    for operation in OPERATIONS:
        assert operation.status in described.seen[operation.name], operation.name
    assert {202, 403, 409} <= described.seen["score"]
    assert {200, 304, 404} <= described.seen["top"]


def test_an_answer_that_is_not_described_is_noticed() -> None:
    page = {"board": "main", "window": "all", "period": "all", "epoch": 1, "version": 1, "total": 0, "rows": []}
    headers = {"Content-Type": "application/json"}
    path = f"{PREFIX}boards/main/top"
    described.check("GET", path, 200, headers, {**page, "stale": False})
    for wrong in (page, {**page, "stale": 1}, {**page, "stale": False, "more": 1}):
        with pytest.raises(AssertionError):
            described.check("GET", path, 200, headers, wrong)
    with pytest.raises(AssertionError):
        described.check("GET", path, 409, headers, page)


async def _boards(api: Api, key: Api) -> None:
    settings = {"operator": "sum", "tiebreakers": [{"name": "penalty"}], "windows": ["all", "week"], "public": False}
    settings |= {"seasons": {"spring": {"start": "2027-03-01T00:00:00Z", "end": "2027-06-01T00:00:00Z"}}}
    for board in ("laps", "gone"):
        await key.call("PUT", f"admin/boards/{board}", settings)
    await key.call("DELETE", "admin/boards/gone")
    for path in ("boards", "boards/main", "boards/laps", "boards/main/periods", "boards/nowhere"):
        await api.get(path)
        await key.get(path)
    for at in ("2099-01-01T00:00:00Z", None):
        await key.post("admin/boards/main/freeze", {"at": at})
        for path in ("boards", "boards/main", "boards/main/top", "boards/main/standings"):
            await api.get(path)
        await key.post("admin/boards/main/reveal")


async def _scores(player: Api, key: Api, player_id: str) -> None:
    token = await player.token()
    await player.score(25, token)
    await player.score(25, token)
    await player.score(25, "forged")
    items: list[dict[str, Any]] = [
        {"id": f"evt-{n}", "player_id": f"x:{n}", "board": "laps", "score": n, "tiebreakers": [n]} for n in range(9)
    ]
    await key.post("scores/batch", {"items": [*items, {**items[0], "board": "nowhere"}, {**items[0], "score": 7}]})
    for board, one in (("main", player_id), ("laps", "x:3"), ("laps", "x:nobody"), ("nowhere", "x:3")):
        top = await key.get(f"boards/{board}/top")
        await key.get(f"boards/{board}/top", If_None_Match=top.headers.get("Etag", ""))
        await key.get(f"boards/{board}/standings?limit=3")
        await key.get(f"boards/{board}/around/{one}?k=1")
        await key.get(f"boards/{board}/players/{one}")
        await key.get(f"boards/{board}/players/{one}/history")
        await key.get(f"boards/{board}/export?format=json")
        await key.get(f"boards/{board}/export")
        await key.post(f"boards/{board}/ranks", {"players": [one, "x:nobody"]})
    [counted] = (await player.get(f"boards/main/players/{player_id}/history")).body["submissions"]
    await key.post(f"admin/submissions/{counted['submission_id']}/void", {"reason": "a test"})


async def _reviews(player: Api, key: Api) -> None:
    held = [(await player.score(900)).body["submission_id"] for _ in range(3)]
    await key.get("admin/reviews")
    await key.get(f"admin/reviews/{held[0]}")
    await key.post(f"admin/reviews/{held[0]}/claim", {})
    await key.post(f"admin/reviews/{held[0]}/notes", {"text": "Asked for a video."})
    await key.call("DELETE", f"admin/reviews/{held[0]}/claim")
    await key.post(f"admin/reviews/{held[0]}/approve", {})
    await key.post(f"admin/reviews/{held[0]}/approve", {})
    await key.post(f"admin/reviews/{held[1]}/reject", {"reason": "a test"})
    await key.post("admin/reviews/decide", {"submission_ids": held, "decision": "reject"})


async def _officials(api: Api, key: Api, folder: Path, player_id: str) -> None:
    _, other_id = await api.registered("grace")
    for path in ("players", f"players/{player_id}", "players/p_nobody", "connections", "overview", "audit", "keys"):
        await key.get(f"admin/{path}")
        await api.get(f"admin/{path}")
    for act in ("hide", "lift", "ban", "lift"):
        await key.post(f"admin/players/{other_id}/{act}", {})
    await key.post(f"admin/players/{other_id}/role", {"role": "moderator"})
    await key.call("DELETE", f"admin/players/{other_id}")
    made = await key.post("admin/keys", {"name": "game server", "scopes": ["write"]})
    await key.call("DELETE", f"admin/keys/{made.body['id']}")


async def _webhooks(key: Api) -> None:
    settings = {"url": "http://127.0.0.1:9/", "events": ["period.finalized"], "board": "main"}
    made = await key.post("admin/webhooks", settings)
    for bad in ({}, {**settings, "board": "nowhere"}):
        await key.post("admin/webhooks", bad)
    one = f"admin/webhooks/{made.body['id']}"
    await key.post(f"{one}/test")
    await key.post(f"{one}/secret")
    await key.call("PUT", one, {**settings, "enabled": False})
    await key.post(f"{one}/test")
    await key.get("admin/webhooks")
    await key.get(f"{one}/deliveries")
    await key.call("DELETE", one)
    await key.call("DELETE", one)


async def _accounts(api: Api, player: Api, key: Api) -> None:
    await api.post("auth/register", {"username": "ada", "password": "correct horse"})
    await api.post("auth/login", {"username": "ada", "password": "wrong horse"})
    signed_in = (await api.post("auth/login", {"username": "ada", "password": "correct horse"})).body
    await api.post("auth/refresh", {"refresh_token": signed_in["refresh_token"]})
    await api.post("auth/refresh", {"refresh_token": "forged"})
    await key.post("auth/exchange", {"player_id": "steam:7656", "name": "Ada"})
    await player.get("me")
    await player.get("me/sessions")
    await api.get("me")
    await player.post("auth/password", {"password": "correct horse", "new_password": "battery staple"})
    await player.post("auth/logout")
    await player.get("me")
    for end in (("POST", "auth/logout-all"), ("DELETE", "me")):
        answer = await api.post("auth/login", {"username": "ada", "password": "battery staple"})
        await api.of(f"Bearer {answer.body['access_token']}").call(*end)


def _schemas(part: Any) -> list[dict[str, Any]]:
    if isinstance(part, list):
        return [schema for each in part for schema in _schemas(each)]
    if not isinstance(part, dict):
        return []
    return [part, *(schema for each in part.values() for schema in _schemas(each))]
