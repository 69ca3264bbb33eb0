"""The rules on the way of every submission, over REST, WebSocket and in batches, in both modes."""

import ast
import random
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestServer

import scoreboard
from scoreboard.anticheat import VERSION
from scoreboard.anticheat.physics import MAX_IN_STORE
from scoreboard.api import rest
from scoreboard.api.call import Call
from scoreboard.api.context import CONTEXT
from scoreboard.api.middleware import authenticate, guard, handle, run
from scoreboard.api.operations import OPERATIONS
from scoreboard.config import Settings
from scoreboard.model import ActionRule, BoardSettings
from scoreboard.wire import Batch, BatchItem, ScoreUpdate
from tests.api.app import Api, backend, running
from tests.api.modes import settings
from tests.api.sockets import Line

__all__ = ["settings"]

PACKAGE = Path(scoreboard.__file__).parent


@pytest.fixture
async def api(settings: Settings, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(tmp_path, settings) as api:
        yield api


async def test_tokens_from_a_store_are_held_by_rest_and_by_websocket(api: Api, tmp_path: Path) -> None:
    answer = await api.post("auth/register", {"username": "ada", "password": "correct horse"})
    ada = api.of(f"Bearer {answer.body['access_token']}")
    store = [await ada.token() for _ in range(MAX_IN_STORE + 2)]
    socket = Line(await api.http.ws_connect("/ws"), "json")
    await socket.sign_in(answer.body["access_token"])
    for number, token in enumerate(store[:MAX_IN_STORE]):
        if number % 2:
            said = await socket.ask("score", board="main", action_token=token, score=1)
        else:
            said = (await ada.score(1, token)).body
        assert said["status"] == "accepted", said
    rest, live = store[MAX_IN_STORE:]
    assert (await ada.score(1, rest)).status == 202
    assert (await socket.ask("score", board="main", action_token=live, score=1))["status"] == "held"
    assert (await ada.score(1)).status == 200
    assert await api.rows() == [(1, "ada", MAX_IN_STORE + 1)]
    async with api.http.get("/metrics") as response:
        counted = 'scoreboard_rule_objections_total{enforcement="hold",rule="too_fast"} 2.0'
        assert counted in await response.text()
    reviews = (await backend(api, tmp_path).get("admin/reviews")).body["reviews"]
    assert len(reviews) == 2
    for review in reviews:
        (evidence,) = review["evidence"]
        assert (evidence["rule"], evidence["enforcement"], evidence["version"]) == ("too_fast", "hold", VERSION)
        assert evidence["facts"]["used_meanwhile"] >= MAX_IN_STORE


async def test_an_item_far_beyond_all_others_is_held_and_one_that_is_imported_is_not(api: Api, tmp_path: Path) -> None:
    chance, key = random.Random(1), backend(api, tmp_path)
    usual = [
        {"player_id": f"x:{number % 30}", "board": "main", "score": chance.randint(50, 150)} for number in range(999)
    ]
    for beyond, status in ((usual[0], "accepted"), ({"player_id": "x:1", "board": "main", "score": 10**6}, "held")):
        answer = await key.post("scores/batch", {"items": [*usual, beyond]})
        assert {item["status"] for item in answer.body["items"][:-1]} == {"accepted"}
        assert answer.body["items"][-1]["status"] == status
    imported = {"player_id": "x:2", "board": "main", "score": 10**6, "at": "2026-01-01T00:00:00Z"}
    answer = await key.post("scores/batch", {"items": [imported]})
    assert answer.body["items"][0]["status"] == "accepted"


async def test_a_board_does_not_tell_what_it_does_to_cheats(api: Api, tmp_path: Path) -> None:
    board = BoardSettings(actions={"run": ActionRule(max_score=9, max_per_minute=99, rules={"metronome": "off"})})
    path = "admin/boards/strict"
    answer = await backend(api, tmp_path).call("PUT", path, msgspec.to_builtins(board))
    assert answer.status == 200, answer
    shown = (await api.get("boards/strict")).body
    assert "rules" not in shown
    assert shown["actions"]["run"] == {
        "max_score": 9,
        "max_per_minute": 99,
        "min_duration_ms": 0,
        "min_interval_ms": 0,
        "ttl_s": 600,
    }


def test_exactly_the_operations_that_carry_submissions_are_guarded() -> None:
    carriers = {operation.name for operation in OPERATIONS if operation.input in (ScoreUpdate, Batch)}
    assert carriers == {operation.name for operation in OPERATIONS if operation.guarded} == {"score", "batch"}


@pytest.mark.parametrize("handler", [handle, *rest._steps.values()])
def test_every_way_to_an_operation_leads_past_the_guard_once_it_is_known_who_calls(handler: Any) -> None:
    steps = list(chained(handler))
    assert steps.index(authenticate) < steps.index(guard) == len(steps) - 2
    assert steps.count(guard) == 1


async def test_on_rest_the_guard_is_part_of_a_middleware_of_the_application(api: Api) -> None:
    assert isinstance(api.http.server, TestServer)
    assert rest.operate in api.http.server.app.middlewares


def chained(handler: Any) -> Iterator[Any]:
    """The middlewares of a chain, and what it ends with."""
    while isinstance(handler, partial):
        yield handler.func
        handler = handler.keywords["handler"]
    yield handler


async def test_an_operation_that_got_past_the_guard_would_have_nothing_to_commit(api: Api) -> None:
    assert isinstance(api.http.server, TestServer)
    context = api.http.server.app[CONTEXT]
    item = BatchItem(player_id="x:1", board="main", score=5)
    claims: dict[str, Any] = {
        "score": ScoreUpdate(board="main", action_token="t", score=5),
        "batch": Batch(items=(item,)),
    }
    for operation in (operation for operation in OPERATIONS if operation.guarded):
        with pytest.raises(ValueError, match=r"not enough values|shorter"):
            await run(Call(context, operation, "rest", input=claims[operation.name]))
    assert await api.rows() == []


def test_only_the_judge_makes_what_is_committed_and_only_the_commit_writes_it() -> None:
    assert callers("Judged") == {"submissions/judge.py"}
    assert callers("_pipeline.put") == {"submissions/__init__.py"}
    assert callers("_storage.commit") == {"pipeline/commit.py"}


def callers(function: str) -> set[str]:
    """The modules of the package that call something of this name, as `name(...)` or `anything.name(...)`."""
    return {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and f".{ast.unparse(node.func)}".endswith(f".{function}")
    }
