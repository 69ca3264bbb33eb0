"""The process that commits submissions: what becomes of them, and of it, when it or the server ends."""

import asyncio
import logging
import os
import resource
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from scoreboard.clock import SECOND
from scoreboard.errors import InternalError, OutcomeUnknown, Unavailable
from scoreboard.model import AuditEntry
from scoreboard.storage.sqlite import SqliteStorage, process
from scoreboard.storage.sqlite.connection import Database, Place
from scoreboard.storage.sqlite.demand import HIGH_PER_S, Demand
from scoreboard.storage.sqlite.messages import Done, Frames, decode_said, error_of, failed, frame
from tests.processes import helpers, is_running
from tests.storage.world import World

ENTRY = AuditEntry(1, "ada", "login", "session")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scoreboard.db"


@pytest.fixture
def place() -> Place:
    return "process"


@pytest.fixture
async def world(path: Path, place: Place) -> AsyncIterator[World]:
    """A board on a storage whose submissions are committed by a process."""
    storage = await SqliteStorage.open(path, busy_timeout_ms=50, place=place)
    world = World(storage)
    await world.board(operator="sum")
    yield world
    await storage.close()
    assert helpers() == []


async def until(fulfilled: Callable[[], bool]) -> None:
    while not fulfilled():
        await asyncio.sleep(0.01)


def writer() -> int:
    """The one process that writes for this one."""
    [pid] = helpers()
    return pid


