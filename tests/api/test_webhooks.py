"""Webhooks as a game backend meets them, in both modes: set up by an admin, told by whichever server comes to it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scoreboard.clock import SECOND, SystemClock, rfc3339
from scoreboard.config import PipelineSettings, Settings
from scoreboard.events import EVENTS
from scoreboard.webhooks import finalizer, sender
from tests.api.app import Api, backend, running
from tests.api.modes import settings, shared_settings
from tests.api.sockets import Line
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer
from tests.webhooks.receiver import Receiver, receiving

__all__ = ["settings"]

UNKNOWN = "admin/webhooks/000000000000"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers whose clocks agree, and who look often."""
    monkeypatch.setattr(finalizer, "SKEW_S", 0)
    for module in (finalizer, sender):
        monkeypatch.setattr(module, "LOOK_EVERY_S", 0.05)


@pytest.fixture
async def api(settings: Settings, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(tmp_path, settings) as api:
        yield api


@pytest.fixture
def key(api: Api, tmp_path: Path) -> Api:
    return backend(api, tmp_path)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def made(key: Api, url: str, **fields: Any) -> dict[str, Any]:
    answer = await key.post("admin/webhooks", {"url": url, "events": list(EVENTS), **fields})
    assert answer.status == 201, answer
    body: dict[str, Any] = answer.body
    return body


async def listed(key: Api) -> list[dict[str, Any]]:
    answer = await key.get("admin/webhooks")
    assert answer.status == 200, answer
    return list(answer.body["webhooks"])


async def test_a_secret_is_shown_once_and_what_is_done_is_in_the_trail(key: Api, receiver: Receiver) -> None:
    one = await made(key, receiver.url, events=["player.banned", "submission.held", "player.banned"], board="main")
    assert one.pop("secret").startswith("whsec_")
    assert one["events"] == ["player.banned", "submission.held"]
    assert await listed(key) == [one]
    changed = {"url": receiver.url, "events": ["submission.held"], "enabled": False}
    answer = await key.call("PUT", f"admin/webhooks/{one['id']}", changed)
    assert answer.body == {**one, "events": ["submission.held"], "board": None, "enabled": False}
    rotated = await key.post(f"admin/webhooks/{one['id']}/secret")
    assert rotated.body.pop("secret").startswith("whsec_")
    assert await listed(key) == [rotated.body] == [answer.body]
    assert (await key.call("DELETE", f"admin/webhooks/{one['id']}")).status == 204
    assert await listed(key) == []
    trail = (await key.get("admin/audit?act=webhook")).body["entries"]
    acts = ["webhook.create", "webhook.change", "webhook.rotate", "webhook.delete"]
    assert [entry["act"] for entry in reversed(trail)] == acts
    assert {entry["subject"] for entry in trail} == {one["id"]}
    assert "whsec_" not in str(trail)
    assert "path-that-is-a-secret" not in str(trail)


async def test_only_admins_and_keys_with_the_scope_may(api: Api, key: Api, receiver: Receiver) -> None:
    one = await made(key, receiver.url)
    player, _ = await api.registered("ada")
    scoped = await key.post("admin/keys", {"name": "game", "scopes": ["write", "moderate", "exchange", "import"]})
    for caller, status in ((api, 401), (player, 403), (api.of(f"Key {scoped.body['key']}"), 403)):
        assert (await caller.get("admin/webhooks")).status == status
        assert (await caller.post("admin/webhooks", {"url": receiver.url, "events": list(EVENTS)})).status == status
        assert (await caller.post(f"admin/webhooks/{one['id']}/secret")).status == status
        assert (await caller.call("DELETE", f"admin/webhooks/{one['id']}")).status == status
    assert len(await listed(key)) == 1


@pytest.mark.parametrize("wrong", [
    {"url": ""},
    {"url": "game.example"},
    {"url": "ftp://game.example/"},
    {"url": "file:///etc/passwd"},
    {"url": "http://"},
    {"url": "http://:80/"},
    {"url": "http://game.example:99999/"},
    {"url": "http://[::1/"},
    {"url": "https://ada:horse@game.example/"},
    {"url": "https://game.example/#part"},
    {"url": "https://game.example/\n"},
    {"url": "https://game.example/ x"},
    {"url": "https://game.example/" + "x" * 2048},
    {"url": 5},
    {"events": []},
    {"events": ["score.accepted"]},
    {"events": ["webhook.test"]},
    {"events": "player.banned"},
    {"board": "nowhere"},
    {"board": "no board's id"},
    {"secret": "whsec_mine"},
])  # fmt: skip
async def test_bad_input_changes_nothing(key: Api, receiver: Receiver, wrong: dict[str, Any]) -> None:
    one = await made(key, receiver.url)
    del one["secret"]
    body = {"url": receiver.url, "events": list(EVENTS), **wrong}
    status = 404 if wrong == {"board": "nowhere"} else 400
    for method, path in (("POST", "admin/webhooks"), ("PUT", f"admin/webhooks/{one['id']}")):
        assert (await key.call(method, path, body)).status == status
    assert await listed(key) == [one]


async def test_one_whose_board_was_deleted_may_be_switched_off(key: Api, receiver: Receiver) -> None:
    await key.call("PUT", "admin/boards/cup", {})
    one = await made(key, receiver.url, board="cup")
    assert (await key.call("DELETE", "admin/boards/cup")).status == 204
    for enabled, status in ((False, 200), (True, 404)):
        body = {"url": receiver.url, "events": list(EVENTS), "board": "cup", "enabled": enabled}
        assert (await key.call("PUT", f"admin/webhooks/{one['id']}", body)).status == status
    assert [each["enabled"] for each in await listed(key)] == [False]


async def test_one_that_is_unknown_is_not_found(key: Api) -> None:
    body = {"url": "http://127.0.0.1:9/", "events": list(EVENTS)}
    assert (await key.call("PUT", UNKNOWN, body)).status == 404
    for method, path in (("POST", "test"), ("POST", "secret"), ("GET", "deliveries")):
        assert (await key.call(method, f"{UNKNOWN}/{path}")).status == 404
    assert (await key.call("DELETE", UNKNOWN)).status == 404


async def test_a_moderated_score_is_told_step_by_step(api: Api, key: Api, receiver: Receiver) -> None:
    secret = (await made(key, receiver.url))["secret"]
    ada, ada_id = await api.registered("ada")
    held = (await ada.score(900)).body["submission_id"]
    message = await receiver.message()
    assert message.is_signed_by(secret)
    [stored] = (await ada.get(f"boards/main/players/{ada_id}/history")).body["submissions"]
    told = {"submission_id": held, "board": "main", "player_id": ada_id, "score": 900, "at": stored["at"]}
    assert (message.event, message.data) == ("submission.held", {**told, "by": None})
    await key.post(f"admin/reviews/{held}/approve", {})
    message = await receiver.message()
    by = message.data["by"]
    assert by.startswith("key:")
    assert (message.event, message.data) == ("submission.approved", {**told, "by": by})
    await key.post(f"admin/submissions/{held}/void", {"reason": "a test"})
    message = await receiver.message()
    assert (message.event, message.data) == ("submission.voided", {**told, "by": by})
    rejected = (await ada.score(901)).body["submission_id"]
    await key.post(f"admin/reviews/{rejected}/reject", {"ban": True, "banned_until": "2099-01-01T00:00:00Z"})
    messages = {each.event: each.data for each in [await receiver.message() for _ in range(3)]}
    assert messages["submission.rejected"]["submission_id"] == rejected
    assert messages["player.banned"] == {"player_id": ada_id, "until": "2099-01-01T00:00:00Z", "by": by}
    for act, event in (("lift", "player.lifted"), ("hide", "player.hidden")):
        await key.post(f"admin/players/{ada_id}/{act}", {})
        message = await receiver.message()
        assert (message.event, message.data) == (event, {"player_id": ada_id, "until": None, "by": by})
    await key.call("DELETE", f"admin/players/{ada_id}")
    assert (await receiver.message()).event == "player.erased"
    assert receiver.unseen == 0


async def test_a_test_arrives_and_is_listed(key: Api, receiver: Receiver) -> None:
    one = await made(key, receiver.url)
    path = f"admin/webhooks/{one['id']}"
    receiver.statuses = [500]
    assert (await key.post(f"{path}/test")).status == 204
    first = await receiver.message()
    old, new = one["secret"], (await key.post(f"{path}/secret")).body["secret"]
    assert (await key.post(f"{path}/test")).status == 204
    second = await receiver.message()
    assert (first.is_signed_by(old), first.is_signed_by(new)) == (True, False)
    assert second.is_signed_by(old)
    assert second.is_signed_by(new)
    found = {each["id"]: each for each in (await key.get(f"{path}/deliveries")).body["deliveries"]}
    assert found.keys() == {first.id, second.id}
    assert found[first.id]["event"] == "webhook.test"
    await key.call("PUT", path, {"url": receiver.url, "events": list(EVENTS), "enabled": False})
    assert (await key.post(f"{path}/test")).status == 409


async def test_it_is_all_there_on_a_socket(api: Api, tmp_path: Path) -> None:
    admin = {"username": "admin", "password": (tmp_path / "admin-password").read_text().strip()}
    token = (await api.post("auth/login", admin)).body["access_token"]
    line = Line(await api.http.ws_connect("/ws"), "json")
    await line.sign_in(token)
    made = (await line.ask("new_webhook", url="http://127.0.0.1:9/", events=["period.finalized"]))["value"]
    assert made["secret"].startswith("whsec_")
    assert (await line.ask("webhooks"))["webhooks"][0]["id"] == made["id"]
    assert (await line.ask("delete_webhook", webhook_id=made["id"]))["type"] == "result"


async def ending(api: Api, key: Api, name: str = "cup", players: int = 3) -> None:
    """A board with scores of a season that is about to end."""
    now = SystemClock().now()
    season = {"start": rfc3339(now - SECOND), "end": rfc3339(now + 2 * SECOND)}
    await key.call("PUT", f"admin/boards/{name}", {"windows": ["season"], "seasons": {"season": season}})
    items = [{"player_id": f"x:{n}", "board": name, "score": n, "name": f"Player {n}"} for n in range(players)]
    answer = await key.post("scores/batch", {"items": items})
    assert {item["status"] for item in answer.body["items"]} == {"accepted"}


async def test_the_final_standings_of_a_period_are_told(settings: Settings, tmp_path: Path, receiver: Receiver) -> None:
    settings = msgspec.structs.replace(settings, pipeline=PipelineSettings(commit_timeout_s=0.5))
    async with running(tmp_path, settings) as api:
        key = backend(api, tmp_path)
        secret = (await made(key, receiver.url, events=["period.finalized"]))["secret"]
        await ending(api, key, players=120)
        message = await receiver.message()
    assert message.is_signed_by(secret)
    assert (message.event, message.data["board"], message.data["window"], message.data["period"]) == (
        "period.finalized",
        "cup",
        "season",
        "season",
    )
    assert message.data["total"] == 120
    assert [(row["rank"], row["name"], row["score"]) for row in message.data["rows"]] == [
        (rank, f"Player {120 - rank}", 120 - rank) for rank in range(1, 101)
    ]


async def test_replicas_tell_once(
    tmp_path: Path, receiver: Receiver, postgres_server: PostgresServer, redis_server: RedisServer
) -> None:
    shared = shared_settings(tmp_path, postgres_server, redis_server)
    shared = msgspec.structs.replace(shared, pipeline=PipelineSettings(commit_timeout_s=0.5))
    async with AsyncExitStack() as servers:
        apis = [await servers.enter_async_context(running(tmp_path / name, shared)) for name in ("one", "two", "three")]
        key = backend(apis[0], tmp_path / "one")
        await made(key, receiver.url)
        await ending(apis[0], key)
        ada, _ = await apis[1].registered("ada")
        held = [(await ada.score(900 + n)).body["submission_id"] for n in range(5)]
        messages = [await receiver.message() for _ in range(6)]
        # What is held now is told last.
        last = (await ada.score(999)).body["submission_id"]
        messages.append(await receiver.message())
    assert messages[-1].data["submission_id"] == last
    assert sorted(each.event for each in messages) == ["period.finalized", *["submission.held"] * 6]
    assert {each.data["submission_id"] for each in messages if "submission_id" in each.data} == {*held, last}
    assert len(set(receiver.ids)) == len(receiver.ids) == 7
