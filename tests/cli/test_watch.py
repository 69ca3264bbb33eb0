"""The real command against the real server: in a pseudo terminal, and piped."""

import asyncio
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from scoreboard.cli import main
from scoreboard.client import Client
from scoreboard.wire import BatchItem
from tests.server import Server

DEADLINE_S = 30.0
HOME, ENTER, LEAVE, SHOW_CURSOR = "\x1b[H", "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"
STYLE = re.compile(r"\x1b\[[0-9;]*m")
NOT_INHERITED = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, {"live": {"drain_s": 0}}) as running:
        yield running


def post(server: Server, **scores: int) -> None:
    async def send() -> None:
        async with Client(server.url, key=server.key) as backend:
            items = [
                BatchItem(player_id=f"w:{name.encode().hex()}", name=name, board="main", score=scores[name])
                for name in scores
            ]
            await backend.batch(items)

    asyncio.run(send())


def command(url: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "scoreboard", "watch", "--url", url, *options]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    return {**kept, "TERM": "xterm-256color", "PYTHONUTF8": "1", **more}


class Terminal:
    """A pseudo terminal with a command in it; `text` is everything that was written to it."""

    def __init__(self, arguments: list[str], columns: int, lines: int, **variables: str) -> None:
        self._own, theirs = pty.openpty()
        self.resize(columns, lines)
        self.process = subprocess.Popen(
            arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**variables)
        )
        os.close(theirs)
        self._bytes = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._own)

    @property
    def text(self) -> str:
        return self._bytes.decode(errors="replace")

    @property
    def frame(self) -> list[str]:
        """The lines of what was drawn last, without styles and the blank ones below."""
        return [line.rstrip() for line in STYLE.sub("", self.text.rpartition(HOME)[2]).rstrip().splitlines()] or [""]

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._own, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, seen: Callable[[list[str]], bool]) -> list[str]:
        """Read until a drawing is as wanted, and return it."""
        deadline = time.monotonic() + DEADLINE_S
        while not seen(self.frame):
            readable, _, _ = select.select([self._own], [], [], max(0.0, deadline - time.monotonic()))
            assert readable, self.frame
            self._bytes += os.read(self._own, 65_536)
        return self.frame

    def until_closed(self) -> int:
        """Read to the end and return the exit status."""
        while True:
            try:
                self._bytes += os.read(self._own, 65_536)
            except OSError:  # how Linux says that nobody has the other end open
                return self.process.wait(DEADLINE_S)


def row(frame: list[str], name: str) -> list[str]:
    return next((line.split() for line in frame if name in line.split()), [])


def test_a_terminal_shows_the_board_live_through_a_restart_and_is_left_clean(server: Server) -> None:
    post(server, ada=20, bob=10)
    with Terminal(command(server.url), 80, 24) as terminal:
        terminal.until(lambda frame: row(frame, "ada") == ["1", "ada", "20"] and "live" in frame[-1])
        post(server, **{"bob": 25, "[red]": 1})
        frame = terminal.until(lambda frame: "new" in row(frame, "[red]"))
        assert row(frame, "bob") == ["1", "▲1", "bob", "35", "+25"]
        assert row(frame, "ada") == ["2", "▼1", "ada", "20"]
        terminal.until(lambda frame: row(frame, "bob") == ["1", "bob", "35"])
        terminal.resize(30, 5)
        terminal.until(lambda frame: len(frame) == 5 and max(map(len, frame)) <= 30 and "live" in frame[-1])
        port = urlsplit(server.url).port or 0
        server.terminate()
        terminal.until(lambda frame: "reconnecting" in frame[-1] and bool(row(frame, "bob")))
        server.start(port)
        terminal.until(lambda frame: "live" in frame[-1])
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.until_closed() == 0
        assert terminal.text.startswith(ENTER)
        assert SHOW_CURSOR in terminal.text.rpartition(HOME)[2]
        assert LEAVE in terminal.text.rpartition(HOME)[2]
        assert "Traceback" not in terminal.text


def test_a_server_that_is_away_is_waited_for(server: Server) -> None:
    port = urlsplit(server.url).port or 0
    server.terminate()
    with Terminal(command(server.url), 80, 24) as terminal:
        terminal.until(lambda frame: any(line.startswith("connecting in") for line in frame))
        server.start(port)
        terminal.until(lambda frame: frame[-1].startswith("live"))
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.until_closed() == 0
        assert LEAVE in terminal.text


