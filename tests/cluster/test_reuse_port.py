"""Several servers of one machine on one port: the kernel deals connections out, and goes on without one that ended."""

import re
import urllib.request
from pathlib import Path

from tests.ports import free_port
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer
from tests.server import Server

ENOUGH = 200
"""Connections after which both servers have surely had one: each goes to either with the same chance."""


def started(url: str) -> str:
    """When the server that answers was started, by which it is known."""
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        found = re.search(r"^process_start_time_seconds (\S+)$", answer.read().decode(), re.MULTILINE)
    assert found
    return found[1]


def test_servers_share_a_port_and_go_on_without_one_that_ended(
    tmp_path: Path, postgres_server: PostgresServer, redis_server: RedisServer
) -> None:
    port, secret = free_port(), tmp_path / "secret"
    secret.write_text("s" * 40)
    secret.chmod(0o600)
    config = {
        "server": {"reuse_port": True},
        "database": {"url": postgres_server.new_database(), "connections": 2},
        "redis": {"url": redis_server.url},
        "security": {"secret_file": str(secret)},
    }
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    one, other = (Server(folder, config) for folder in folders)
    one.start(port)
    try:
        first = started(one.url)
        other.start(port)
        try:
            assert other.url == one.url
            seen = {started(one.url) for _ in range(ENOUGH)}
            assert len(seen) == 2
            one.kill()
            assert {started(other.url) for _ in range(20)} == seen - {first}
        finally:
            other.stop()
    finally:
        one.stop()
