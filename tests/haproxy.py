"""A real HAProxy in front of servers of this machine, with the setup that is shipped."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import pytest

from tests.ports import free_port

PROGRAM = shutil.which("haproxy")
START_DEADLINE_S = 20.0

SETUP = Path(__file__).parent.parent / "deploy" / "haproxy.cfg"


def filled_in(setup: str, folder: Path, port: int, servers: Sequence[str]) -> str:
    """The shipped setup on a port of this machine, in front of these addresses, noticing changes sooner."""
    lines = "\n".join(f"    server scoreboard{number} {address}" for number, address in enumerate(servers, 1))
    changes = [
        (r"maxconn \d+", "maxconn 4096"),
        (r"stats socket \S+", f"stats socket {folder}/control.sock"),
        (r"bind :80$", f"bind 127.0.0.1:{port}"),
        (r"inter 1s", "inter 300ms"),
        (r"(?:^    server \S+ \S+\n)+", f"{lines}\n"),
    ]
    for pattern, replacement in changes:
        setup, count = re.subn(pattern, replacement, setup, flags=re.MULTILINE)
        assert count, pattern
    return setup


class Haproxy:
    """A load balancer on a low port of 127.0.0.1 in front of the servers at some URLs."""

    def __init__(self, program: str, folder: Path, servers: Sequence[str]) -> None:
        self._program = program
        self._folder = folder
        self._servers = servers
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(START_DEADLINE_S)

    def start(self) -> None:
        """Start it and return once every server is in use."""
        servers = [urlsplit(url).netloc for url in self._servers]
        setup, log = self._folder / "haproxy.cfg", self._folder / "haproxy.log"
        setup.write_text(filled_in(SETUP.read_text(), self._folder, self._port, servers))
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [self._program, "-db", "-f", str(setup)], stdout=subprocess.DEVNULL, stderr=stderr
            )
        deadline = time.monotonic() + START_DEADLINE_S
        while self.in_use() < len(self._servers):
            assert time.monotonic() < deadline, log.read_text()
            assert self._process.poll() is None, log.read_text()
            time.sleep(0.05)

    def in_use(self) -> int:
        """How many servers it takes for ready; 0 while it does not run."""
        lines = [line.split(",") for line in self._ask("show stat").splitlines()]
        if not lines:
            return 0
        status = lines[0].index("status")
        return sum(
            line[0] == "ready" and line[1].startswith("scoreboard") and line[status] == "UP"
            for line in lines
            if len(line) > status
        )

    def _ask(self, command: str) -> str:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
                control.settimeout(START_DEADLINE_S)
                control.connect(str(self._folder / "control.sock"))
                control.sendall(f"{command}\n".encode())
                return b"".join(iter(lambda: control.recv(65_536), b"")).decode()
        except OSError:
            return ""


def require_haproxy() -> str:
    """The program; skips the test where there is none."""
    if PROGRAM is None:
        pytest.skip("haproxy is not installed")
    return PROGRAM
