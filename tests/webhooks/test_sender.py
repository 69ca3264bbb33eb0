"""Deliveries from a real database to a real receiver."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from scoreboard.clock import MINUTE, ManualClock
from scoreboard.events import EVENTS, Delivery, Webhook
from scoreboard.metrics import Metrics
from scoreboard.storage.base import Storage
from scoreboard.storage.sqlite import SqliteStorage
from scoreboard.tasks import Tasks
from scoreboard.webhooks import Sender
from scoreboard.webhooks import sender as module
from scoreboard.webhooks.signing import new_secret
from tests.webhooks.receiver import Receiver, receiving


class World:
    """An open storage with webhooks, and a sender that looks often."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.clock = ManualClock()
        self.metrics = Metrics()
        self.secret = new_secret()

    async def webhook(self, name: str, url: str) -> None:
        """Have an address told."""
        now = self.clock.now()
        one = Webhook(name, url, EVENTS, None, True, now, self.secret, None, None, now)
        assert await self.storage.add_webhook(one, 100, [])

    async def test(self, name: str, count: int = 1) -> None:
        """Have a webhook tried."""
        for _ in range(count):
            await self.storage.queue_test(name, self.clock.now())

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Another server that delivers."""
        tasks = Tasks()
        sender = Sender(self.storage, self.clock, tasks, self.metrics, private=True, pauses=(MINUTE, MINUTE))
        tasks.start(sender.run(), "webhooks")
        yield
        await tasks.cancel()

    async def settled(self, name: str, tries: int = 1) -> Delivery:
        """Wait until so many tries have had an outcome; a webhook's newest delivery."""
        async with asyncio.timeout(20):
            while self.metrics.total(self.metrics.webhook_deliveries) < tries:
                await asyncio.sleep(0.005)
        [newest] = await self.storage.deliveries(name, 1)
        return newest


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    storage = await SqliteStorage.open(tmp_path / "scoreboard.db")
    yield World(storage)
    await storage.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def test_what_is_queued_arrives_signed(world: World, receiver: Receiver) -> None:
    await world.webhook("hook", receiver.url)
    async with world.sending():
        await world.test("hook")
        message = await receiver.message()
        done = await world.settled("hook")
    assert message.is_signed_by(world.secret)
    assert not message.is_signed_by(new_secret())
    assert (message.event, message.data) == ("webhook.test", {})
    assert (done.id, done.state, done.status) == (message.id, "delivered", 200)
    assert world.metrics.total(world.metrics.webhook_deliveries, outcome="delivered") == 1


async def test_what_is_refused_is_sent_again_later_the_same(world: World, receiver: Receiver) -> None:
    receiver.statuses = [500]
    await world.webhook("hook", receiver.url)
    async with world.sending():
        await world.test("hook")
        first = await receiver.message()
        waiting = await world.settled("hook")
        assert (waiting.state, waiting.attempts, waiting.status) == ("pending", 1, 500)
        assert MINUTE <= waiting.due_at - world.clock.now() + MINUTE // 10 <= 2 * MINUTE
        world.clock.advance(2 * MINUTE)
        second = await receiver.message()
        await world.settled("hook", 2)
    assert (second.id, second.body) == (first.id, first.body)
    assert second.headers["webhook-timestamp"] > first.headers["webhook-timestamp"]
    assert second.is_signed_by(world.secret)


async def test_in_the_end_it_is_given_up(world: World, receiver: Receiver) -> None:
    receiver.statuses = [500, 404, 302]
    await world.webhook("hook", receiver.url)
    async with world.sending():
        await world.test("hook")
        for tries in (1, 2):
            await world.settled("hook", tries)
            world.clock.advance(2 * MINUTE)
        failed = await world.settled("hook", 3)
    assert (failed.state, failed.attempts, failed.error) == ("failed", 3, "answered 302")
    assert len(receiver.ids) == 3


async def test_one_that_is_gone_is_not_asked_again(world: World, receiver: Receiver) -> None:
    receiver.statuses = [410]
    await world.webhook("hook", receiver.url)
    async with world.sending():
        await world.test("hook")
        gone = await world.settled("hook")
    assert (gone.state, gone.status) == ("failed", 410)


async def test_one_that_is_slow_holds_up_no_other(world: World, receiver: Receiver) -> None:
    await world.webhook("hook", receiver.url)
    async with receiving() as slow, world.sending():
        slow.open.clear()
        await world.webhook("slow", slow.url)
        await world.test("slow", 20)
        await slow.message()
        await world.test("hook", 20)
        for _ in range(20):
            await receiver.message()
        assert len(slow.ids) <= module.AT_ONCE
        slow.open.set()
        for _ in range(19):
            await slow.message()


async def test_two_servers_deliver_once(world: World, receiver: Receiver) -> None:
    await world.webhook("hook", receiver.url)
    await world.test("hook", 50)
    async with world.sending(), world.sending():
        ids = {(await receiver.message()).id for _ in range(50)}
        await world.settled("hook", 50)
    assert len(ids) == len(receiver.ids) == 50


async def test_what_a_server_took_that_ended_is_delivered_by_another(world: World, receiver: Receiver) -> None:
    receiver.open.clear()
    await world.webhook("hook", receiver.url)
    await world.test("hook")
    async with world.sending():
        first = await receiver.message()
    receiver.open.set()
    async with world.sending():
        world.clock.advance(module.LEASE)
        second = await receiver.message()
        done = await world.settled("hook")
    assert first.id == second.id
    assert (done.state, done.attempts) == ("delivered", 2)
