"""A real Redis on a socket in a temporary folder, killed and started again as a test likes."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.ports import free_port

PROGRAM = shutil.which("redis-server")
START_DEADLINE_S = 20.0


class RedisServer:
    """One server on a low port of 127.0.0.1, without persistence unless told; `options` are those of its file."""

    def __init__(self, program: str, **options: str) -> None:
        self._program = program
        self._folder = Path(tempfile.mkdtemp(prefix="scoreboard-redis-"))
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, with what it had saved, and return once it answers."""
        options = {"port": str(self.port), "bind": "127.0.0.1", "dir": str(self._folder), "save": "", **self._options}
        words = [word for name, value in options.items() for word in (f"--{name}", *([value] if value else [""]))]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([self._program, *words], stdout=log, stderr=log)
        deadline = time.monotonic() + START_DEADLINE_S
        while self.command("PING") != "+PONG":
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            assert self._process.poll() is None, (self._folder / "log").read_text()
            time.sleep(0.02)

    def start_again(self) -> None:
        """Start it if it was ended, or let it go on if it hangs."""
        if self._process is None:
            self.start()
        else:
            self.resume()

    def kill(self) -> None:
        """End it without warning; what was not saved is lost."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Have it end, saving if it is told to."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Let it hang: connections stay open, and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def command(self, *words: str) -> str:
        """A command's answer as it came over the wire."""
        return ask(self.port, *words)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_DEADLINE_S)
            self._process = None


def ask(port: int, *words: str) -> str:
    """A command's answer as it came over the wire; nothing where nobody answers."""
    packed = f"*{len(words)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(packed.encode())
            return connection.recv(65_536).decode(errors="replace").strip()
    except OSError:
        return ""


def require_redis() -> str:
    """The program; skips the test where there is none."""
    if PROGRAM is None:
        pytest.skip("redis-server is not installed")
    return PROGRAM


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """One server for all tests, which nobody may stop."""
    with RedisServer(require_redis()) as server:
        yield server


@pytest.fixture
def redis_server(shared_redis: RedisServer) -> RedisServer:
    """The shared server, empty."""
    shared_redis.command("FLUSHALL")
    return shared_redis


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A server that the test may stop."""
    with RedisServer(require_redis()) as server:
        yield server
