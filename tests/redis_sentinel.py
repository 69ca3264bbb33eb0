"""A Redis with a standby, and a Sentinel that puts the standby in its place when it is gone."""

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.ports import free_port
from tests.redis_server import RedisServer, ask

MASTER = "scoreboard"
DOWN_AFTER_MS = 300
DEADLINE_S = 20.0

SETUP = """
port {port}
bind 127.0.0.1
sentinel monitor {master} 127.0.0.1 {primary} 1
sentinel down-after-milliseconds {master} {down_after_ms}
sentinel failover-timeout {master} 2000
"""


class SentinelRedis:
    """A primary, a standby and a Sentinel on low ports of 127.0.0.1."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._folder = Path(tempfile.mkdtemp(prefix="scoreboard-sentinel-"))
        self._port = free_port()
        self._running = ExitStack()
        self.primary = RedisServer(program, **{"repl-diskless-sync-delay": "0"})
        self.standby = RedisServer(program, replicaof=f"127.0.0.1 {self.primary.port}")

    def __enter__(self) -> Self:
        with ExitStack() as running:
            running.callback(shutil.rmtree, self._folder, ignore_errors=True)
            running.enter_context(self.primary)
            running.enter_context(self.standby)
            setup = self._folder / "sentinel.conf"
            setup.write_text(
                SETUP.format(port=self._port, master=MASTER, primary=self.primary.port, down_after_ms=DOWN_AFTER_MS)
            )
            process = subprocess.Popen([self._program, str(setup), "--sentinel"], stdout=subprocess.DEVNULL)
            running.callback(process.wait, DEADLINE_S)
            running.callback(process.kill)
            _until(lambda: "master_link_status:up" in self.standby.command("INFO", "replication"))
            _until(lambda: "slaves=1,sentinels=1" in ask(self._port, "INFO", "sentinel"))
            self._running = running.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def url(self) -> str:
        """Where clients find whichever is the primary."""
        return f"redis+sentinel://127.0.0.1:{self._port}/{MASTER}"

    def part(self) -> None:
        """Have the standby hear nothing more of what is written: it is lost when the primary is."""
        self.standby.command("CONFIG", "SET", "masterauth", "not the password")
        self.primary.command("CLIENT", "KILL", "TYPE", "replica")
        _until(lambda: "connected_slaves:0" in self.primary.command("INFO", "replication"))

    def fail_over(self) -> int:
        """Kill the primary and return once the standby has its place: how many bytes of what was written are lost."""
        lost = _offset(self.primary, "master_repl_offset") - _offset(self.standby, "slave_repl_offset")
        self.primary.kill()
        _until(lambda: "role:master" in self.standby.command("INFO", "replication"))
        return lost


def _offset(server: RedisServer, name: str) -> int:
    found = re.search(rf"^{name}:(\d+)", server.command("INFO", "replication"), re.MULTILINE)
    assert found is not None
    return int(found[1])


def _until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.02)
