"""The audit trail as it is written."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from scoreboard.audit import verify
from scoreboard.audit.trail import MAX_TOGETHER
from scoreboard.clock import ManualClock
from scoreboard.errors import Unavailable
from scoreboard.model import AuditEntry
from scoreboard.storage.sqlite import SqliteStorage
from scoreboard.tokens import Keyring
from tests.trail import SECRET, audit_on, told


class Counting(SqliteStorage):
    """Counts writes, and refuses as many as it is told."""

    writes = 0
    refusals = 0

    async def add_audit(self, entries: Sequence[AuditEntry]) -> None:
        self.writes += 1
        if self.refusals:
            self.refusals -= 1
            raise Unavailable
        await super().add_audit(entries)


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Counting]:
    storage = await Counting.open(tmp_path / "scoreboard.db")
    assert isinstance(storage, Counting)
    yield storage
    await storage.close()


async def whole(storage: SqliteStorage) -> bool:
    return not (await verify(storage, Keyring.from_secrets(SECRET))).findings


async def test_entries_that_come_together_are_written_together_in_order(storage: Counting) -> None:
    audit = audit_on(storage, ManualClock())
    count = 2 * MAX_TOGETHER + 10
    await asyncio.gather(*(audit.note("login", "ada", f"{number}") for number in range(count)))
    assert [entry.subject for entry in await told(storage)] == [f"{number}" for number in range(count)]
    assert storage.writes <= 4
    assert await whole(storage)


async def test_of_entries_that_could_not_be_written_together_each_is_told_or_written(storage: Counting) -> None:
    audit = audit_on(storage, ManualClock())
    storage.refusals = 2
    done = await asyncio.gather(
        *(audit.note("login", "ada", f"{number}") for number in range(10)), return_exceptions=True
    )
    assert sum(isinstance(each, Unavailable) for each in done) == 2
    written = {f"{number}" for number, each in enumerate(done) if each is None}
    assert {entry.subject for entry in await told(storage)} == written
    assert await whole(storage)


async def test_a_long_transaction_holds_up_no_sign_in(storage: Counting) -> None:
    audit = audit_on(storage, ManualClock())
    begun, over = asyncio.Event(), asyncio.Event()

    async def slow(entries: Sequence[AuditEntry]) -> None:
        begun.set()
        await over.wait()
        await storage.add_audit(entries)

    act = asyncio.create_task(audit.within([audit.entry("board.put", "admin", "main")], slow))
    await begun.wait()
    await audit.note("login", "ada", "ada")
    assert [entry.act for entry in await told(storage)] == ["login"]
    over.set()
    await act
    assert await whole(storage)


async def test_anchors_are_written_where_something_was_and_come_to_rest(
    storage: Counting, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    one, two = audit_on(storage, clock), audit_on(storage, clock)
    await one.note("login", "ada", "ada")
    await two.note("login", "bob", "bob")
    with caplog.at_level(logging.INFO):
        for audit in (one, two) * 3:
            await audit.anchor()
    anchors = [entry for entry in await storage.audit(None, 100) if entry.act == "audit.anchor"]
    assert 2 <= len(anchors) <= 4
    heads = {head.chain: head for head in await storage.audit_heads(10)}
    logged = caplog.messages[-1]
    assert any(f"{head.chain} has" in logged for head in heads.values())
    assert await whole(storage)


async def test_text_that_cannot_be_stored_is_replaced(storage: Counting) -> None:
    audit = audit_on(storage, ManualClock())
    await audit.note("login.failed", "", "", username="a\udc80\x00b")
    (entry,) = await told(storage)
    assert entry.detail == '{"username":"a?\\u0000b"}'
    assert await whole(storage)
