"""`verify` and `rebuild` against real servers, and what they say where they cannot."""

import asyncio
import json
import sys
from pathlib import Path

from tests.postgres import PostgresServer
from tests.redis_server import RedisServer


async def test_an_unknown_board_is_one_line_and_status_1(
    tmp_path: Path, postgres_server: PostgresServer, redis_server: RedisServer
) -> None:
    (tmp_path / "secret").write_text("s" * 40)
    (tmp_path / "secret").chmod(0o600)
    config = tmp_path / "config.yaml"
    sections = {
        "database": {"url": postgres_server.new_database()},
        "redis": {"url": redis_server.url},
        "security": {"secret_file": str(tmp_path / "secret")},
        "data": {"dir": str(tmp_path / "data")},
    }
    config.write_text(json.dumps(sections))
    for command in ("verify", "rebuild"):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "scoreboard", command, "nosuch", "--config", str(config)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert (output, errors, process.returncode) == (b"", b"Error: There is no board 'nosuch'.\n", 1)
