"""What PostgreSQL and its driver do on a bad day never leaves the backend as something else than it is."""

import asyncio
import gc
import os
import signal
import time
from collections.abc import AsyncIterator, Callable

import pytest
import uvloop

from scoreboard.clock import SECOND, ManualClock, SystemClock
from scoreboard.errors import InternalError, OutcomeUnknown, Unavailable
from scoreboard.storage.postgres import PostgresStorage
from scoreboard.storage.postgres.connections import STATEMENT_TIMEOUT_MS, Connection, Connections
from scoreboard.storage.postgres.faults import Lost
from tests.postgres import PostgresServer
from tests.storage.world import World

SOON_S = 5.0


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    """A database of its own."""
    return postgres_server.new_database()


@pytest.fixture
async def connections(url: str) -> AsyncIterator[Connections]:
    """Two connections to it, both open."""
    connections = Connections(url, SystemClock(), 2)
    await connections.fill()
    yield connections
    await connections.close()


async def pid_of(connection: Connection) -> int:
    [(pid,)], _ = await connection.run("SELECT pg_backend_pid()")
    return int(pid)


async def sleep_in(connections: Connections, started: asyncio.Event) -> None:
    """Keep a connection busy for long."""
    async with connections.use() as connection:
        started.set()
        await connection.run("SELECT pg_sleep(60)")


async def test_a_statement_that_the_server_stopped_is_no_cancellation(connections: Connections) -> None:
    """A TaskGroup would swallow one, and whoever waits would never be answered."""

    async def slow() -> None:
        async with connections.use() as connection:
            await connection.run("SET statement_timeout = 30")
            await connection.run("SELECT pg_sleep(60)")

    with pytest.raises(ExceptionGroup) as group:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(slow())
    [fault] = group.value.exceptions
    assert isinstance(fault, Unavailable)
    assert not isinstance(fault, OutcomeUnknown)


async def test_a_connection_outlives_a_statement_that_the_server_stopped(connections: Connections) -> None:
    async with connections.use() as connection:
        pid = await pid_of(connection)
        await connection.run("SET statement_timeout = 30")
        with pytest.raises(Unavailable):
            await connection.run("SELECT pg_sleep(60)")
        assert await pid_of(connection) == pid


async def test_the_server_stops_what_nobody_waits_for_any_more(connections: Connections) -> None:
    async with connections.use() as connection:
        [(limit,)], _ = await connection.run(
            "SELECT setting::integer FROM pg_settings WHERE name = 'statement_timeout'"
        )
    assert limit == STATEMENT_TIMEOUT_MS


async def test_a_broken_connection_wakes_whoever_waits_for_one(
    connections: Connections, url: str, postgres_server: PostgresServer
) -> None:
    busy = [asyncio.Event(), asyncio.Event()]
    holders = [asyncio.create_task(sleep_in(connections, started)) for started in busy]
    for started in busy:
        await started.wait()

    async def wait() -> int:
        async with connections.use() as connection:
            return await pid_of(connection)

    waiters = [asyncio.create_task(wait()) for _ in range(5)]
    async with asyncio.timeout(SOON_S):
        while postgres_server.kill_backends(url) < len(holders):
            await asyncio.sleep(0.02)
        assert all(await asyncio.gather(*waiters))
        faults = await asyncio.gather(*holders, return_exceptions=True)
    assert {type(fault) for fault in faults} == {Lost}


async def test_a_connect_that_hangs_holds_up_nobody_who_can_have_a_free_connection(
    own_postgres: PostgresServer,
) -> None:
    connections = Connections(own_postgres.url(), SystemClock(), 2)
    await connections.fill()
    async with connections.use() as connection:
        pid = await pid_of(connection)
    own_postgres.execute(f"SELECT pg_terminate_backend({pid})")
    while own_postgres.execute(f"SELECT FROM pg_stat_activity WHERE pid = {pid}"):
        await asyncio.sleep(0.02)
    os.kill(own_postgres.pid, signal.SIGSTOP)  # those who are connected go on, nobody new is let in
    try:
        async with asyncio.timeout(SOON_S):
            answers = await asyncio.gather(*(use(connections) for _ in range(2)), return_exceptions=True)
    finally:
        os.kill(own_postgres.pid, signal.SIGCONT)
    assert sorted(type(answer).__name__ for answer in answers) == ["Unavailable", "int"]
    await connections.close()


async def use(connections: Connections) -> int:
    async with connections.use() as connection:
        return await pid_of(connection)


async def test_closing_does_not_wait_for_a_caller_that_was_cancelled(connections: Connections) -> None:
    started = asyncio.Event()
    caller = asyncio.create_task(sleep_in(connections, started))
    await started.wait()
    caller.cancel()
    async with asyncio.timeout(SOON_S):
        await connections.close()
        with pytest.raises(asyncio.CancelledError):
            await caller
    with pytest.raises(Unavailable):
        await use(connections)


