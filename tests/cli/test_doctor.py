"""`doctor` says what is wrong, one line for each part, and ends with status 1 where something is."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scoreboard.cli import main
from scoreboard.control.base import Replica
from scoreboard.doctor import judge_replicas
from tests.postgres import PostgresServer, require_postgres
from tests.redis_cluster import RedisCluster
from tests.redis_server import RedisServer
from tests.server import Server


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration to write to, and a secret for it."""
    (tmp_path / "secret").write_text("s" * 40)
    (tmp_path / "secret").chmod(0o600)
    return tmp_path / "config.yaml"


def scaled_out(config: Path, database: str, redis: str, **more: str) -> None:
    """Write a configuration with these databases."""
    sections = {
        "database": {"url": database, **more},
        "redis": {"url": redis},
        "security": {"secret_file": str(config.parent / "secret")},
    }
    config.write_text(json.dumps(sections))


def doctor(config: Path) -> Result:
    data = str(config.parent / "data")
    return CliRunner(env={}).invoke(main, ["doctor", "--config", str(config), "--data", data])


def test_a_server_that_is_alone_is_well(config: Path, tmp_path: Path) -> None:
    config.write_text("{}")
    result = doctor(config)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0] == "ok   configuration: development"
    assert "is made at the first start" in result.stdout
    with Server(tmp_path):
        result = doctor(config)
        assert result.exit_code == 0, result.output
        assert result.stdout.splitlines()[1].endswith("scoreboard.db: ok")


def test_a_broken_database_file_is_told(config: Path) -> None:
    config.write_text("{}")
    (config.parent / "data").mkdir()
    (config.parent / "data" / "scoreboard.db").write_bytes(b"no database" * 1000)
    result = doctor(config)
    assert (result.exit_code, result.stderr) == (1, "Error: this must be mended\n")
    assert "bad  database: " in result.stdout


def test_production_that_cannot_start_is_told(config: Path) -> None:
    config.write_text("server: {environment: production}")
    result = doctor(config)
    assert result.exit_code == 1
    assert "bad  configuration: security.secret_file: must be set in production" in result.stdout


def test_servers_and_what_they_stand_on_are_told_and_nothing_is_made(
    config: Path, tmp_path: Path, postgres_server: PostgresServer, redis_server: RedisServer
) -> None:
    database = postgres_server.new_database()
    scaled_out(config, database, redis_server.url)
    result = doctor(config)
    assert result.exit_code == 0, result.output
    assert "no tables yet" in result.stdout
    assert "ok   servers: none is running" in result.stdout
    assert postgres_server.execute("SELECT to_regclass('players')", database) == [(None,)]
    settings = json.loads(config.read_text())
    with Server(tmp_path, settings):
        for _ in range(100):  # it tells of itself once it is ready
            result = doctor(config)
            if "1 running" in result.stdout:
                break
        assert result.exit_code == 0, result.output
        assert "tables 1" in result.stdout
        assert "ok   servers: 1 running, clocks at most 0 ms apart" in result.stdout


def test_a_redis_that_evicts_is_told(config: Path, postgres_server: PostgresServer, own_redis: RedisServer) -> None:
    own_redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    scaled_out(config, postgres_server.new_database(), own_redis.url)
    result = doctor(config)
    assert result.exit_code == 1
    assert "bad  redis: maxmemory-policy is allkeys-lru; set it to noeviction" in result.stdout


def test_every_node_of_a_cluster_is_told(
    config: Path, postgres_server: PostgresServer, redis_cluster: RedisCluster
) -> None:
    scaled_out(config, postgres_server.new_database(), redis_cluster.url)
    result = doctor(config)
    assert result.exit_code == 0, result.output
    for node in redis_cluster.nodes:
        assert f"ok   redis 127.0.0.1:{node.port}: Redis " in result.stdout


def test_what_cannot_be_reached_is_told(config: Path) -> None:
    scaled_out(config, "postgresql://postgres@127.0.0.1:1/x", "redis://127.0.0.1:1")
    result = doctor(config)
    assert (result.exit_code, result.stderr) == (1, "Error: 2 of these must be mended\n")
    assert "bad  database: The database cannot be reached." in result.stdout
    assert "bad  redis: The ranking cannot be reached." in result.stdout


def test_a_database_that_may_lose_what_it_answered_is_told(
    config: Path, postgres_server: PostgresServer, redis_server: RedisServer
) -> None:
    database = postgres_server.new_database()
    name = database.rpartition("/")[2]
    postgres_server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    scaled_out(config, database, redis_server.url)
    result = doctor(config)
    assert result.exit_code == 1
    assert "bad  database: synchronous_commit is off: scores that were answered may be lost" in result.stdout


def test_a_standby_is_told_and_is_no_place_for_writes(
    config: Path, own_postgres: PostgresServer, redis_server: RedisServer
) -> None:
    with PostgresServer(require_postgres(), own_postgres) as standby:
        scaled_out(config, own_postgres.url(), redis_server.url, replica_url=standby.url())
        result = doctor(config)
        assert result.exit_code == 0, result.output
        assert "ok   standby: PostgreSQL" in result.stdout
        scaled_out(config, standby.url(), redis_server.url, replica_url=own_postgres.url())
        result = doctor(config)
        assert "bad  database: it is a standby; name the first server" in result.stdout
        assert "bad  standby: it is no standby" in result.stdout


@pytest.mark.parametrize(
    ("ahead_ms", "state"), [(0, "ok"), (100, "ok"), (101, "warn"), (2_000, "warn"), (2_001, "bad")]
)
def test_servers_whose_clocks_are_apart_are_told(ahead_ms: int, state: str) -> None:
    replicas = [Replica("a", 0, {}, "secret", 0), Replica("b", 0, {}, "secret", -ahead_ms)]
    assert [finding.state for finding in judge_replicas(replicas)] == [state]


def test_servers_with_different_secrets_are_told() -> None:
    findings = judge_replicas([Replica("a", 0, {}, "one"), Replica("b", 0, {}, "other")])
    assert [finding.state for finding in findings] == ["ok", "bad"]
    assert "2 different secrets" in findings[1].text
