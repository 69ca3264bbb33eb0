"""What admins may ask for where it matters: in production, and too much of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from scoreboard.clock import ManualClock
from scoreboard.config import ServerSettings, Settings, WebhookSettings, tells_private_addresses
from scoreboard.errors import BadRequest, Conflict
from scoreboard.events import MAX_WEBHOOKS, EventName
from scoreboard.storage.sqlite import SqliteStorage
from scoreboard.webhooks import Webhooks
from scoreboard.wire import ChangeWebhook, NewWebhook
from tests.trail import audit_on, told


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    storage = await SqliteStorage.open(tmp_path / "scoreboard.db")
    yield storage
    await storage.close()


@pytest.fixture
def webhooks(storage: SqliteStorage) -> Webhooks:
    clock = ManualClock()
    return Webhooks(storage, audit_on(storage, clock), clock, private=False)


def asking(url: str) -> NewWebhook:
    return NewWebhook(url=url, events=("player.banned",))


async def test_a_private_address_is_refused_where_they_are_not_allowed(
    webhooks: Webhooks, storage: SqliteStorage
) -> None:
    one = await webhooks.create(asking("https://game.example/hook"), "key:game")
    for host in ("127.0.0.1:8080", "localhost", "10.1.2.3", "[::1]:80", "169.254.169.254"):
        with pytest.raises(BadRequest, match="private_addresses"):
            await webhooks.create(asking(f"http://{host}/"), "key:game")
        with pytest.raises(BadRequest, match="private_addresses"):
            await webhooks.change(
                ChangeWebhook(webhook_id=one.id, url=f"http://{host}/", events=("player.banned",)), "key:game"
            )
    [stored] = (await webhooks.list()).webhooks
    assert stored.url == "https://game.example/hook"
    assert [entry.act for entry in await told(storage)] == ["webhook.create"]


@pytest.mark.parametrize(("environment", "allowed", "told"), [
    ("development", False, True),
    ("production", False, False),
    ("production", True, True),
])  # fmt: skip
def test_on_a_laptop_private_addresses_are_told(environment: str, allowed: bool, told: bool) -> None:
    server = ServerSettings(environment="production" if environment == "production" else "development")
    settings = Settings(server=server, webhooks=WebhookSettings(private_addresses=allowed))
    assert tells_private_addresses(settings) == told


async def test_there_is_an_end_to_how_many_there_may_be(webhooks: Webhooks) -> None:
    for number in range(MAX_WEBHOOKS):
        await webhooks.create(asking(f"https://game.example/{number}"), "key:game")
    with pytest.raises(Conflict):
        await webhooks.create(asking("https://game.example/more"), "key:game")
    assert len((await webhooks.list()).webhooks) == MAX_WEBHOOKS


ENDS: tuple[EventName, ...] = ("period.finalized",)
MORE = (*ENDS, "player.banned")


@pytest.mark.parametrize(("before", "after", "kept"), [
    ({}, {"url": "https://other.example/"}, True),
    ({}, {"events": MORE}, True),
    ({}, {"board": "main"}, True),
    ({"events": ("player.banned",)}, {}, False),
    ({"board": "main"}, {}, False),
    ({"board": "main"}, {"board": "other"}, False),
    ({"enabled": False}, {}, False),
])  # fmt: skip
async def test_the_ends_of_periods_are_told_since_they_were_asked_for(
    webhooks: Webhooks, storage: SqliteStorage, before: dict[str, Any], after: dict[str, Any], kept: bool
) -> None:
    one = await webhooks.create(NewWebhook(url="https://game.example/hook", events=ENDS), "key:game")

    async def since(**asked: Any) -> int:
        asked = {"url": "https://game.example/hook", "events": ENDS, **asked}
        await webhooks.change(ChangeWebhook(webhook_id=one.id, **asked), "key:game")
        [stored] = await storage.webhooks()
        return stored.since

    asked_since = await since(**before)
    assert (await since(**after) == asked_since) == kept
