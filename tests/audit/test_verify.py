"""What is done to the audit trail behind the server's back is found, in either database."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from scoreboard.audit import Anchor, Audit, verify
from scoreboard.clock import DAY, ManualClock
from scoreboard.errors import Conflict, OutcomeUnknown
from scoreboard.model import AuditEntry
from scoreboard.oversight import AuditFilter
from scoreboard.storage.base import Storage
from scoreboard.storage.postgres import PostgresStorage
from scoreboard.storage.sqlite import SqliteStorage
from scoreboard.tokens import Keyring
from tests.trail import SECRET, audit_on, told

KEYRING = Keyring.from_secrets(SECRET)


class House:
    """A storage, a writer of the trail, and a way round it."""

    def __init__(self, storage: Storage, tamper: Callable[[str], None], literal: str) -> None:
        self.storage = storage
        self.tamper = tamper
        self.hexadecimal = literal
        self.clock = ManualClock()
        self.audit = self.writer()

    def writer(self) -> Audit:
        """Another process that writes."""
        return audit_on(self.storage, self.clock)

    async def write(self, count: int, audit: Audit | None = None, subject: str = "ada") -> None:
        for _ in range(count):
            await (audit or self.audit).note("login", "ada", subject, address="192.0.2.1")

    async def found(self, **pinned: Anchor) -> list[str]:
        """What is found, each finding behind its number."""
        verified = await verify(self.storage, KEYRING, pinned)
        return [f"{finding.number} {finding.what}" for finding in verified.findings]

    async def chains(self) -> list[str]:
        return [head.chain for head in await self.storage.audit_heads(100)]


@pytest.fixture(params=["sqlite", "postgres"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    storage: Storage
    if request.param == "sqlite":
        storage = await SqliteStorage.open(tmp_path / "scoreboard.db")

        def tamper(statement: str) -> None:
            with closing(sqlite3.connect(tmp_path / "scoreboard.db")) as connection, connection:
                connection.execute(statement)

        literal = "x'00ff'"
    else:
        server = request.getfixturevalue("postgres_server")
        url = server.new_database()
        storage = await PostgresStorage.open(url, connections=3)

        def tamper(statement: str) -> None:
            server.execute(statement, url)

        literal = r"'\x00ff'"
    yield House(storage, tamper, literal)
    await storage.close()


async def test_a_trail_as_it_was_written_is_whole(house: House) -> None:
    assert await house.found() == []
    await house.write(5)
    await house.write(3, house.writer())
    await house.audit.anchor()
    verified = await verify(house.storage, KEYRING)
    assert (verified.chains, verified.entries, verified.findings) == (2, 5 + 3 + 2 + 1, ())


@pytest.mark.parametrize(
    "change", ["at = {at}", "actor = 'eve'", "act = 'logout'", "subject = 'eve'", "detail = '{{}}'", "digest = {hex}",
    "previous = {hex}", "hash = {hex}"],
)  # fmt: skip
async def test_an_edited_entry_is_named(house: House, change: str) -> None:
    await house.write(5)
    later = "at + 1" if house.storage.kind == "sqlite" else "at + interval '1 microsecond'"
    house.tamper(f"UPDATE audit SET {change.format(at=later, hex=house.hexadecimal)} WHERE number = 3")
    assert await house.found() == ["3 was edited"]


async def test_a_deleted_entry_is_named(house: House) -> None:
    await house.write(6)
    house.tamper("DELETE FROM audit WHERE number = 3")
    assert await house.found() == ["3 is missing"]
    house.tamper("DELETE FROM audit WHERE number IN (4, 1)")
    assert await house.found() == ["1 is missing", "3 to 4 are missing"]


async def test_reordered_entries_are_named_with_their_places(house: House) -> None:
    await house.write(5)
    house.tamper("UPDATE audit SET number = CASE number WHEN 3 THEN 4 ELSE 3 END WHERE number IN (3, 4)")
    assert await house.found() == ["3 was written as entry 4", "4 was written as entry 3"]


async def test_an_entry_moved_into_a_gap_does_not_hide_it(house: House) -> None:
    await house.write(6)
    house.tamper("DELETE FROM audit WHERE number = 3")
    house.tamper("UPDATE audit SET number = number - 1 WHERE number > 3")
    found = await house.found()
    assert found[:2] == ["3 was written as entry 4", "4 was written as entry 5"]
    assert len(found) >= 4


async def test_an_entry_of_another_hand_and_a_copy_are_named(house: House) -> None:
    await house.write(4)
    columns = "at, actor, act, subject, detail, chain, number, digest, previous, hash"
    house.tamper(f"INSERT INTO audit ({columns}) SELECT {columns} FROM audit WHERE number = 2")
    assert "2 is there twice" in await house.found()
    house.tamper("UPDATE audit SET chain = 'made up' WHERE number = 5")
    assert "0 was written under a secret that is not among those configured" in await house.found()


async def test_a_tail_that_was_cut_off_is_found_by_what_other_chains_tell(house: House) -> None:
    other = house.writer()
    await house.write(1, other)
    await house.write(5)
    await other.anchor()
    chain = (await house.chains())[0]
    house.tamper(f"DELETE FROM audit WHERE chain = '{chain}' AND number > 4")
    (found,) = await house.found()
    assert found.startswith("5 to at least 6 are cut off: entry 3 of ")


async def test_the_next_start_anchors_what_a_process_wrote_last(house: House) -> None:
    await house.write(3)
    await house.write(1, house.writer())
    house.tamper("DELETE FROM audit WHERE number = 4")
    (found,) = await house.found()
    assert found.startswith("4 to at least 4 are cut off")


async def test_a_chain_that_is_gone_is_missed(house: House) -> None:
    await house.write(3)
    first = (await house.chains())[0]
    await house.write(1, house.writer())
    house.tamper(f"DELETE FROM audit WHERE chain = '{first}'")
    verified = await verify(house.storage, KEYRING)
    assert [(finding.chain, finding.number) for finding in verified.findings] == [(first, 1)]


async def test_what_the_log_tells_of_a_chain_is_held_against_it(house: House) -> None:
    await house.write(3)
    (head,) = await house.storage.audit_heads(1)
    true, false = (Anchor(head.number, hashed, "the log") for hashed in (head.hash.hex(), "00"))
    assert await house.found(**{head.chain: true}) == []
    assert await house.found(**{head.chain: false}) == ["4 is another than the one the log tells of"]
    house.tamper("DELETE FROM audit WHERE number = 4")
    assert await house.found() == []  # nobody else knows
    assert await house.found(**{head.chain: true}) == ["4 to at least 4 are cut off: the log tells of them"]


async def test_the_detail_of_an_erased_player_may_be_gone_and_no_other(house: House) -> None:
    now = house.clock.now()
    for player in ("ada", "bob"):
        await house.storage.upsert_player(player, None, now)
        await house.write(2, subject=player)
    await house.audit.within(
        [house.audit.entry("player.erase", "admin", "ada")],
        lambda entries: house.storage.erase_player("ada", now, entries),
    )
    assert [entry.detail is None for entry in await told(house.storage)] == [True, True, False, False, False]
    assert await house.found() == []
    house.tamper("UPDATE audit SET detail = NULL WHERE subject = 'bob'")
    assert await house.found() == [
        "4 has lost its detail, though 'bob' was not erased",
        "5 has lost its detail, though 'bob' was not erased",
    ]


async def test_what_the_retention_let_go_is_no_finding_and_what_else_is_gone_is_one(house: House) -> None:
    other = house.writer()
    await house.write(3)
    await house.write(2, other)
    await house.audit.forget(30)
    assert await house.found() == []
    house.clock.advance(70 * DAY)
    await house.write(3, other)
    await house.audit.forget(30)
    assert [entry.act for entry in await told(house.storage)] == ["login"] * 3
    assert await house.found() == []
    await house.audit.forget(30)
    prunes = await house.storage.audit(None, 10, AuditFilter(act="audit.prune"))
    assert len(prunes) == 1
    await house.write(1, house.writer())
    house.tamper("DELETE FROM audit WHERE number = 4")
    assert "4 is missing" in await house.found()


async def test_older_secrets_still_tell_and_unknown_ones_are_said(house: House) -> None:
    await house.write(2)
    rotated = Keyring.from_secrets(b"another secret that is long enough, too", [SECRET])
    assert (await verify(house.storage, rotated)).findings == ()
    stranger = Keyring.from_secrets(b"another secret that is long enough, too")
    (finding,) = (await verify(house.storage, stranger)).findings
    assert finding.what == "was written under a secret that is not among those configured"


async def test_what_was_not_done_leaves_no_gap(house: House) -> None:
    async def fail(entries: object) -> None:
        raise Conflict

    async def nothing(entries: object) -> bool:
        return False

    async def add(entries: object) -> bool:
        await house.storage.add_audit(entries)  # type: ignore[arg-type] # what is handed on
        return True

    def entry() -> AuditEntry:
        return house.audit.entry("player.ban", "mod", "ada")

    for _ in range(2):
        with pytest.raises(Conflict):
            await house.audit.within([entry()], fail)
        assert not await house.audit.within([entry()], nothing, written=bool)
        assert await house.audit.within([entry()], add, written=bool)
    assert len(await told(house.storage)) == 2
    assert await house.found() == []


@pytest.mark.parametrize("stored", [True, False])
async def test_after_a_write_whose_outcome_is_unknown_another_chain_begins(house: House, stored: bool) -> None:
    async def lose(entries: object) -> None:
        if stored:
            await house.storage.add_audit(entries)  # type: ignore[arg-type] # what is handed on
        raise OutcomeUnknown

    async def add(entries: object) -> None:
        await house.storage.add_audit(entries)  # type: ignore[arg-type] # what is handed on

    entries = [house.audit.entry("player.ban", "mod", "ada")]
    await house.audit.within(entries, add)
    with pytest.raises(OutcomeUnknown):
        await house.audit.within(entries, lose)
    await house.audit.within(entries, add)
    assert len(await house.chains()) == 2
    assert len(await told(house.storage)) == (3 if stored else 2)
    assert await house.found() == []
