"""A real nginx in front of servers of this machine, with the setup that is shipped."""

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

PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
START_DEADLINE_S = 20.0
SETUP = Path(__file__).parent.parent / "deploy" / "nginx.conf"


def filled_in(setup: str, folder: Path, port: int, servers: Sequence[str]) -> str:
    """The shipped setup on a port of this machine, in front of these addresses, with its files in a folder."""
    lines = "\n".join(f"        server {address} max_fails=1 fail_timeout=2s;" for address in servers)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    files = "\n".join(f"    {kind}_temp_path {folder}/{kind};" for kind in kinds)
    changes = [
        (r"^worker_processes auto;$", "worker_processes 1;"),
        (r"worker_connections \d+", "worker_connections 256"),
        (r"^http \{$", f"http {{\n{files}\n    access_log off;"),
        (r"listen 80;", f"listen 127.0.0.1:{port};"),
        (r"(?:^        server \S+ max_fails=1 fail_timeout=2s;\n)+", f"{lines}\n"),
    ]
    for pattern, replacement in changes:
        setup, count = re.subn(pattern, replacement, setup, flags=re.MULTILINE)
        assert count == 1, pattern
    return setup


class Nginx:
    """nginx on a low port of 127.0.0.1 in front of the servers at some URLs."""

    def __init__(self, program: str, folder: Path, servers: Sequence[str]) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        setup, log = folder / "nginx.conf", folder / "nginx.log"
        addresses = [urlsplit(url).netloc for url in servers]
        setup.write_text(filled_in(SETUP.read_text(), folder, self._port, addresses))
        options = f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {log};"
        self.command = [program, "-p", str(folder), "-c", str(setup), "-e", str(log), "-g", options]
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_DEADLINE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
                return self
            except OSError:
                assert time.monotonic() < deadline, (self._folder / "nginx.log").read_text()
                assert self._process.poll() is None, (self._folder / "nginx.log").read_text()
                time.sleep(0.02)

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(START_DEADLINE_S)


def require_nginx() -> str:
    """The program; skips the test where there is none."""
    if PROGRAM is None:
        pytest.skip("nginx is not installed")
    return PROGRAM
