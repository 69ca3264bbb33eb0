"""`verify`: standings that are not what their history comes to are found, with and without other servers."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from scoreboard.client import Client
from scoreboard.wire import BatchItem
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer
from tests.server import Server

BOARDS = {"main": {"operator": "sum"}, "other": {}}
PLAYERS = 120
OTHER = "other all all: history: 0 ok"


def verify(server: Server, *options: str) -> tuple[int, list[str]]:
    """Exit status and lines of the command, which may run beside the server."""
    command = [sys.executable, "-m", "scoreboard", "verify", "--config", str(server.config), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).splitlines()


async def fill(server: Server) -> None:
    async with Client(server.url, key=server.key) as client:
        for number in range(3):
            items = [
                BatchItem(id=f"{number}-{player}", player_id=f"e:{player:03}", board="main", score=number)
                for player in range(PLAYERS)
            ]
            assert {item.status for item in await client.batch(items)} == {"accepted"}


@pytest.fixture
def sections(tmp_path: Path) -> dict[str, object]:
    return {"boards": BOARDS, "data": {"dir": str(tmp_path / "data")}}


async def test_a_standing_that_is_not_what_its_history_comes_to_is_found_in_sqlite(
    tmp_path: Path, sections: dict[str, object]
) -> None:
    with Server(tmp_path, sections) as server:
        await fill(server)
        assert verify(server, "main") == (0, ["main all all: history: 50 ok"])
        assert verify(server, "--history", "all") == (
            0,
            ["main all all: history: 120 ok", "other all all: history: 0 ok"],
        )
        with closing(sqlite3.connect(server.data / "scoreboard.db", isolation_level=None)) as connection:
            connection.execute("UPDATE standings SET score = score + 1 WHERE player_id = 'e:077'")
        status, said = verify(server, "main", "--history", "all")
        assert (status, said[0]) == (1, "main all all: history: 1 of 120 differ: e:077")
        assert verify(server, "main", "--history", "none")[0] == 2
        status, said = verify(server, "--data", str(tmp_path / "nowhere"))
        assert (status, said) == (1, [f"Error: {tmp_path}/nowhere/scoreboard.db: there is no such database"])


async def test_what_a_frozen_board_keeps_from_view_is_compared_too(tmp_path: Path, sections: dict[str, object]) -> None:
    with Server(tmp_path, {**sections, "boards": {"days": {"windows": ["day"]}}}) as server:
        async with Client(server.url, key=server.key) as client:
            await client.freeze_board("days")
            past = BatchItem(player_id="e:ada", board="days", score=1, at="2026-01-01T10:00:00Z")
            assert [item.status for item in await client.batch([past])] == ["accepted"]
        assert "days day 2026-01-01: history: 1 ok" in verify(server, "--history", "all")[1]
        with closing(sqlite3.connect(server.data / "scoreboard.db", isolation_level=None)) as connection:
            connection.execute("UPDATE standings SET score = 2")
        assert verify(server, "--history", "all")[0] == 1


async def test_it_is_found_in_postgresql_where_the_ranking_agrees_with_the_standing(
    tmp_path: Path, sections: dict[str, object], postgres_server: PostgresServer, own_redis: RedisServer
) -> None:
    url = postgres_server.new_database()
    shared = {"database": {"url": url}, "redis": {"url": own_redis.url}}
    with Server(tmp_path, {**sections, **shared, "security": secret(tmp_path)}) as server:
        await fill(server)
        assert verify(server, "main") == (0, ["main all all: ranking: 120 ok; history: 50 ok"])
        postgres_server.execute("DELETE FROM history WHERE player_id = 'e:003' AND score = 2", url)
        postgres_server.execute("UPDATE history SET score = 3 WHERE player_id = 'e:101' AND score = 2", url)
        status, said = verify(server, "main", "--history", "all")
        assert status == 1
        assert said == [
            "main all all: ranking: 120 ok; history: 2 of 120 differ: e:003, e:101",
            "Error: 2 standings differ",
        ]


def secret(folder: Path) -> dict[str, str]:
    path = folder / "secret"
    path.write_text("s" * 40)
    path.chmod(0o600)
    return {"secret_file": str(path)}
