"""A real PostgreSQL: started in a temporary folder, as another user where this one is root, stopped or killed."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import psycopg2
import pytest

from tests.ports import free_port

USER = "postgres"
START_DEADLINE_S = 30.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "on",
    "shared_buffers": "128MB",
    "max_connections": "120",
    "log_min_messages": "fatal",
    "timezone": "Asia/Kathmandu",  # whatever it is must not matter
}


def binaries() -> Path | None:
    """The folder of the newest PostgreSQL's programs, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    where = shutil.which("postgres")
    return None if where is None else Path(where).parent


class PostgresServer:
    """A server on a low port of 127.0.0.1; `start` may be called again after `stop` or `kill`."""

    def __init__(self, programs: Path, primary: "PostgresServer | None" = None) -> None:
        """A new server, or a standby of another one, to which it stays connected."""
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="scoreboard-postgres-"))
        self._root = os.geteuid() == 0
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self.port = free_port()
        if self._root:
            user = pwd.getpwnam(USER)
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        if primary is None:
            self._run("initdb", "--pgdata", str(self._data), "--username", USER, "--auth", "trust", "--no-sync")
        else:
            source = ["--host", "127.0.0.1", "--port", str(primary.port), "--username", USER]
            options = ["--write-recovery-conf", "--checkpoint", "fast", "--no-sync"]
            self._run("pg_basebackup", "--pgdata", str(self._data), *source, *options)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def pid(self) -> int:
        """The server's first process."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def url(self, database: str = USER) -> str:
        """The URL of a database."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of a new database."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)

    def execute(self, statement: str, url: str | None = None) -> list[tuple[object, ...]]:
        """Run a statement outside any transaction; its rows."""
        connection = psycopg2.connect(url or self.url())
        try:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def start(self) -> None:
        """Start the server and return once it answers."""
        options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [
            str(self._programs / "postgres"),
            "-D",
            str(self._data),
            "-p",
            str(self.port),
            "-k",
            str(self._folder),
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*command, *options], stdout=log, stderr=log, **self._as_user())
        deadline = time.monotonic() + START_DEADLINE_S
        while True:
            try:
                self.execute("SELECT 1")
                return
            except psycopg2.OperationalError:
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                assert self._process.poll() is None, (self._folder / "log").read_text()
                time.sleep(0.05)

    def start_again(self) -> None:
        """Start it if it was ended."""
        if self._process is None:
            self.start()

    def stop(self, how: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server: `fast` ends transactions and writes everything out, `immediate` is like a crash."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT if how == "fast" else signal.SIGQUIT)
            self._process.wait(START_DEADLINE_S)
            self._process = None

    def kill_backends(self, url: str) -> int:
        """End every other connection to a database from the server's side; how many there were."""
        name = url.rpartition("/")[2]
        rows = self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        return len(rows)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([str(self._programs / program), *arguments], check=True, capture_output=True, **self._as_user())

    def _as_user(self) -> dict[str, Any]:
        if not self._root:
            return {}
        user = pwd.getpwnam(USER)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}


def require_postgres() -> Path:
    """The folder of the programs; skips the test where there is none."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    return programs


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests, which nobody may stop."""
    with PostgresServer(require_postgres()) as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server that the test may stop."""
    with PostgresServer(require_postgres()) as server:
        yield server
