"""From what goes wrong to the message that tells of it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from scoreboard.alerts import Alerts, Claim, Facts, Webhook
from scoreboard.alerts.rules import CALM
from scoreboard.app.alerts import shared_claim
from scoreboard.clock import MINUTE, SECOND, ManualClock, SystemClock
from scoreboard.config import AlertSettings, Settings
from scoreboard.leaderboard import Leaderboard
from scoreboard.metrics import Metrics
from scoreboard.redis import Keys, Server
from scoreboard.tasks import Tasks
from tests.alerts.receiver import Receiver, receiving
from tests.api.app import NO_LIMITS, running
from tests.redis_server import RedisServer

DEAD = {"database": "the database does not work: the disk is full"}


class Watch:
    """One server's alerts over facts that a test sets."""

    def __init__(self, clock: ManualClock, webhook: Webhook, metrics: Metrics, claim: Claim) -> None:
        self.facts = Facts()
        self.alerts = Alerts(AlertSettings(), self._know, webhook, claim, clock, metrics, "scoreboard on here")
        self._clock = clock

    async def look(self, after: int, **facts: object) -> None:
        """Look once, so many microseconds later, at these facts."""
        self.facts = structs.replace(Facts(), **facts)
        self._clock.advance(after)
        await self.alerts.look()

    async def _know(self) -> Facts:
        return self.facts


async def always(cause: str, span_s: float) -> bool:
    return True


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    tasks = Tasks()
    yield tasks
    await tasks.cancel()


@pytest.fixture
async def webhook(receiver: Receiver, tasks: Tasks) -> Webhook:
    webhook = Webhook(receiver.url, Metrics())
    tasks.start(webhook.run(), "webhook")
    return webhook


async def test_what_goes_wrong_is_logged_counted_and_told_and_so_is_its_end(
    receiver: Receiver, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    watch = Watch(ManualClock(), webhook, metrics, always)
    await watch.look(SECOND, problems=DEAD)
    assert await receiver.text() == f"scoreboard on here: ALERT database: {DEAD['database']}"
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert metrics.total(metrics.alerts, cause="database") == 1
    assert metrics.registry.get_sample_value("scoreboard_alert_active", {"cause": "database"}) == 1
    await watch.look(15 * MINUTE, problems=DEAD)
    assert (await receiver.text()).endswith("(for 15 min 0 s)")
    await watch.look(MINUTE)
    await watch.look(CALM)
    assert (await receiver.text()).startswith("scoreboard on here: RECOVERED database after 16 min 0 s; it was: ")
    assert metrics.registry.get_sample_value("scoreboard_alert_active", {"cause": "database"}) == 0
    assert metrics.total(metrics.alerts, cause="database") == 1


async def test_of_several_servers_one_tells(
    redis_server: RedisServer, receiver: Receiver, webhook: Webhook, tasks: Tasks
) -> None:
    server = Server(redis_server.url, SystemClock(), tasks)
    claim = shared_claim(server, Keys("test"))
    watches = [Watch(ManualClock(), webhook, Metrics(), claim) for _ in range(3)]
    for watch in watches:
        await watch.look(SECOND, problems=DEAD)
    for after in (MINUTE, CALM):
        for watch in watches:
            await watch.look(after)
    assert [(await receiver.text()).split()[3] for _ in range(2)] == ["ALERT", "RECOVERED"]
    await watches[2].look(SECOND, problems={"redis": "Redis does not work"})
    assert "redis" in await receiver.text()
    assert receiver.untold == 0
    await server.close()


async def test_while_redis_is_away_each_server_tells(own_redis: RedisServer, tasks: Tasks) -> None:
    server = Server(own_redis.url, SystemClock(), tasks)
    own_redis.kill()
    assert await shared_claim(server, Keys("test"))("redis", 900)
    await server.close()


async def test_a_fault_of_the_server_reaches_the_team(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(Leaderboard, "periods", broken)
    settings = Settings(limits=NO_LIMITS, alerts=AlertSettings(webhook_url=receiver.url, look_s=0.01))
    async with running(tmp_path, settings) as api:
        answer = await api.get("boards/main/periods")
        assert (answer.status, answer.code) == (500, "internal_error")
        assert "defect" not in str(answer.body)
        text = await receiver.text()
        assert "ALERT faults: requests failed by a fault of the server: 1 " in text
        assert (await api.get("boards")).status == 200


@pytest.mark.parametrize(("look_s", "looks"), [(0, False), (60, True)])
async def test_alerts_can_be_switched_off(tmp_path: Path, look_s: float, looks: bool) -> None:
    async with running(tmp_path, Settings(limits=NO_LIMITS, alerts=AlertSettings(look_s=look_s))):
        assert ("alerts" in {task.get_name() for task in asyncio.all_tasks()}) == looks
