import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from scoreboard.clock import DAY
from scoreboard.errors import ConfigError, InternalError, OutcomeUnknown, Overloaded, Unavailable
from scoreboard.model import AuditEntry, Evidence
from scoreboard.storage.base import Storage
from scoreboard.storage.sqlite import SqliteStorage, backfill
from scoreboard.storage.sqlite.audit import append
from scoreboard.storage.sqlite.connection import Database, Place
from scoreboard.storage.sqlite.faults import commit_fault
from scoreboard.storage.sqlite.schema import migrations
from tests.storage.accounts import KeysContract, PlayersContract, SessionsContract
from tests.storage.contract import CommitContract, VoidContract
from tests.storage.folding import FoldContract
from tests.storage.freezing import FreezeContract
from tests.storage.oversight import DeletedBoardContract, ModerationContract, ReviewContract, TrailContract
from tests.storage.reading import (
    DurabilityContract,
    EpochContract,
    OutboxContract,
    ReadingContract,
    StatusContract,
)
from tests.storage.retention import RetentionContract
from tests.storage.webhooks import WebhookContract
from tests.storage.windows import WindowContract
from tests.storage.world import Backend, World

ENTRY = AuditEntry(1, "ada", "login", "session")


class SqliteBackend:
    def __init__(self, path: Path, place: Place = "thread") -> None:
        self._path = path
        self._place = place

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Storage]:
        storage = await SqliteStorage.open(self._path, place=self._place)
        yield storage
        await storage.close()


