"""Messages to a real HTTP server."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from scoreboard.alerts import webhook as module
from scoreboard.alerts.webhook import MAX_WAITING, TRIES, Webhook
from scoreboard.metrics import Metrics
from scoreboard.tasks import Tasks
from tests.alerts.receiver import PATH, Receiver, receiving
from tests.ports import free_port


@asynccontextmanager
async def sending(url: str, metrics: Metrics, *, timeout_s: float = 10) -> AsyncIterator[Webhook]:
    tasks = Tasks()
    webhook = Webhook(url, metrics, pause_s=0.001, timeout_s=timeout_s)
    tasks.start(webhook.run(), "webhook")
    yield webhook
    await tasks.cancel()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def counted(metrics: Metrics, outcome: str) -> None:
    """Wait until a message has had that outcome."""
    async with asyncio.timeout(20):
        while not metrics.total(metrics.alert_messages, outcome=outcome):
            await asyncio.sleep(0.005)


async def test_messages_arrive_in_order_as_text_that_mentions_nobody(receiver: Receiver) -> None:
    metrics = Metrics()
    async with sending(receiver.url, metrics) as webhook:
        for text in ("one", "<!channel> & two"):
            webhook.put(text)
        assert [await receiver.text() for _ in range(2)] == ["one", "&lt;!channel&gt; &amp; two"]
    assert metrics.total(metrics.alert_messages, outcome="failed") == 0


async def test_a_receiver_that_stumbles_is_tried_again(receiver: Receiver) -> None:
    receiver.statuses = [500, 429, 503]
    async with sending(receiver.url, Metrics()) as webhook:
        webhook.put("late")
        assert await receiver.text() == "late"
    assert receiver.requests == TRIES


@pytest.mark.parametrize("status", [302, 400, 404])
async def test_a_receiver_that_does_not_want_it_is_not_pressed(
    receiver: Receiver, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.statuses = [status]
    metrics = Metrics()
    async with sending(receiver.url, metrics) as webhook:
        webhook.put("unwanted")
        await counted(metrics, "failed")
        webhook.put("wanted")
        assert await receiver.text() == "wanted"
    assert receiver.requests == 2
    assert f"it answered {status}" in caplog.text


async def test_a_receiver_that_is_away_or_hangs_is_given_up_and_its_address_stays_secret(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger=module.__name__)
    for url, timeout_s in ((f"http://127.0.0.1:{free_port()}{PATH}", 10), (receiver.url, 0.05)):
        receiver.open.clear()
        metrics = Metrics()
        async with sending(url, metrics, timeout_s=timeout_s) as webhook:
            webhook.put("lost")
            await counted(metrics, "failed")
    assert "could not be sent" in caplog.text
    assert PATH not in caplog.text


async def test_of_too_many_messages_the_oldest_are_dropped_and_nobody_waits(receiver: Receiver) -> None:
    receiver.open.clear()
    metrics = Metrics()
    async with sending(receiver.url, metrics) as webhook:
        webhook.put("first")
        async with asyncio.timeout(20):
            while not receiver.requests:
                await asyncio.sleep(0.005)
        for number in range(MAX_WAITING + 3):
            webhook.put(str(number))
        receiver.open.set()
        texts = [await receiver.text() for _ in range(MAX_WAITING + 1)]
    assert texts == ["first", *(str(number) for number in range(3, MAX_WAITING + 3))]
    assert metrics.total(metrics.alert_messages, outcome="dropped") == 3
