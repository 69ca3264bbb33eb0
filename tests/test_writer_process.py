"""A server and the process that writes its scores, as whoever runs the two sees them."""

import fcntl
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoreboard.client import Client
from scoreboard.errors import ActionTokenUsed
from scoreboard.lock import WRITER_LOCK
from tests.processes import helpers, is_running
from tests.server import STOP_DEADLINE_S, Server

CONFIG = {"database": {"sqlite_writer": "process"}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, CONFIG) as running:
        yield running


def writer_of(pid: int) -> int:
    """The process that writes for a server."""
    [writer] = helpers(pid)
    return writer


async def test_scores_are_written_by_a_process_that_ends_with_the_server(server: Server) -> None:
    writer = writer_of(server.pid)
    async with Client(server.url, key=server.key) as backend:
        token = (await backend.exchange("d:ada")).access_token
    async with Client(server.url, token=token) as player:
        started = await player.start_action("main", "coin")
        assert (await player.submit("main", started.action_token, 7)).status == "accepted"
        assert [row.score async for row in player.standings("main")] == [7]
    assert server.terminate() == 0
    assert not is_running(writer)
    assert f"scores are written by process {writer}" in server.log
    assert "Traceback" not in server.log
    assert "Warning" not in server.log


async def test_a_server_whose_writer_is_killed_goes_on(server: Server) -> None:
    async with Client(server.url, key=server.key) as backend:
        token = (await backend.exchange("d:ada")).access_token
    async with Client(server.url, token=token) as player:
        for score in range(1, 6):
            started = await player.start_action("main", "coin")
            for pid in helpers(server.pid):
                os.kill(pid, signal.SIGKILL)
            try:
                await player.submit("main", started.action_token, score)
            except ActionTokenUsed as used:  # the client repeated what it was told is unknown
                assert used.result is not None
                assert used.result["status"] == "accepted"
        assert [row.score async for row in player.standings("main")] == [15]
    with urllib.request.urlopen(f"{server.url}/readyz") as answer:
        assert answer.status == 200
    assert server.terminate() == 0


def test_ctrl_c_goes_to_all_processes_and_ends_them_in_order(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCOREBOARD_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "scoreboard", "serve", "--port", "0", "--data", str(tmp_path / "data")],
        env=environment | {"SCOREBOARD__DATABASE__SQLITE_WRITER": "process"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ready ")
    writer = writer_of(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=STOP_DEADLINE_S)
    assert (output, process.returncode) == ("", 0), errors
    assert "Traceback" not in errors
    assert "writer process ended" not in errors
    assert not is_running(writer)


def test_a_killed_servers_writer_ends_by_itself_and_no_other_server_starts_before(server: Server) -> None:
    writer = writer_of(server.pid)
    os.kill(writer, signal.SIGSTOP)  # in the midst of a transaction, for all that anybody can tell
    server.kill()
    with (server.data / WRITER_LOCK).open("rb") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        server.launch()
        os.kill(writer, signal.SIGCONT)
        server.await_ready()
    assert writer_of(server.pid) != writer