async def test_a_connection_whose_statement_was_given_up_is_not_used_again(url: str) -> None:
    """The statement may still run: what came next on that connection might get its answer."""
    connections = Connections(url, SystemClock(), 1)
    pid = await use(connections)
    started = asyncio.Event()
    caller = asyncio.create_task(sleep_in(connections, started))
    await started.wait()
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert await use(connections) != pid
    await connections.close()


async def test_several_statements_at_once_happen_all_or_not_at_all(connections: Connections) -> None:
    async with connections.use() as connection:
        await connection.run("CREATE TABLE kept (n integer)")
        rows, _ = await connection.run("INSERT INTO kept VALUES (1); SELECT n FROM kept")
        assert rows == [(1,)]
        with pytest.raises(InternalError):
            await connection.run("INSERT INTO kept VALUES (2); SELECT 1 / 0")
        rows, _ = await connection.run("SELECT n FROM kept")
        assert rows == [(1,)]


async def world_of(url: str) -> World:
    world = World(await PostgresStorage.open(url, connections=2))
    await world.board()
    await world.submit("ada", 1)
    return world


Disturb = Callable[[PostgresServer, str], None]


def end_connections(server: PostgresServer, url: str) -> None:
    server.kill_backends(url)


def restart_fast(server: PostgresServer, url: str) -> None:
    server.stop("fast")
    server.start()


def restart_at_once(server: PostgresServer, url: str) -> None:
    server.stop("immediate")
    server.start()


@pytest.mark.parametrize("disturb", [end_connections, restart_fast, restart_at_once])
async def test_idle_connections_that_broke_are_replaced_unnoticed(
    own_postgres: PostgresServer, disturb: Disturb
) -> None:
    url = own_postgres.new_database()
    world = await world_of(url)
    disturb(own_postgres, url)
    assert await world.shown() == [("ada", 1)]
    await world.submit("bob", 2)
    disturb(own_postgres, url)
    await world.submit("cyd", 3)
    assert await world.shown() == [("ada", 1), ("bob", 2), ("cyd", 3)][::-1]
    await world.storage.close()


async def test_a_write_whose_connection_broke_has_an_unknown_outcome_and_may_be_repeated(
    url: str, postgres_server: PostgresServer
) -> None:
    world = await world_of(url)
    postgres_server.execute("CREATE TABLE gate (n integer)", url)
    postgres_server.execute(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$",
        url,
    )
    postgres_server.execute("CREATE TRIGGER slow BEFORE INSERT ON actions FOR EACH ROW EXECUTE FUNCTION wait()", url)
    submission = world.submission("ada", 5)
    commit = asyncio.create_task(world.commit(submission))
    asked = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT outbox_id%' AND state = 'active'"
    async with asyncio.timeout(SOON_S):
        while not postgres_server.execute(asked):
            await asyncio.sleep(0.02)
    postgres_server.kill_backends(url)
    with pytest.raises(OutcomeUnknown):
        await commit
    postgres_server.execute("DROP TRIGGER slow ON actions", url)
    committal = await world.commit(submission)
    assert not committal.outcomes[0].repeat
    assert await world.shown() == [("ada", 5)]
    await world.storage.close()


async def test_a_commit_that_a_synchronous_standby_does_not_have_is_not_acknowledged(
    own_postgres: PostgresServer,
) -> None:
    """Told not to wait any longer, the server answers success with a mere warning."""
    world = await world_of(own_postgres.new_database())
    own_postgres.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    own_postgres.execute("SELECT pg_reload_conf()")
    waits = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    commit = asyncio.create_task(world.submit("ada", 5))
    async with asyncio.timeout(SOON_S):
        while not (waiting := own_postgres.execute(waits)):
            await asyncio.sleep(0.02)
    own_postgres.execute(f"SELECT pg_cancel_backend({waiting[0][0]})")
    with pytest.raises(OutcomeUnknown):
        await commit
    await world.storage.close()


def test_under_uvloop_the_connect_after_a_refused_one_works_and_leaves_no_noise(
    own_postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()

    async def scenario() -> None:
        connections = Connections(own_postgres.url(), clock, 2)
        for _ in range(3):
            own_postgres.stop()
            with pytest.raises(Unavailable):
                await use(connections)
            own_postgres.start()
            clock.advance(10 * SECOND)
            assert await use(connections)
            assert await asyncio.gather(use(connections), use(connections))
        await connections.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())
        gc.collect()
    assert {record.name for record in caplog.records} == {"scoreboard.storage.postgres.connections"}


async def test_who_asks_a_server_that_is_away_is_refused_at_once(own_postgres: PostgresServer) -> None:
    world = await world_of(own_postgres.url())
    own_postgres.stop()
    begun = time.monotonic()
    for _ in range(50):
        with pytest.raises(Unavailable):
            await world.submit("ada", 1)
    assert time.monotonic() - begun < SOON_S
    assert not world.storage.is_up
    await world.storage.close()


async def test_servers_that_start_at_once_make_the_tables_once(url: str, postgres_server: PostgresServer) -> None:
    storages = await asyncio.gather(*(PostgresStorage.open(url, connections=2) for _ in range(4)))
    assert postgres_server.execute("SELECT version FROM schema_version", url) == [(1,)]
    for storage in storages:
        await storage.close()