class TestSqlite(
    PlayersContract,
    SessionsContract,
    KeysContract,
    CommitContract,
    VoidContract,
    FoldContract,
    WindowContract,
    ReadingContract,
    EpochContract,
    OutboxContract,
    StatusContract,
    ReviewContract,
    ModerationContract,
    DeletedBoardContract,
    FreezeContract,
    TrailContract,
    WebhookContract,
    DurabilityContract,
    RetentionContract,
):
    @pytest.fixture(params=["thread", "process"])
    def backend(self, tmp_path: Path, request: pytest.FixtureRequest) -> Backend:
        return SqliteBackend(tmp_path / "scoreboard.db", request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scoreboard.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    database = Database(path, busy_timeout_ms=1, max_waiting=4)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def storage(database: Database) -> SqliteStorage:
    return SqliteStorage(database)


class Gate:
    """A job that holds its thread until it is opened."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._opened = threading.Event()
        self.entered = asyncio.Event()

    def __call__(self, _: sqlite3.Connection) -> None:
        self._loop.call_soon_threadsafe(self.entered.set)
        self._opened.wait()

    def open(self) -> None:
        self._opened.set()


@pytest.mark.parametrize("chunk", [1, 2, 7])
async def test_a_new_window_is_filled_from_a_history_of_many_chunks(
    storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    world = World(storage)
    await world.board(operator="sum")
    start, players = world.clock.now(), ("ada", "bob")
    for number in range(14):
        await world.commit(*(world.submission(player, number, at=start - number % 2 * DAY) for player in players))
    monkeypatch.setattr(backfill, "CHUNK", chunk)
    await world.board(operator="sum", windows=("all", "day"))
    _, yesterday, today = await storage.periods("main")
    assert dict(await world.shown(*yesterday)) == dict.fromkeys(players, 49)
    assert dict(await world.shown(*today)) == dict.fromkeys(players, 42)


async def test_a_transaction_that_has_begun_outlives_its_cancelled_caller(
    database: Database, storage: SqliteStorage
) -> None:
    gate = Gate()

    def add_at_the_gate(connection: sqlite3.Connection) -> None:
        gate(connection)
        append(connection, [ENTRY])

    adding = asyncio.create_task(database.write(add_at_the_gate))
    await gate.entered.wait()
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    gate.open()
    await storage.ping()
    assert await storage.audit(None, 10) == (ENTRY,)


async def test_a_transaction_that_was_given_up_before_its_turn_is_skipped(
    database: Database, storage: SqliteStorage
) -> None:
    gate = Gate()
    blocked = asyncio.create_task(database.write(gate))
    await gate.entered.wait()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(storage.add_audit([ENTRY]), 0.01)
    gate.open()
    await blocked
    await storage.ping()
    assert await storage.audit(None, 10) == ()


async def test_a_full_queue_refuses_at_once_and_reads_go_on(database: Database, storage: SqliteStorage) -> None:
    gate = Gate()
    blocked = asyncio.create_task(database.write(gate))
    await gate.entered.wait()
    waiting = [asyncio.create_task(storage.ping()) for _ in range(4)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await storage.ping()
    assert await storage.boards() == ()
    gate.open()
    await asyncio.gather(blocked, *waiting)


async def test_closing_finishes_what_waits_and_refuses_what_comes(path: Path) -> None:
    storage = await SqliteStorage.open(path)
    adding = [asyncio.create_task(storage.add_audit([ENTRY])) for _ in range(5)]
    await asyncio.sleep(0)
    await storage.close()
    await asyncio.gather(*adding)
    with pytest.raises(Unavailable):
        await storage.ping()
    await storage.close()
    async with SqliteBackend(path).open() as again:
        assert len(await again.audit(None, 10)) == 5


async def test_a_locked_database_refuses_writes_and_answers_reads(path: Path, storage: SqliteStorage) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            await storage.add_audit([ENTRY])
        assert await storage.audit(None, 10) == ()
        other.rollback()
    await storage.add_audit([ENTRY])
    assert await storage.audit(None, 10) == (ENTRY,)


async def test_a_read_only_database_refuses_writes_and_answers_reads(
    database: Database, storage: SqliteStorage
) -> None:
    await storage.add_audit([ENTRY])
    # A write that SQLite refuses as it would on a file system mounted read-only; the superuser may write any file.
    await database.write(lambda connection: connection.execute("PRAGMA query_only = ON"))
    with pytest.raises(Unavailable, match="read-only"):
        await storage.ping()
    assert await storage.audit(None, 10) == (ENTRY,)


async def test_a_full_disk_refuses_writes_answers_reads_and_is_left_behind(
    database: Database, storage: SqliteStorage
) -> None:
    await storage.add_audit([ENTRY])
    await database.write(lambda connection: connection.execute("PRAGMA max_page_count = 1"))
    with pytest.raises(Unavailable, match="full") as refused:
        await storage.add_audit([ENTRY] * 2_000)
    assert not isinstance(refused.value, OutcomeUnknown)
    assert await storage.audit(None, 10) == (ENTRY,)
    await database.write(lambda connection: connection.execute("PRAGMA max_page_count = 100000"))
    await storage.add_audit([ENTRY] * 2_000)
    assert len(await storage.audit(None, 10_000)) == 2_001


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_IOERR_FSYNC, OutcomeUnknown),
        (sqlite3.SQLITE_IOERR_WRITE, OutcomeUnknown),
        (sqlite3.SQLITE_BUSY, Unavailable),
        (sqlite3.SQLITE_FULL, Unavailable),
        (sqlite3.SQLITE_MISUSE, InternalError),
    ],
)
def test_only_a_broken_write_leaves_the_outcome_of_a_commit_unknown(code: int, expected: type[Exception]) -> None:
    error = sqlite3.OperationalError("commit failed")
    error.sqlite_errorcode = code
    assert type(commit_fault(error)) is expected


async def test_a_job_that_fails_leaves_nothing_and_the_next_one_works(
    database: Database, storage: SqliteStorage
) -> None:
    def half(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO meta VALUES ('a', 'b')")
        connection.execute("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(InternalError) as refused:
        await database.write(half)
    assert isinstance(refused.value.__cause__, sqlite3.OperationalError)
    assert await database.read(lambda connection: connection.execute("SELECT * FROM meta").fetchall()) == []
    await storage.ping()


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(Unavailable, match="read-only"):
        await database.read(lambda connection: connection.execute("INSERT INTO meta VALUES ('a', 'b')"))


async def test_a_submission_to_an_unknown_board_is_a_fault_of_ours(storage: SqliteStorage) -> None:
    world = World(storage)
    await world.board()
    item = world.submission("ada", 1)
    ghost = replace(world.submission("bob", 1), board="ghost")
    with pytest.raises(InternalError):
        await storage.commit([world.boards["main"]] * 2, [item, ghost], world.clock.now())
    assert await world.shown() == []
    assert (await world.commit(item)).outcomes[0].status == "accepted"


async def test_evidence_is_kept_with_the_review_of_a_held_submission_and_with_others_themselves(
    database: Database, storage: SqliteStorage
) -> None:
    world = World(storage)
    await world.board()
    board = await world.board()
    evidence = (Evidence("too_fast", "shadow", {"took_ms": 3}),)
    held = await world.submit("ada", 1, status="held", evidence=evidence)
    accepted = await world.submit("ada", 2, evidence=evidence)
    await world.submit("ada", 3)
    text = '[{"rule":"too_fast","enforcement":"shadow","facts":{"took_ms":3},"version":1}]'
    reviews = await database.read(
        lambda connection: connection.execute(
            "SELECT submission_id, evidence, rules_revision, state FROM reviews"
        ).fetchall()
    )
    assert reviews == [(held.submission_id, text, board.revision, "open")]
    kept = await database.read(
        lambda connection: connection.execute("SELECT id, evidence FROM history WHERE evidence IS NOT NULL").fetchall()
    )
    assert kept == [(accepted.submission_id, text)]


async def test_every_connection_is_as_durable_and_strict_as_promised(database: Database) -> None:
    def pragmas(connection: sqlite3.Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [connection.execute(f"PRAGMA {name}").fetchall()[0][0] for name in names]

    full = 2
    assert await database.write(pragmas) == ["wal", full, 1, 1]


async def test_the_file_is_for_its_owner_only(path: Path, storage: SqliteStorage) -> None:
    await storage.ping()
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert path.name in modes


async def test_opening_again_migrates_nothing(path: Path) -> None:
    def schema() -> list[tuple[str, int]]:
        with closing(sqlite3.connect(path)) as connection:
            [(version,)] = connection.execute("PRAGMA user_version").fetchall()
            [(changes,)] = connection.execute("PRAGMA schema_version").fetchall()
            return [("user", version), ("schema", changes)]

    async with SqliteBackend(path).open():
        first = schema()
    async with SqliteBackend(path).open():
        assert schema() == first
    assert first[0] == ("user", len(migrations()))


async def test_all_that_open_a_new_file_at_once_succeed(path: Path) -> None:
    opened = await asyncio.gather(*(SqliteStorage.open(path) for _ in range(8)))
    for storage in opened:
        await storage.ping()
        await storage.close()


async def test_a_database_newer_than_the_server_is_refused(path: Path) -> None:
    async with SqliteBackend(path).open():
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(migrations()) + 1}")
    with pytest.raises(ConfigError, match="newer"):
        await SqliteStorage.open(path)


async def test_a_database_from_before_the_release_is_refused_with_what_to_do(path: Path) -> None:
    async with SqliteBackend(path).open():
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE webhooks")
    with pytest.raises(ConfigError, match=r"has no table webhooks: .* move it away"):
        await SqliteStorage.open(path)


@pytest.mark.parametrize("content", [b"this is no database, but a text that is long enough to be looked at" * 20])
async def test_a_file_that_is_no_database_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="not a SQLite database"):
        await SqliteStorage.open(path)
    assert path.read_bytes() == content


async def test_a_file_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be created"):
        await SqliteStorage.open(tmp_path / "missing" / "scoreboard.db")