def scores(path: Path) -> list[int]:
    """What the file says was counted."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return [score for (score,) in database.execute("SELECT score FROM history ORDER BY score")]


async def test_scores_and_other_writes_take_turns_and_none_finds_the_file_locked(world: World) -> None:
    async def score(player: str) -> None:
        for number in range(20):
            await world.submit(player, number)

    async def sign_in() -> None:
        for _ in range(20):
            await world.storage.add_audit([ENTRY])

    await asyncio.gather(*(score(f"player-{number}") for number in range(4)), *(sign_in() for _ in range(4)))
    assert [score for _, score in await world.shown()] == [190] * 4
    assert len(await world.storage.audit(None, 100)) == 80


async def test_a_writer_that_is_killed_is_done_without_until_there_is_another(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first = writer()
    os.kill(first, signal.SIGKILL)
    await until(lambda: "the writer process ended with status -9" in caplog.text)
    assert (await world.submit("ada", 1)).status == "accepted"
    await until(lambda: "scores are written by process" in caplog.text)
    assert (await world.submit("ada", 2)).score == 3
    assert writer() != first
    assert not is_running(first)


async def test_a_writer_that_cannot_start_for_want_of_descriptors_does_once_there_are_some(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    pid, limits = writer(), resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            await until(lambda: "cannot be started (Too many open files)" in caplog.text)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    async with asyncio.timeout(20):
        await until(lambda: "scores are written by process" in caplog.text)
    assert (await world.submit("ada", 1)).status == "accepted"


async def test_a_batch_in_the_hands_of_a_killed_writer_is_answered_as_unknown_and_counts_once(
    world: World, path: Path
) -> None:
    items = [world.submission(f"player-{number}", 7) for number in range(3)]
    os.kill(writer(), signal.SIGSTOP)
    committing = asyncio.create_task(world.commit(*items))
    await asyncio.sleep(0)
    os.kill(writer(), signal.SIGKILL)
    with pytest.raises(OutcomeUnknown):
        await committing
    repeated = await world.commit(*items)
    assert [outcome.submission_id for outcome in repeated.outcomes] == [item.id for item in items]
    assert scores(path) == [7, 7, 7]


async def test_however_often_the_writer_is_killed_each_score_counts_once(
    world: World, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "PAUSE_S", 0.0)
    numbers, stop = count(1), asyncio.Event()

    async def score() -> None:
        while not stop.is_set():
            item = world.submission("ada", next(numbers))
            while True:
                try:
                    committal = await world.commit(item)
                except OutcomeUnknown:
                    continue
                assert committal.outcomes[0].submission_id == item.id
                break

    async def kill(after: int) -> None:
        done = len(scores(path))
        await until(lambda: bool(helpers()) and len(scores(path)) > done + after)
        for pid in helpers():
            os.kill(pid, signal.SIGKILL)

    async def kill_often() -> None:
        for after in range(1, 6):
            await kill(after)
        stop.set()

    await asyncio.gather(score(), kill_often())
    assert scores(path) == list(range(1, next(numbers)))


async def test_a_given_up_batch_is_carried_on_and_the_next_waits_for_it(world: World, path: Path) -> None:
    os.kill(writer(), signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await world.submit("ada", 1)
    adding = asyncio.create_task(world.storage.add_audit([ENTRY]))
    waiting = asyncio.create_task(world.submit("ada", 2))
    await asyncio.sleep(0.05)
    assert not adding.done()
    os.kill(writer(), signal.SIGCONT)
    await adding
    assert (await waiting).score == 3
    assert scores(path) == [1, 2]


async def test_a_batch_lies_ready_while_another_is_written_unless_somebody_else_waits(world: World) -> None:
    os.kill(writer(), signal.SIGSTOP)
    done: list[str] = []

    async def noted(what: str, work: Awaitable[object]) -> None:
        await work
        done.append(what)

    async with asyncio.TaskGroup() as group:
        for name, work in (
            ("first", world.submit("ada", 1)),
            ("second", world.submit("bob", 1)),
            ("sign-in", world.storage.add_audit([ENTRY])),
            ("third", world.submit("cid", 1)),
        ):
            group.create_task(noted(name, work))
            await asyncio.sleep(0)
        os.kill(writer(), signal.SIGCONT)
    assert done == ["first", "second", "sign-in", "third"]
    assert len(await world.shown()) == 3


async def test_a_writer_that_hangs_is_not_given_whatever_comes_meanwhile(world: World, path: Path) -> None:
    os.kill(writer(), signal.SIGSTOP)
    for score in range(1, 8):
        giving_up = asyncio.create_task(world.submit("ada", score))
        await asyncio.sleep(0)
        giving_up.cancel()
        await asyncio.wait([giving_up])
    os.kill(writer(), signal.SIGCONT)
    assert (await world.submit("ada", 10)).score == 13
    assert scores(path) == [1, 2, 10]


async def test_what_ends_a_group_of_processes_does_not_end_the_writer(world: World) -> None:
    pid = writer()
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid, number)
    await world.submit("ada", 1)
    assert writer() == pid


async def test_a_writer_that_hangs_is_killed_at_the_end(
    world: World, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("process", "connection"):
        monkeypatch.setattr(f"scoreboard.storage.sqlite.{module}.CLOSE_WITHIN_S", 0.05)
    os.kill(writer(), signal.SIGSTOP)
    committing = asyncio.create_task(world.submit("ada", 1))
    await asyncio.sleep(0)
    await world.storage.close()
    with pytest.raises(OutcomeUnknown):
        await committing
    with pytest.raises(Unavailable, match="closed"):
        await world.submit("ada", 1)


async def test_a_writer_that_hangs_while_the_server_runs_is_killed_and_another_takes_its_place(
    world: World, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(process, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(process, "PAUSE_S", 0.0)
    caplog.set_level(logging.INFO)
    os.kill(writer(), signal.SIGKILL)  # the next one is looked at more often
    await until(lambda: "scores are written by process" in caplog.text)
    caplog.clear()
    hanging = writer()
    os.kill(hanging, signal.SIGSTOP)
    items = [world.submission(f"player-{number}", 7) for number in range(2)]
    async with asyncio.timeout(20):
        committing = [asyncio.create_task(world.commit(item)) for item in items]
        await asyncio.sleep(0)
        await world.storage.add_audit([ENTRY])  # waits for both
        for answer in committing:
            with pytest.raises(OutcomeUnknown):
                await answer
        await until(lambda: "scores are written by process" in caplog.text)
    assert f"the writer process {hanging} hangs and is killed" in caplog.text
    assert not is_running(hanging)
    assert writer() != hanging
    repeated = [await world.commit(item) for item in items]
    assert [outcome.submission_id for [outcome] in (each.outcomes for each in repeated)] == [item.id for item in items]
    assert scores(path) == [7, 7]


async def test_a_locked_database_is_unavailable_and_the_writer_stays(world: World, path: Path) -> None:
    pid = writer()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            await world.submit("ada", 1)
        other.rollback()
    assert (await world.submit("ada", 2)).score == 2
    assert writer() == pid


async def test_a_disk_that_takes_no_more_refuses_scores_until_it_does(world: World, path: Path) -> None:
    await world.submit("ada", 1)
    pid, before = writer(), resource.prlimit(writer(), resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, before[1]))
    with pytest.raises(Unavailable):
        await world.submit("ada", 2)
    assert await world.shown() == [("ada", 1)]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    assert (await world.submit("ada", 4)).score == 5
    assert writer() == pid


async def test_the_writers_warnings_are_in_the_servers_log(
    world: World, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            await world.submit("ada", 1)
    [record] = [record for record in caplog.records if record.name == "scoreboard.storage.sqlite.faults"]
    assert (record.levelno, record.getMessage()) == (logging.WARNING, "sqlite: database is locked (SQLITE_BUSY)")


async def test_a_writer_that_cannot_start_is_done_without(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sys.executable", str(path.parent / "nowhere"))
    storage = await SqliteStorage.open(path, place="process")
    assert "cannot be started (No such file or directory)" in caplog.text
    world = World(storage)
    await world.board()
    assert (await world.submit("ada", 1)).status == "accepted"
    await storage.close()


@pytest.mark.parametrize("place", ["auto"])
async def test_a_writer_is_started_once_scores_come_in_fast(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await world.submit("ada", 1)
    assert helpers() == []
    for _ in range(2):
        await world.commit(*(world.submission(f"player-{number}", 1) for number in range(HIGH_PER_S // 2)))
    await until(lambda: "scores are written by process" in caplog.text)
    assert (await world.submit("ada", 1)).score == 2


def test_the_demand_is_what_came_within_a_second() -> None:
    demand, instants = Demand(), (0, SECOND - 1, SECOND, 2 * SECOND - 1)
    assert [demand.is_high(HIGH_PER_S // 2, now) for now in instants] == [False, True, False, True]


async def test_many_boards_are_told_of_once_each(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoreboard.storage.sqlite.line.MAX_BOARDS", 3)
    boards = [f"board-{number}" for number in range(8)]
    for number, board in enumerate(boards):
        await world.board(board, operator="latest", order="asc" if number % 2 else "desc")
    for score in (1, 2):
        outcomes = await world.commit(*(world.submission("ada", score, board) for board in boards))
        assert [outcome.status for outcome in outcomes.outcomes] == ["accepted"] * len(boards)
        for board in boards:
            assert (await world.submit("bob", score, board)).score == score
    for board in boards:
        assert dict(await world.shown(board)) == {"ada": 2, "bob": 2}


async def test_boards_that_are_numbered_anew_are_not_mixed_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoreboard.storage.sqlite.line.MAX_BOARDS", 3)
    for board in ("a", "b", "c", "d"):
        await world.board(board, operator="latest" if board == "d" else "sum")
    for board in ("a", "b", "c"):
        await world.submit("ada", 5, board)
    committal = await world.commit(world.submission("ada", 5, "a"), world.submission("ada", 5, "d"))
    assert [outcome.score for outcome in committal.outcomes] == [10, 5]


async def test_a_submission_that_cannot_be_told_does_not_keep_its_board_from_the_writer(world: World) -> None:
    await world.board("new")
    pid = writer()
    with pytest.raises(UnicodeEncodeError):
        await world.submit("ada", 1, "new", metadata="\ud800")
    assert (await world.submit("ada", 2, "new")).score == 2
    assert writer() == pid


async def test_a_batch_that_the_writer_does_not_understand_fails_alone(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.board("new")
    pid = writer()
    with pytest.raises(InternalError):
        await world.submit("ada", 1, "new", status="odd")
    assert "a batch failed" in caplog.text
    assert (await world.submit("ada", 2, "new")).score == 2
    assert writer() == pid


async def test_a_batch_sent_behind_one_that_is_not_understood_is_never_counted_by_another_boards_settings(
    world: World,
) -> None:
    await world.board("other", operator="best")
    await world.submit("ada", 1)
    assert (await world.submit("ada", 5, "other")).score == 5
    with pytest.raises(InternalError):  # from here on boards are numbered anew
        await world.submit("bob", 1, status="odd")
    pid = writer()
    os.kill(pid, signal.SIGSTOP)
    first = asyncio.create_task(world.submit("bob", 1, "other", status="odd"))
    await asyncio.sleep(0)
    second = asyncio.create_task(world.submit("ada", 7, "other"))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGCONT)
    with pytest.raises(InternalError):
        await first
    with pytest.raises(InternalError):
        await second
    assert await world.shown("other") == [("ada", 5)]
    assert (await world.submit("ada", 7, "other")).score == 7


async def test_closing_finishes_what_the_writer_has_in_hand(world: World, path: Path) -> None:
    committing = [asyncio.create_task(world.submit(f"player-{number}", 1)) for number in range(3)]
    await asyncio.sleep(0)
    await world.storage.close()
    assert [outcome.status for outcome in await asyncio.gather(*committing)] == ["accepted"] * 3
    assert scores(path) == [1, 1, 1]


@pytest.mark.parametrize("size", [1, 3, 4, 7, 10_000])
def test_messages_are_put_together_from_pieces(size: int) -> None:
    messages = [failed(Unavailable("full", retry_after_s=1.0)), failed(ValueError("twice")), failed(KeyError("lost"))]
    stream = b"".join(map(frame, messages))
    frames = Frames()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    found = [decode_said(body) for piece in pieces for body in frames.take(piece)]
    assert found == messages
    assert not any(isinstance(message, Done) for message in found)


@pytest.mark.parametrize(
    ("error", "kind", "detail", "retry_after_s"),
    [
        (Unavailable("The disk is full.", retry_after_s=1.0), Unavailable, "The disk is full.", 1.0),
        (OutcomeUnknown(retry_after_s=1.0), OutcomeUnknown, "", 1.0),
        (KeyError("secret"), InternalError, "", None),
    ],
)
def test_an_error_arrives_as_it_was_raised_and_a_fault_of_ours_without_its_text(
    error: Exception, kind: type[Exception], detail: str, retry_after_s: float | None
) -> None:
    arrived = error_of(failed(error))
    assert type(arrived) is kind
    assert getattr(arrived, "detail", None) == detail
    assert getattr(arrived, "retry_after_s", None) == retry_after_s


async def test_a_database_that_is_closed_before_its_writer_is_up_leaves_nothing(path: Path) -> None:
    database = Database(path, place="auto")
    await database.open()
    assert database._process is not None
    database._process.start()
    await database.close()
    assert helpers() == []
