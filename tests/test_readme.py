"""What the README says is done as it stands there."""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoreboard.client import Client
from scoreboard.wire import BatchItem
from tests.server import Server

README = Path(__file__).parent.parent / "README.md"
DEADLINE_S = 30.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path) as server:
        yield server


async def test_the_program_that_follows_a_board_prints_it_and_ends_at_ctrl_c_without_a_word(
    tmp_path: Path, server: Server
) -> None:
    async with Client(server.url, key=server.key) as backend:
        await backend.batch([BatchItem(player_id="x:ada", name="ada", board="main", score=7)])
    [program] = re.findall(r"```python\n(.*?Live\(.*?)```", README.read_text().partition("## Your own")[0], re.DOTALL)
    path = tmp_path / "follow.py"
    path.write_text(program.replace("http://127.0.0.1:8080", server.url))
    process = subprocess.Popen(
        [sys.executable, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], DEADLINE_S)[0]
        assert process.stdout.readline() == "1. ada: 7\n"
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
    assert (output, errors, process.returncode) == ("", "", 0)
