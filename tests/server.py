"""The real server as a subprocess: started on a port of its own choosing, stopped gently or killed, its log kept."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

READY = "ready "
START_DEADLINE_S = 30.0
STOP_DEADLINE_S = 20.0
NO_LIMITS = {
    "requests_per_minute": 0,
    "registrations_per_hour": 0,
    "logins_per_minute": 0,
    "password_tries": 0,
    "sockets_per_address": 0,
    "sockets_per_player": 0,
    "player_writes_per_minute": 0,
    "key_requests_per_minute": 0,
    "messages_per_minute": 0,
    "concurrent_requests": 0,
}


class Server:
    """One server on a data folder; `start` may be called again after `kill` or `terminate`."""

    def __init__(self, folder: Path, config: Mapping[str, Any] | None = None) -> None:
        self.data = folder / "data"
        self.url = ""
        self.config = folder / "config.yaml"
        self.config.write_text(json.dumps({"limits": NO_LIMITS, **(config or {})}))
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process is not None
        return self._process.pid

    @property
    def key(self) -> str:
        """The API key with every scope."""
        return (self.data / "admin.key").read_text().strip()

    @property
    def log(self) -> str:
        """Everything written to stderr so far, over all starts."""
        return self._log.read_text(errors="replace")

    def start(self, port: int = 0, **variables: str) -> None:
        """Start the server, on any free port unless told, and return once it said that it is ready."""
        self.launch(port, **variables)
        self.await_ready()

    def launch(self, port: int = 0, **variables: str) -> None:
        """Start the server with further environment variables, and do not wait for it."""
        command = [sys.executable, "-m", "scoreboard", "serve", "--port", str(port)]
        command += ["--data", str(self.data), "--config", str(self.config)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SCOREBOARD_")}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, env={**environment, **variables}
            )

    def await_ready(self) -> None:
        """Return once it said that it is ready."""
        assert self._process is not None
        line = self._first_line(self._process)
        assert line.startswith(READY), f"said {line!r}, and in the log:\n{self.log}"
        self.url = line.removeprefix(READY).strip()

    def stop(self) -> None:
        """Ask the server to stop if it runs."""
        if self._process is not None:
            self.terminate()

    def kill(self) -> None:
        """End the server without warning, as `kill -9` does."""
        self._end(signal.SIGKILL)

    def terminate(self) -> int:
        """Ask the server to stop and return its exit status."""
        return self._end(signal.SIGTERM)

    def ended(self) -> int:
        """Wait until the server ends by itself; its exit status."""
        process, self._process = self._process, None
        assert process is not None
        assert process.stdout is not None
        try:
            return process.wait(START_DEADLINE_S)
        finally:
            process.kill()
            process.stdout.close()

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        assert process is not None
        assert process.stdout is not None
        process.send_signal(how)
        try:
            return process.wait(STOP_DEADLINE_S)
        finally:
            process.kill()
            process.stdout.close()

    @staticmethod
    def _first_line(process: subprocess.Popen[bytes]) -> str:
        assert process.stdout is not None
        deadline = time.monotonic() + START_DEADLINE_S
        readable, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        if not readable:
            process.kill()
            return ""
        return process.stdout.readline().decode()
