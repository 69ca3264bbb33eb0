"""The command that writes a whole board to a file."""

import asyncio
import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from click.testing import CliRunner

from scoreboard.cli import main
from scoreboard.client import Client
from scoreboard.wire import BatchItem
from tests.server import Server

PLAYERS = 700


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("export"), {"live": {"drain_s": 0}}) as running:

        async def score() -> None:
            async with Client(running.url, key=running.key) as backend:
                names = [f"player {n}, the {n}th" for n in range(PLAYERS)]
                await backend.batch(
                    [
                        BatchItem(player_id=f"x:{n}", name=name, board="main", score=PLAYERS - n)
                        for n, name in enumerate(names)
                    ]
                )

        asyncio.run(score())
        yield running


def export(server: Server, *options: str, board: str = "main") -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["export", board, "--url", server.url, *options])
    return result.exit_code, result.stdout, result.stderr


def test_a_board_goes_to_stdout_or_to_a_file(server: Server, tmp_path: Path) -> None:
    status, text, said = export(server)
    assert (status, said) == (0, "")
    [head, *rows] = csv.reader(text.splitlines())
    assert head == ["position", "rank", "player_id", "name", "score", "achieved_at"]
    assert [row[:5] for row in rows] == [
        [str(n + 1), str(n + 1), f"x:{n}", f"player {n}, the {n}th", str(PLAYERS - n)] for n in range(PLAYERS)
    ]
    file = tmp_path / "board.json"
    assert export(server, "--format", "json", "--window", "all", "-o", str(file)) == (0, "", "")
    board = json.loads(file.read_text())
    assert (board["total"], len(board["rows"]), board["moved"]) == (PLAYERS, PLAYERS, False)
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_had_is_one_line_and_no_file(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.client.rest.pause_s", lambda attempt, retry_after_s=None: 0.0)
    file = tmp_path / "board.csv"
    for board, options, said in (
        ("nowhere", (), "There is no board 'nowhere'."),
        ("main", ("--window", "day"), "This board has the windows all, not 'day'."),
        ("main", ("--url", "http://127.0.0.1:9"), "127.0.0.1:9"),
    ):
        status, _, error = export(server, "-o", str(file), *options, board=board)
        assert status == 1
        assert said in error
        assert error.count("\n") == 1
    status, _, error = export(server, "-o", str(tmp_path / "nowhere" / "board.csv"))
    assert (status, error) == (1, f"Error: {tmp_path}/nowhere/board.csv: No such file or directory\n")
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_written_to_and_a_link_leads_to_the_new_file(server: Server, tmp_path: Path) -> None:
    pipe, link, target = tmp_path / "pipe", tmp_path / "link.csv", tmp_path / "board.csv"
    os.mkfifo(pipe)
    target.write_text("an older one")
    link.symlink_to(target)
    with open(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as reading:
        assert export(server, "-o", str(pipe)) == (0, "", "")
        text = reading.read()
    assert pipe.is_fifo()
    assert text.count(b"\n") == PLAYERS + 1
    assert export(server, "-o", str(link)) == (0, "", "")
    assert link.is_symlink()
    assert target.read_bytes() == text


async def test_a_whole_file_stays_though_the_server_was_gone_before_it_told_whether_it_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.client.rest.pause_s", lambda attempt, retry_after_s=None: 0.0)

    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=503) if request.method == "HEAD" else web.Response(text="a,b\r\n")

    app = web.Application()
    app.router.add_route("*", "/api/v1/boards/main/export", handle)
    file = tmp_path / "board.csv"
    async with TestServer(app) as gone:
        command = ["export", "main", "--url", str(gone.make_url("")), "-o", str(file)]
        result = await asyncio.to_thread(CliRunner().invoke, main, command)
    assert (result.exit_code, result.stdout, file.read_bytes()) == (0, "", b"a,b\r\n")
    assert result.stderr.startswith("whether the board moved")
    assert result.stderr.count("\n") == 1


def test_a_reader_that_has_enough_ends_it_in_one_line(server: Server) -> None:
    command = f"{sys.executable} -m scoreboard export main --url {server.url} | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == "position,rank,player_id,name,score,achieved_at\n"
    assert "Traceback" not in done.stderr
