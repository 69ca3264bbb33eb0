import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from scoreboard.bench import audience
from scoreboard.bench.embedded import EmbeddedStores
from scoreboard.bench.report import Line, table
from scoreboard.bench.rounds import Plan
from scoreboard.bench.run import LINES, SCALED, run
from scoreboard.bench.scenarios import Scenario
from scoreboard.bench.shared import SharedStores, shared_stores
from scoreboard.bench.stores import Stores
from scoreboard.clock import DAY, SystemClock
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer

TINY = Plan(rounds=1, seconds=0.3, players=1_000, sockets=5, signed_in=32, crowd=20)
NAMES = {name: [name] for name in SCALED} | {
    "live": ["live-5", "live-20"],
    "replicas": ["replicas-1", "replicas-2", "replicas-3"],
}


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found need not be right here."""
    monkeypatch.setattr(audience, "ALONE_S", 0.3)
    monkeypatch.setattr(audience, "QUIET_S", 0.0)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[SharedStores]:
    """Databases on the tests' PostgreSQL, and a Redis that the benchmark starts."""
    with shared_stores(tmp_path_factory.mktemp("shared"), postgres_server.url(), "") as stores:
        yield stores


@pytest.mark.parametrize("name", LINES)
async def test_a_scenario_measures_and_prints_its_lines(name: str) -> None:
    _check(name, await _measured(name, LINES, EmbeddedStores))


@pytest.mark.parametrize("name", SCALED)
async def test_a_scenario_measures_servers_that_share_a_database(name: str, shared: SharedStores) -> None:
    _check(name, await _measured(name, SCALED, shared.at))


async def test_nothing_is_left_on_the_servers_that_were_named(
    tmp_path: Path, postgres_server: PostgresServer, own_redis: RedisServer
) -> None:
    databases = postgres_server.execute("SELECT count(*) FROM pg_database")
    with shared_stores(tmp_path, postgres_server.url(), own_redis.url) as stores:
        await _measured("update", SCALED, stores.at)
    assert postgres_server.execute("SELECT count(*) FROM pg_database") == databases
    assert own_redis.command("DBSIZE") == ":0"


async def _measured(name: str, scenarios: Mapping[str, Scenario], make: Callable[[Path], Stores]) -> list[Line]:
    started: list[str] = []
    before = os.sched_getaffinity(0)
    lines = await run(TINY, make, {name: scenarios[name]}, started.append)
    assert started == [name]
    assert os.sched_getaffinity(0) == before
    return lines


def _check(name: str, lines: list[Line]) -> None:
    assert [line.name for line in lines] == NAMES[name]
    assert all(value > 0 for line in lines for value in [*line.figures.values(), *line.limits.values()])
    assert all(line.checks or line.ratio for line in lines)
    console = Console(width=200)
    with console.capture() as printed:
        console.print(table(lines))
    assert all(f"│ {line.name}" in printed.get() for line in lines)
    assert msgspec.json.decode(msgspec.json.encode(lines))[0]["name"] == lines[0].name


async def test_few_players_are_new(tmp_path: Path, shared: SharedStores, postgres_server: PostgresServer) -> None:
    few = "SELECT count(*) < 200 FROM players WHERE created_at > "
    async with EmbeddedStores(tmp_path).filled("embedded", 1_000) as store:
        with closing(sqlite3.connect(store.database)) as database:
            assert database.execute(f"{few} {SystemClock().now() - 30 * DAY}").fetchone() == (1,)
    async with shared.at(tmp_path).filled("shared", 1_000) as store:
        assert postgres_server.execute(f"{few} now() - interval '30 days'", store.database) == [(True,)]
