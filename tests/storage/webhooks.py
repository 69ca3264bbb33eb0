"""What every storage promises of webhooks: who is told of what, and that nothing is told by two or lost."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from scoreboard.clock import DAY, HOUR, MINUTE
from scoreboard.errors import Unavailable
from scoreboard.events import EVENTS, Arrears, EventName, Outcome, Parcel, Webhook
from scoreboard.model import AuditEntry, BoardPeriod, Committed
from scoreboard.oversight import Ban
from tests.storage.contract import Contract
from tests.storage.oversight import acts, approve, entry, held, reject
from tests.storage.world import World

DAY_ONE = BoardPeriod("main", "day", "2027-01-15")


def webhook(world: World, name: str, events: Sequence[EventName] = EVENTS, **fields: Any) -> Webhook:
    now = world.clock.now()
    given = {"board": None, "enabled": True, "since": now, "previous_secret": None, "previous_until": None}
    return Webhook(
        id=name,
        url=f"https://{name}.example/",
        events=tuple(events),
        secret=f"secret of {name}",
        created_at=now,
        **{**given, **fields},
    )


async def added(world: World, name: str, events: Sequence[EventName] = EVENTS, **fields: Any) -> Webhook:
    one = webhook(world, name, events, **fields)
    assert await world.storage.add_webhook(one, 100, [])
    return one


async def take(world: World, at: int | None = None, each: int = 100, busy: Sequence[str] = ()) -> list[Parcel]:
    """What is due, taken for a minute."""
    now = world.clock.now() if at is None else at
    return sorted(await world.storage.take_deliveries(now, now + MINUTE, busy, each), key=lambda parcel: parcel.at)


def told(parcels: Sequence[Parcel]) -> list[tuple[str, str]]:
    return [(parcel.webhook_id, parcel.event) for parcel in parcels]


async def void(world: World, counted: Committed) -> None:
    await world.void("main", counted.submission_id)


class WebhookContract(Contract):
    async def test_a_webhook_is_stored_changed_and_deleted_with_its_audit_entries(self, world: World) -> None:
        storage = world.storage
        one, two = webhook(world, "one", ["period.finalized"], board="main"), webhook(world, "two", enabled=False)
        assert await storage.add_webhook(one, 2, [entry(world, "webhook.create", "one")])
        assert await storage.add_webhook(two, 2, [])
        assert not await storage.add_webhook(webhook(world, "three"), 2, [entry(world, "webhook.create", "three")])
        assert await storage.webhooks() == (one, two)
        changed = webhook(world, "one", ["player.banned"])
        assert await storage.change_webhook(changed, [entry(world, "webhook.change", "one")])
        assert not await storage.change_webhook(webhook(world, "three"), [entry(world, "webhook.change", "three")])
        stored, _ = await storage.webhooks()
        assert stored.events == ("player.banned",)
        assert (stored.since, stored.created_at) == (changed.since, one.created_at)
        await storage.queue_test("one", world.clock.now())
        assert await storage.delete_webhook("one", [entry(world, "webhook.delete", "one")])
        assert not await storage.delete_webhook("one", [entry(world, "webhook.delete", "one")])
        assert await storage.deliveries("one", 10) == ()
        assert await storage.webhooks() == (two,)
        assert await acts(world) == ["webhook.create", "webhook.change", "webhook.delete"]

    async def test_a_secret_that_is_replaced_is_kept_for_a_while_whatever_else_is_changed(self, world: World) -> None:
        storage, until = world.storage, world.clock.now() + HOUR
        one = await added(world, "one")
        assert await storage.rotate_webhook("one", "second", until, [entry(world, "webhook.rotate", "one")])
        assert await storage.change_webhook(one, [])  # as it was read before
        [stored] = await storage.webhooks()
        assert (stored.secret, stored.previous_secret, stored.previous_until) == ("second", one.secret, until)
        assert await storage.rotate_webhook("one", "third", until + 1, [])
        [stored] = await storage.webhooks()
        assert (stored.secret, stored.previous_secret, stored.previous_until) == ("third", "second", until + 1)
        assert not await storage.rotate_webhook("two", "third", until, [entry(world, "webhook.rotate", "two")])
        assert await acts(world) == ["webhook.rotate"]

    async def test_what_is_held_and_decided_is_told_by_the_transaction_that_does_it(self, world: World) -> None:
        await world.board()
        await added(world, "hook")
        first, second = await held(world, "ada", 9), await held(world, "bob", 8)
        counted = await world.submit("cy", 7)
        assert told(await take(world)) == [("hook", "submission.held")] * 2
        await approve(world, first.submission_id)
        await reject(world, second.submission_id, Ban())
        await void(world, counted)
        await void(world, counted)  # which changes nothing
        parcels = await take(world)
        assert [parcel.event for parcel in parcels] == [
            "submission.approved",
            "submission.rejected",
            "submission.voided",
        ]
        item = await world.storage.submission(first.submission_id)
        assert item is not None
        assert json.loads(parcels[0].data) == {
            "submission_id": first.submission_id,
            "board": "main",
            "player_id": "ada",
            "score": 9,
            "at": item.accepted_at,
            "by": "mod",
        }
        assert {parcel.url for parcel in parcels} == {"https://hook.example/"}
        assert len({parcel.id for parcel in parcels}) == 3

    async def test_what_becomes_of_players_is_told_to_webhooks_of_any_board(self, world: World) -> None:
        await world.board()
        await added(world, "hook", board="main")
        await world.storage.upsert_player("ada", "Ada", world.clock.now())
        until = AuditEntry(world.clock.now(), "mod", "player.ban", "ada", '{"until":"2030-01-01T00:00:00Z"}')
        now = world.clock.now()
        await world.storage.set_status("ada", "banned", now, entries=[until])
        await world.storage.set_status("ada", "active", now, entries=[entry(world, "player.lift", "ada")])
        await world.storage.set_status("ada", "hidden", now, entries=[entry(world, "player.hide", "ada")])
        await world.storage.erase_player("ada", now, [entry(world, "player.erase", "ada")])
        await world.storage.add_audit([entry(world, "player.role", "ada"), entry(world, "login", "ada")])
        parcels = await take(world)
        assert [parcel.event for parcel in parcels] == [
            "player.banned",
            "player.lifted",
            "player.hidden",
            "player.erased",
        ]
        assert json.loads(parcels[0].data) == {"player_id": "ada", "until": "2030-01-01T00:00:00Z", "by": "mod"}
        assert json.loads(parcels[3].data)["until"] is None

    async def test_only_who_asks_for_an_event_of_that_board_is_told(self, world: World) -> None:
        await world.board()
        await world.board("other")
        await added(world, "asks", ["submission.held"])
        await added(world, "there", ["submission.held"], board="main")
        await added(world, "elsewhere", ["submission.held"], board="other")
        await added(world, "else", ["submission.voided"])
        await added(world, "off", ["submission.held"], enabled=False)
        await held(world, "ada", 9)
        assert sorted(told(await take(world))) == [("asks", "submission.held"), ("there", "submission.held")]

    async def test_a_transaction_that_fails_tells_nobody(self, world: World) -> None:
        await world.board()
        await added(world, "hook")
        outcome = await held(world, "ada", 9)
        await take(world)
        stale = world.boards["main"]
        await world.board(title="Changed")
        world.boards["main"] = stale
        with pytest.raises(Unavailable):
            await approve(world, outcome.submission_id)
        assert await take(world) == []

    async def test_a_delivery_is_taken_by_one_until_its_time_is_over(self, world: World) -> None:
        await added(world, "hook")
        for _ in range(20):
            await world.storage.queue_test("hook", world.clock.now())
        now = world.clock.now()
        taken = await asyncio.gather(*(world.storage.take_deliveries(now, now + MINUTE, (), 20) for _ in range(5)))
        ids = [parcel.id for parcels in taken for parcel in parcels]
        assert len(ids) == len(set(ids)) <= 20
        ids += [parcel.id for parcel in await take(world, now)]
        assert len(ids) == len(set(ids)) == 20
        assert await take(world, now + MINUTE - 1) == []
        again = await take(world, now + MINUTE)
        assert {parcel.id for parcel in again} == set(ids)
        assert {parcel.attempts for parcel in again} == {2}

    async def test_some_of_each_webhook_are_taken_and_of_the_busy_none(self, world: World) -> None:
        for name in ("a", "b", "c"):
            await added(world, name)
            for _ in range(3):
                await world.storage.queue_test(name, world.clock.now())
        assert sorted(told(await take(world, each=2, busy=["c"]))) == [
            ("a", "webhook.test"),
            ("a", "webhook.test"),
            ("b", "webhook.test"),
            ("b", "webhook.test"),
        ]
        assert len(await take(world)) == 5

    async def test_a_failed_delivery_comes_again_and_one_that_is_done_does_not(self, world: World) -> None:
        await added(world, "hook")
        await world.storage.queue_test("hook", world.clock.now())
        [first] = await take(world)
        later = world.clock.now() + HOUR
        await world.storage.settle_delivery(Outcome(first.id, 1, "pending", later, 500, "answered 500"))
        assert await take(world, later - 1) == []
        [kept] = await world.storage.deliveries("hook", 10)
        assert (kept.state, kept.attempts, kept.due_at, kept.status) == ("pending", 1, later, 500)
        [second] = await take(world, later)
        assert (second.id, second.attempts, second.data) == (first.id, 2, first.data)
        await world.storage.settle_delivery(Outcome(first.id, 1, "failed", later, 500, "late"))  # of the first try
        assert await world.storage.arrears() == {"hook": Arrears(pending=1)}
        await world.storage.settle_delivery(Outcome(first.id, 2, "delivered", later, 200))
        assert await take(world, later + DAY) == []
        [done] = await world.storage.deliveries("hook", 10)
        assert (done.state, done.attempts, done.status, done.error) == ("delivered", 2, 200, None)

    async def test_one_that_was_given_up_is_counted(self, world: World) -> None:
        await added(world, "hook")
        await world.storage.queue_test("hook", world.clock.now())
        [parcel] = await take(world)
        await world.storage.settle_delivery(Outcome(parcel.id, 1, "failed", world.clock.now(), None, "TimeoutError"))
        assert await world.storage.arrears() == {"hook": Arrears(failed=1)}

    async def test_a_webhook_that_is_off_keeps_what_it_was_to_be_told(self, world: World) -> None:
        one = await added(world, "hook")
        await world.storage.queue_test("hook", world.clock.now())
        await world.storage.change_webhook(webhook(world, "hook", enabled=False), [])
        assert await take(world) == []
        await world.storage.change_webhook(one, [])
        assert told(await take(world)) == [("hook", "webhook.test")]

    async def test_the_secret_before_signs_too_for_a_while(self, world: World) -> None:
        until = world.clock.now() + HOUR
        await added(world, "hook", previous_secret="old", previous_until=until)
        await world.storage.queue_test("hook", world.clock.now())
        [parcel] = await take(world)
        assert parcel.secrets == ("secret of hook", "old")
        [parcel] = await take(world, until)
        assert parcel.secrets == ("secret of hook",)

    async def test_a_period_is_finalized_once_whoever_comes(self, world: World) -> None:
        board = await world.board(windows=("day",))
        await added(world, "hook")
        ends_at = world.clock.now() + HOUR
        assert await world.storage.unfinalized([DAY_ONE]) == (DAY_ONE,)
        done = await asyncio.gather(
            *(world.storage.finalize(board, DAY_ONE, ends_at, ends_at + n, '{"n":1}') for n in range(5))
        )
        assert sorted(done) == [False] * 4 + [True]
        assert await world.storage.unfinalized([DAY_ONE, DAY_ONE._replace(window="week")]) == (
            DAY_ONE._replace(window="week"),
        )
        [parcel] = await take(world, ends_at + DAY)
        assert (parcel.event, parcel.data) == ("period.finalized", '{"n":1}')

    async def test_the_end_of_a_period_is_told_to_those_who_asked_for_it_then(self, world: World) -> None:
        board = await world.board()
        await added(world, "hook")
        await added(world, "elsewhere", board="other")
        await added(world, "else", ["player.banned"])
        ends_at = world.clock.now()
        await added(world, "late")
        assert await world.storage.finalize(board, DAY_ONE, ends_at, ends_at, "{}")
        assert told(await take(world)) == [("hook", "period.finalized")]

    async def test_a_board_that_was_changed_meanwhile_is_not_finalized(self, world: World) -> None:
        stale = await world.board()
        await added(world, "hook")
        await world.storage.freeze_board("main", world.clock.now(), [])
        with pytest.raises(Unavailable):
            await world.storage.finalize(stale, DAY_ONE, world.clock.now(), world.clock.now(), "{}")
        assert await world.storage.unfinalized([DAY_ONE]) == (DAY_ONE,)
        assert await take(world) == []

    async def test_what_was_done_long_ago_is_forgotten(self, world: World) -> None:
        await added(world, "hook")
        await world.storage.queue_test("hook", world.clock.now())
        [parcel] = await take(world)
        done_at = world.clock.now()
        await world.storage.settle_delivery(Outcome(parcel.id, 1, "delivered", done_at, 200))
        await world.storage.forget_deliveries(done_at, 0)
        assert len(await world.storage.deliveries("hook", 10)) == 1
        await world.storage.forget_deliveries(done_at + 1, 0)
        assert await world.storage.deliveries("hook", 10) == ()

    async def test_what_waits_is_forgotten_only_where_nobody_asks_for_it(self, world: World) -> None:
        await world.board()
        await added(world, "hook")
        await held(world, "ada", 9, at=world.clock.now() - 100 * DAY)  # brought late
        long_ago = world.clock.now() - DAY
        await world.storage.forget_deliveries(long_ago, 0)
        assert len(await world.storage.deliveries("hook", 10)) == 1
        await world.storage.change_webhook(webhook(world, "hook", enabled=False), [])
        await world.storage.forget_deliveries(long_ago, 0)
        assert await world.storage.deliveries("hook", 10) == ()

    async def test_what_was_finalized_long_ago_is_forgotten(self, world: World) -> None:
        board = await world.board()
        await world.storage.finalize(board, DAY_ONE, world.clock.now(), world.clock.now(), "{}")
        between = world.clock.now()
        other = DAY_ONE._replace(period="2027-01-16")
        await world.storage.finalize(board, other, world.clock.now(), world.clock.now(), "{}")
        await world.storage.forget_deliveries(0, between)
        assert await world.storage.unfinalized([DAY_ONE, other]) == (DAY_ONE,)

    async def test_players_are_known_by_name(self, world: World) -> None:
        await world.storage.upsert_player("ada", "Ada", world.clock.now())
        assert await world.storage.names(["ada", "bob"]) == {"ada": "Ada"}
        assert await world.storage.names([]) == {}
