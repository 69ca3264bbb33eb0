"""The application in each of its two modes: alone, and on a real PostgreSQL and Redis."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoreboard.config import DatabaseSettings, RedisSettings, SecuritySettings, Settings
from scoreboard.model import ActionRule, BoardSettings
from tests.api.app import NO_LIMITS
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer

BOARDS = {
    "main": BoardSettings(operator="sum", windows=("all", "day"), actions={"coin": ActionRule(max_score=100)}),
    "best": BoardSettings(operator="best", actions={"coin": ActionRule(max_score=100)}),
}


def shared_settings(folder: Path, postgres: PostgresServer, redis: RedisServer) -> Settings:
    """Settings of servers that share a new database and a Redis."""
    secret = folder / "secret"
    secret.write_text(secrets.token_hex(32))
    secret.chmod(0o600)
    return Settings(
        limits=NO_LIMITS,
        boards=BOARDS,
        database=DatabaseSettings(url=postgres.new_database(), connections=4),
        redis=RedisSettings(url=redis.url),
        security=SecuritySettings(secret_file=str(secret)),
    )


@pytest.fixture(params=["embedded", "shared"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of each mode; boards hold scores above 100."""
    if request.param == "embedded":
        yield Settings(limits=NO_LIMITS, boards=BOARDS)
    else:
        postgres = request.getfixturevalue("postgres_server")
        yield shared_settings(tmp_path, postgres, request.getfixturevalue("redis_server"))
