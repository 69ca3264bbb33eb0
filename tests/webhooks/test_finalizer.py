"""Ends of periods, found by servers that were there, came late, or are two."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from scoreboard.clock import DAY, HOUR, MINUTE, SECOND
from scoreboard.events import EVENTS, Webhook
from scoreboard.storage.sqlite import SqliteStorage
from scoreboard.webhooks import Finalizer
from scoreboard.webhooks.finalizer import CATCH_UP, SKEW_S
from tests.storage.world import World

COMMIT_S = 10.0
GRACE = int((2 * COMMIT_S + SKEW_S) * SECOND)
# The clock starts at 2027-01-15T08:00:00Z, a Friday.


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    storage = await SqliteStorage.open(tmp_path / "scoreboard.db")
    yield World(storage)
    await storage.close()


def finalizer(world: World) -> Finalizer:
    """Another server."""
    return Finalizer(world.storage, lambda: tuple(world.boards.values()), world.clock, COMMIT_S)


async def webhook(world: World, name: str = "hook", **fields: Any) -> Webhook:
    now = world.clock.now()
    given = {"events": EVENTS, "board": None, "enabled": True, "since": now, **fields}
    one = Webhook(
        id=name,
        url="http://localhost/",
        secret="",
        previous_secret=None,
        previous_until=None,
        created_at=now,
        **given,
    )
    assert await world.storage.add_webhook(one, 100, [])
    return one


async def told(world: World) -> list[tuple[str, str, str]]:
    """Window, period and first player of what is to be told, which is then gone."""
    now = world.clock.now()
    taken = await world.storage.take_deliveries(now, now + 1000 * DAY, (), 1000)
    found = [json.loads(parcel.data) for parcel in sorted(taken, key=lambda parcel: parcel.at)]
    return [(each["window"], each["period"], "".join(row["player_id"] for row in each["rows"][:1])) for each in found]


async def test_a_period_that_is_over_is_told_once_nothing_can_count_in_it_any_more(world: World) -> None:
    await world.board(windows=("all", "day"))
    await webhook(world)
    await world.submit("ada", 5)
    await world.submit("bob", 7)
    one = finalizer(world)
    world.clock.advance(16 * HOUR + GRACE - SECOND)
    await one.look()
    assert await told(world) == []
    world.clock.advance(SECOND)
    await one.look()
    now = world.clock.now()
    [parcel] = await world.storage.take_deliveries(now, now + MINUTE, (), 10)
    data = json.loads(parcel.data)
    rows = data.pop("rows")
    assert data == {
        "board": "main",
        "window": "day",
        "period": "2027-01-15",
        "start": "2027-01-15T00:00:00.000000Z",
        "end": "2027-01-16T00:00:00.000000Z",
        "total": 2,
    }
    assert [(row["position"], row["rank"], row["player_id"], row["score"]) for row in rows] == [
        (1, 1, "bob", 7),
        (2, 2, "ada", 5),
    ]
    await one.look()
    assert await told(world) == []


async def test_servers_tell_of_a_period_once(world: World) -> None:
    await world.board(windows=("day", "week", "month"))
    await world.board("other", windows=("day",))
    await webhook(world)
    world.clock.advance(DAY)
    await asyncio.gather(*(finalizer(world).look() for _ in range(4)))
    assert await told(world) == [("day", "2027-01-15", "")] * 2


async def test_what_ended_while_all_were_away_is_made_good_for_in_order(world: World) -> None:
    await world.board(windows=("week", "day"))
    await webhook(world)
    await world.submit("ada", 5)
    world.clock.advance(3 * DAY)
    await finalizer(world).look()
    assert await told(world) == [
        ("day", "2027-01-15", "ada"),
        ("day", "2027-01-16", ""),
        ("week", "2027-W02", "ada"),
        ("day", "2027-01-17", ""),
    ]


async def test_what_ended_long_ago_is_not_told(world: World) -> None:
    await world.board(windows=("day",))
    await webhook(world)
    world.clock.advance(CATCH_UP + 100 * DAY)
    await finalizer(world).look()
    assert len(await told(world)) == CATCH_UP // DAY


async def test_a_webhook_is_told_of_what_ends_after_it_asked(world: World) -> None:
    await world.board(windows=("day",))
    await webhook(world, "first")
    one = finalizer(world)
    world.clock.advance(DAY)
    await webhook(world, "second", board="main")
    await webhook(world, "elsewhere", board="other")
    await webhook(world, "else", events=("player.banned",))
    await one.look()
    now = world.clock.now()
    taken = await world.storage.take_deliveries(now, now + MINUTE, (), 10)
    assert [parcel.webhook_id for parcel in taken] == ["first"]
    world.clock.advance(DAY)
    await one.look()
    now = world.clock.now()
    taken = await world.storage.take_deliveries(now, now + MINUTE, ("first",), 10)
    assert [parcel.webhook_id for parcel in taken] == ["second"]


async def test_nothing_is_told_of_a_frozen_board_until_it_is_revealed(world: World) -> None:
    await world.board(windows=("day",))
    await webhook(world)
    await world.submit("ada", 5)
    frozen = await world.storage.freeze_board("main", world.clock.now(), [])
    assert frozen is not None
    world.boards["main"] = frozen
    await world.submit("bob", 7)
    one = finalizer(world)
    world.clock.advance(DAY)
    await one.look()
    assert await told(world) == []
    revealed = await world.storage.reveal_board("main", world.clock.now(), [])
    assert revealed is not None
    await one.look()  # which does not know it yet
    assert await told(world) == []
    world.boards["main"] = revealed
    await one.look()
    assert await told(world) == [("day", "2027-01-15", "bob")]


async def test_a_board_that_another_server_changed_keeps_no_other_one(world: World) -> None:
    stale = await world.board(windows=("day",))
    await world.board("other", windows=("day",))
    await webhook(world)
    one = finalizer(world)
    await world.board(windows=("day",), title="Changed")
    changed, world.boards["main"] = world.boards["main"], stale
    world.clock.advance(DAY)
    await one.look()
    assert len(await told(world)) == 1
    world.boards["main"] = changed
    await one.look()
    assert len(await told(world)) == 1


async def test_a_window_that_comes_later_is_told_of_too(world: World) -> None:
    await world.board()
    await webhook(world)
    await world.submit("ada", 5)
    one = finalizer(world)
    world.clock.advance(2 * DAY)
    await one.look()
    assert await told(world) == []
    await world.board(windows=("all", "day"))
    await one.look()
    await finalizer(world).look()
    assert await told(world) == [("day", "2027-01-15", "ada"), ("day", "2027-01-16", "")]
