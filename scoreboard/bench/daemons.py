"""PostgreSQL and Redis started for a run on this machine, in a folder that is thrown away, and ended with it."""

import contextlib
import os
import pwd
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scoreboard.bench.processes import BenchError, Process, usable_cores

USER = "postgres"
"""Who runs PostgreSQL where this user is root, whom it refuses."""

PORTS = range(20_000, 32_000)
"""Below those that the kernel deals out by itself."""

STARTED_WITHIN_S = 30.0

POSTGRES = {"shared_buffers": "512MB", "max_wal_size": "4GB", "max_connections": "120", "timezone": "UTC"}
"""What an operator would set; everything that durability hangs on is as it comes."""


class Daemon(Process):
    """A server that is not ours: its processes are counted with those that it starts."""

    def __init__(self, pid: int, url: str, name: str) -> None:
        super().__init__(pid, url)
        self.name = name

    def cpu_s(self) -> float:
        """CPU time of all its processes so far, in seconds; of those that have ended, to a hundredth."""
        ended = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[13:15]
        total = self.own_cpu_s() + sum(map(int, ended)) / os.sysconf("SC_CLK_TCK")
        for child in self.helpers():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                total += child.own_cpu_s()
        return total


@contextmanager
def postgres(folder: Path) -> Iterator[Daemon]:
    """A PostgreSQL with its data in the folder. Raises BenchError where there is none to start."""
    programs, data, port = _programs(), folder / "postgres", _free_port()
    data.mkdir()
    user = _user(folder, data)
    options = " ".join(f"-c {name}={value}" for name, value in POSTGRES.items())
    control = [programs / "pg_ctl", "--pgdata", data, "--wait", "--silent"]
    _run([programs / "initdb", "--pgdata", data, "--username", USER, "--auth", "trust", "--no-sync"], user)
    where = f"-c listen_addresses=127.0.0.1 -p {port} -k {data} {options}"
    _run([*control, "--log", data / "log", "--options", where, "start"], user)
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        os.sched_setaffinity(pid, usable_cores())
        yield Daemon(pid, f"postgresql://{USER}@127.0.0.1:{port}/postgres", "postgres")
    finally:
        _run([*control, "--mode", "immediate", "stop"], user)


@contextmanager
def redis(folder: Path) -> Iterator[Daemon]:
    """A Redis that keeps nothing. Raises BenchError where there is none to start."""
    program, port = shutil.which("redis-server"), _free_port()
    if program is None:
        raise BenchError("redis-server is not installed; install it, or name one with --redis")
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen([program, *options], stdout=log, stderr=log)
    try:
        os.sched_setaffinity(process.pid, usable_cores())
        _await_port(port, process)
        yield Daemon(process.pid, f"redis://127.0.0.1:{port}/0", "redis")
    finally:
        process.kill()
        process.wait()


def _programs() -> Path:
    """The folder of the newest PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    program = found[-1] if found else shutil.which("pg_ctl")
    if program is None:
        raise BenchError("PostgreSQL is not installed; install it, or name one with --database")
    return Path(program).parent


def _user(folder: Path, data: Path) -> dict[str, Any]:
    """How to run PostgreSQL's programs as somebody who may, and who can get at the data."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(USER)
    folder.chmod(0o711)
    os.chown(data, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}


def _run(command: list[Any], user: dict[str, Any]) -> None:
    # Not a pipe: the server would inherit it, and nobody would ever see its end.
    done = subprocess.run([str(word) for word in command], check=False, stdout=subprocess.DEVNULL, **user)
    if done.returncode:
        raise BenchError(f"{Path(command[0]).name} failed")


def _free_port() -> int:
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def _await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTED_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise BenchError("redis-server did not start")
