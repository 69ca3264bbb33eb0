"""The writer process as the server has it: started, and started again where it ended."""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from scoreboard.model import Board, Submission
from scoreboard.storage.base import Committal
from scoreboard.storage.sqlite.line import Line
from scoreboard.tasks import Tasks

log = logging.getLogger(__name__)

MODULE = "scoreboard.storage.sqlite.writer"

PAUSE_S = 0.1
LONGEST_PAUSE_S = 60.0
"""Before a writer that ended is started again: twice as long each time, until one has lived for that long."""

CLOSE_WITHIN_S = 10.0
"""How long a writer may take to end when it is told to; then it is killed, which loses nothing that was answered."""

LOOK_EVERY_S = 10.0
"""A writer that is seen with the same batch in hand twice in a row hangs, and is killed: after two of these at most."""


class WriterProcess:
    """A process that commits batches. While it is not up, whoever writes has to do without."""

    def __init__(self, path: Path, busy_timeout_ms: int, held: Sequence[int] = ()) -> None:
        """`held` are descriptors that the process keeps open for as long as it may write."""
        self._path = path
        self._busy_timeout_ms = busy_timeout_ms
        self._held = held
        self._tasks = Tasks()
        self._running: asyncio.Task[None] | None = None
        self._line: Line | None = None
        self._tried = asyncio.Event()
        self._closing = asyncio.Event()

    @property
    def is_up(self) -> bool:
        """Whether batches can be given to it now."""
        return self._line is not None and self._line.is_ready

    def start(self) -> None:
        """Start the process, and again whenever it ends; does nothing if that was done already."""
        if self._running is None and not self._closing.is_set():
            self._running = self._tasks.start(self._keep(), "writer process")

    async def started(self) -> None:
        """Return once it is up, or ended before it was."""
        await self._tried.wait()

    def commit(self, boards: Sequence[Board], batch: Sequence[Submission], now: int) -> "asyncio.Future[Committal]":
        """Have a batch committed. The future fails as the commit does, and with OutcomeUnknown if the process ends."""
        assert self._line is not None
        return self._line.commit(boards, batch, now)

    async def close(self) -> None:
        """End the process, after the batch that it may have in hand, and wait until it is gone."""
        self._closing.set()
        if self._line is not None:
            self._line.close()
        if self._running is not None:
            await asyncio.wait([self._running])

    async def _keep(self) -> None:
        loop, pause_s = asyncio.get_running_loop(), PAUSE_S
        while not self._closing.is_set():
            started = loop.time()
            try:
                how = await self._live()
            except Exception as error:  # what it wants, such as descriptors, may be there the next time
                how = f"cannot be started ({getattr(error, 'strerror', None) or error})"
            self._tried.set()
            if self._closing.is_set():
                return
            if loop.time() - started > LONGEST_PAUSE_S:
                pause_s = PAUSE_S
            log.warning("the writer process %s; scores are written without it, another starts in %g s", how, pause_s)
            await asyncio.wait([self._tasks.start(self._closing.wait(), "closing")], timeout=pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _live(self) -> str:
        """Start a process and wait for its end; how it ended. Raises what keeps it from being started."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await asyncio.to_thread(self._spawn, theirs.fileno())
            except BaseException:
                ours.close()
                raise
        line = Line(lambda: self._is_up(process.pid))
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: line, sock=ours)
            self._line = line
            if self._closing.is_set():
                line.close()
            await _watch(line, process)
        finally:
            line.close()
            status = await asyncio.to_thread(_reap, process)
            self._line = None
            line.fail()  # not before: until it is gone it may still write
        return f"ended with status {status}"

    def _is_up(self, pid: int) -> None:
        log.info("scores are written by process %d", pid)
        self._tried.set()

    def _spawn(self, line: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", MODULE, str(line), str(self._path), str(self._busy_timeout_ms)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        # Ctrl-C and whatever ends services are sent to all of their processes. The writer, which ends after the server,
        # must not take notice of it even while it starts: what is blocked in this thread is so in the new process.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            return subprocess.Popen(
                command,
                pass_fds=(line, *self._held),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


async def _watch(line: Line, process: subprocess.Popen[bytes]) -> None:
    """Return once the line is lost. While a writer hangs, nobody else can write."""
    before = None
    while not await line.lost(LOOK_EVERY_S):
        if line.in_hand is not None and line.in_hand is before:
            log.error("the writer process %d hangs and is killed", process.pid)
            process.kill()
        before = line.in_hand


def _reap(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(CLOSE_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