def test_no_colour_is_used_where_none_is_wanted(server: Server) -> None:
    post(server, ada=20)
    with Terminal(command(server.url), 80, 24, NO_COLOR="1") as terminal:
        terminal.until(lambda frame: bool(row(frame, "ada")))
        assert not re.search(r"\x1b\[[0-9;]*3[0-7]", terminal.text)


def test_a_dumb_terminal_gets_plain_lines(server: Server) -> None:
    post(server, ada=20)
    with Terminal(command(server.url), 80, 24, TERM="dumb") as terminal:
        terminal.until(lambda frame: any(line.endswith("\tada\t20") for line in frame))
        assert "\x1b" not in terminal.text


@contextmanager
def piped(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_line(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n").split("\t")


def test_a_pipe_gets_a_line_for_each_change_at_once_and_may_be_closed(server: Server) -> None:
    post(server, ada=20)
    with piped(*command(server.url)) as process:
        assert read_line(process)[2:] == ["1", "ada", "20", ""]
        post(server, bob=30)
        assert read_line(process)[2:] == ["1", "bob", "30", "new"]
        post(server, ada=5)
        assert read_line(process)[2:] == ["2", "ada", "25", "+5"]
        assert process.stdout is not None
        process.stdout.close()
        post(server, ada=1)
        assert process.wait(DEADLINE_S) == 1
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_once_prints_the_board_and_ends(server: Server) -> None:
    post(server, ada=20, bob=30)
    with Terminal(command(server.url, "--once"), 80, 3) as terminal:
        assert terminal.until_closed() == 0
        assert row(terminal.frame, "bob") == ["1", "bob", "30"]
        assert row(terminal.frame, "ada") == ["2", "ada", "20"]
        assert ENTER not in terminal.text
    with piped(*command(server.url, "--once", "--limit", "1")) as process:
        assert read_line(process)[2:] == ["1", "bob", "30", ""]
        assert process.wait(DEADLINE_S) == 0


def test_a_board_that_is_frozen_and_revealed_is_told_beside_its_lines(server: Server) -> None:
    async def change(freeze: bool) -> None:
        async with Client(server.url, key=server.key) as backend:
            await (backend.freeze_board("main") if freeze else backend.reveal_board("main"))

    post(server, ada=20)
    with piped(*command(server.url)) as process:
        assert read_line(process)[2:] == ["1", "ada", "20", ""]
        assert process.stderr is not None
        asyncio.run(change(freeze=True))
        assert re.fullmatch(r"frozen since \d\d:\d\d\n", process.stderr.readline())
        post(server, ada=5, bob=30)
        asyncio.run(change(freeze=False))
        assert [read_line(process)[2:], read_line(process)[2:]] == [["1", "bob", "30", "new"], ["2", "ada", "25", "+5"]]
        assert process.stderr.readline() == "revealed\n"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["nowhere"], "Error: There is no board 'nowhere'.\n"),
        (["--window", "xx"], "Error: This board has the windows all, not 'xx'.\n"),
        (["--token", "nonsense"], "Error: The access token is not valid\n"),
    ],
)
def test_what_the_server_refuses_is_one_line_and_status_1(server: Server, options: list[str], complaint: str) -> None:
    with piped(*command(server.url, *options)) as process:
        assert process.communicate(timeout=DEADLINE_S) == ("", complaint)
        assert process.returncode == 1


def test_once_does_not_wait_for_a_server_that_is_away(server: Server) -> None:
    server.terminate()
    with piped(*command(server.url, "--once")) as process:
        out, err = process.communicate(timeout=DEADLINE_S)
        assert (process.returncode, out, err.count("\n")) == (1, "", 1)
        assert err == f"Error: {server.url} does not answer: Connection refused\n"


@pytest.mark.parametrize("url", ["", "localhost:8080", "ws://localhost", "http://", "http://a:99999"])
def test_an_address_that_cannot_be_one_is_refused(url: str) -> None:
    result = CliRunner().invoke(main, ["watch", "--url", url])
    assert result.exit_code == 2
    assert "must look like http://host:port" in result.output
