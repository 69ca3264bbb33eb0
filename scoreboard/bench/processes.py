"""The processes that are measured: started on any core, or one other than the load's, and read from outside."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Protocol

READY = b"ready "
READY_WITHIN_S = 120
_CPU_OF_PROCESS = 2


class BenchError(Exception):
    """The run cannot go on; what it says is for the user."""


class Measured(Protocol):
    """What uses CPU time in a run."""

    name: str
    url: str

    def cpu_s(self) -> float:
        """CPU time so far, in seconds."""


class Process:
    """A running process: where it answers, and what it has used."""

    def __init__(self, pid: int, url: str, name: str = "server") -> None:
        self.pid = pid
        self.url = url
        self.name = name

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rpartition(":")[2])

    def cpu_s(self) -> float:
        """CPU time so far, in seconds, of all its threads and of the processes that it started."""
        return self.own_cpu_s() + sum(helper.cpu_s() for helper in self.helpers())

    def own_cpu_s(self) -> float:
        """As `cpu_s`, of its threads alone, to the nanosecond (clock_getcpuclockid(3))."""
        return time.clock_gettime(~self.pid << 3 | _CPU_OF_PROCESS)

    def helpers(self) -> list["Process"]:
        """The processes that it started and that run now: of a server the one that writes scores."""
        lists = Path(f"/proc/{self.pid}/task").glob("*/children")
        return [Process(int(pid), "", "writer") for each in lists for pid in each.read_text().split()]

    def resident_bytes(self) -> int:
        """Memory it holds."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


class Group:
    """Processes that do one thing together."""

    name = "all"
    url = ""

    def __init__(self, members: Sequence[Measured]) -> None:
        self._members = members

    def cpu_s(self) -> float:
        """CPU time of all of them so far, in seconds."""
        return sum(member.cpu_s() for member in self._members)


@cache
def usable_cores() -> frozenset[int]:
    """The cores this process could use at first."""
    return frozenset(os.sched_getaffinity(0))


def load_core() -> frozenset[int]:
    """The core that the load keeps to."""
    return frozenset({max(usable_cores())})


def server_core() -> frozenset[int]:
    """One that it does not, where there are several."""
    return frozenset({min(usable_cores())})


@asynccontextmanager
async def child(arguments: Sequence[str], log: Path, cores: frozenset[int] | None = None) -> AsyncIterator[Process]:
    """A Python process on these cores or any, from its line "ready http://..." to the end of the block.

    What it says on stderr is kept in `log` and told by BenchError where it does not become ready.
    """
    with log.open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, stderr=stderr, env=_environment()
        )
    try:
        os.sched_setaffinity(process.pid, cores or usable_cores())
        yield Process(process.pid, await _ready(process, log))
    finally:
        # Its data are thrown away: there is nothing to end gently.
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _ready(process: asyncio.subprocess.Process, log: Path) -> str:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), READY_WITHIN_S)
    if not line.startswith(READY):
        raise BenchError(f"a process did not start:\n{await asyncio.to_thread(log.read_text)}")
    return line.removeprefix(READY).decode().strip()


def _environment() -> dict[str, str]:
    """Ours, without settings that were meant for another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SCOREBOARD_")}
