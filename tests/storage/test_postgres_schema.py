"""The tables: made once, migrated in steps that happen whole or not at all, and read by the indexes they have."""

import asyncio

import pytest

from scoreboard.clock import DAY, SystemClock
from scoreboard.errors import ConfigError, InternalError
from scoreboard.model import BoardPeriod
from scoreboard.storage.postgres import PostgresStorage, schema
from scoreboard.storage.postgres.connections import Connections
from scoreboard.storage.postgres.database import QUERIES
from tests.postgres import PostgresServer
from tests.storage.world import World

STEPS = {
    2: "CREATE TABLE second (n integer); INSERT INTO second VALUES (2)",
    3: "ALTER TABLE second ADD COLUMN third integer",
}


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    """A database of its own."""
    return postgres_server.new_database()


async def opened(url: str) -> None:
    """Start and stop, as a server does."""
    storage = await PostgresStorage.open(url, connections=2)
    await storage.close()


async def test_servers_that_start_at_once_migrate_once(
    url: str, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(url)
    monkeypatch.setattr(schema, "migrations", lambda: STEPS)
    await asyncio.gather(*(opened(url) for _ in range(4)))
    assert postgres_server.execute("SELECT version FROM schema_version ORDER BY 1", url) == [(1,), (2,), (3,)]
    assert postgres_server.execute("SELECT n, third FROM second", url) == [(2, None)]


async def test_a_migration_that_fails_leaves_nothing_of_itself_and_is_done_by_a_later_start(
    url: str, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(url)
    monkeypatch.setattr(schema, "migrations", lambda: {2: f"{STEPS[2]}; SELECT 1 / 0"})
    with pytest.raises(InternalError):
        await opened(url)
    assert postgres_server.execute("SELECT to_regclass('second')", url) == [(None,)]
    monkeypatch.setattr(schema, "migrations", lambda: STEPS)
    await opened(url)
    assert postgres_server.execute("SELECT max(version) FROM schema_version", url) == [(3,)]


async def test_a_database_of_a_newer_server_is_left_alone(url: str, postgres_server: PostgresServer) -> None:
    await opened(url)
    postgres_server.execute("INSERT INTO schema_version (version) VALUES (99)", url)
    with pytest.raises(ConfigError, match="version 99, newer than this server's"):
        await opened(url)


async def test_a_database_from_before_the_release_is_refused_with_what_to_do(
    url: str, postgres_server: PostgresServer
) -> None:
    await opened(url)
    postgres_server.execute("DROP TABLE webhooks", url)
    with pytest.raises(ConfigError, match=r"has no table webhooks: .* move it away"):
        await opened(url)


async def test_the_first_rows_of_a_board_are_read_in_order_from_the_index(url: str) -> None:
    """However many players there are, as many rows are looked at as are shown."""
    storage = await PostgresStorage.open(url, connections=2)
    world = World(storage)
    await world.board()
    await world.commit(*(world.submission(f"p{number}", number) for number in range(500)))
    period = BoardPeriod("main", "all", "all")
    connections = Connections(url, SystemClock(), 1)
    async with connections.use() as connection:
        await connection.run("ANALYZE standings; ANALYZE players")
        statement = f"EXPLAIN {QUERIES['page']}"
        rows, _ = await connection.run(statement, {**period._asdict(), "limit": 10})
    plan = "\n".join(line for (line,) in rows)
    assert "Index Scan using standings_order on standings" in plan, plan
    assert plan.count("->  Sort") == 1, plan  # of the few rows of both parts: what is as it is shown, and what is kept
    await connections.close()
    await storage.close()


async def test_there_is_a_partition_for_this_month_and_the_next_ones(url: str, postgres_server: PostgresServer) -> None:
    await opened(url)
    for table in ("history", "audit"):
        counted = f"SELECT count(*) FROM pg_inherits WHERE inhparent = '{table}'::regclass"
        assert postgres_server.execute(counted, url) == [(4,)]  # three months, and one for all else


async def test_a_forgotten_month_is_a_dropped_table(url: str, postgres_server: PostgresServer) -> None:
    storage = await PostgresStorage.open(url, connections=2)
    world = World(storage)
    await world.board()
    now = SystemClock().now()
    await world.submit("ada", 1, at=now)
    before = postgres_server.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'history'::regclass", url)
    await storage.forget_history(now + 32 * DAY)
    after = postgres_server.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'history'::regclass", url)
    assert (before, after) == ([(4,)], [(3,)])
    assert postgres_server.execute("SELECT count(*) FROM history", url) == [(0,)]
    assert await world.shown() == [("ada", 1)]
    await storage.close()
