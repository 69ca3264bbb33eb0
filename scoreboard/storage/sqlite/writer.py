"""The writer process: commits batches of submissions beside the server, whose interpreter has then only to serve.

Started by the server as `python -m scoreboard.storage.sqlite.writer SOCKET FILE BUSY_TIMEOUT_MS`, with one end of a
socket. It ends when the other end is closed, however the server ends, after the transaction in hand.
"""

import gc
import logging
import signal
import socket
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import BinaryIO

from scoreboard.errors import ConfigError, InternalError
from scoreboard.model import Board
from scoreboard.storage.base import Committal
from scoreboard.storage.sqlite.commit import commit
from scoreboard.storage.sqlite.faults import fault
from scoreboard.storage.sqlite.messages import (
    HEAD,
    Batch,
    Done,
    Failed,
    Logged,
    Ready,
    Said,
    decode_batch,
    failed,
    frame,
)
from scoreboard.storage.sqlite.opening import connect_to_write
from scoreboard.storage.sqlite.transaction import transact

log = logging.getLogger(__name__)

GC_THRESHOLD = (50_000, 20, 100)
"""Cyclic garbage is rare here."""

Say = Callable[[Said], None]


class Relay(logging.Handler):
    """Sends the records of the log to the server, which knows where they belong."""

    def __init__(self, say: Say) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say(Logged(record.name, record.levelno, self.format(record)))


class Writer:
    """A connection, and the boards that batches refer to by number."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._boards: dict[int, Board] = {}

    def answer(self, body: bytes) -> Done | Failed:
        """Commit a batch."""
        try:
            return Done(self._commit(decode_batch(body)))
        except Exception as error:  # belongs to the server, whatever it is; the next batch may do better
            failure = failed(fault(error) if isinstance(error, sqlite3.Error) else error)
            if failure.kind == InternalError.__name__:
                log.exception("a batch failed")
            return failure

    def _commit(self, batch: Batch) -> Committal:
        self._boards.update(batch.boards)
        boards = [self._boards[number] for number in batch.numbers]
        # A batch that was sent behind one that could not be read may speak of boards that were told in that one.
        if any(board.id != item.board for board, item in zip(boards, batch.submissions, strict=True)):
            raise LookupError("a board was not told of")
        return transact(self._connection, partial(commit, boards=boards, batch=batch.submissions, now=batch.now))


def serve(line: socket.socket, path: Path, busy_timeout_ms: int) -> None:
    """Answer batches until the other end is closed."""

    def say(message: Said) -> None:
        line.sendall(frame(message))

    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[Relay(say)])
    try:
        connection = connect_to_write(path, busy_timeout_ms)
    except (ConfigError, sqlite3.Error) as error:
        log.error("the database cannot be opened: %s", error)
        return
    with closing(connection), line.makefile("rb") as asked:
        writer = Writer(connection)
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLD)
        say(Ready())
        while (body := _next(asked)) is not None:
            say(writer.answer(body))


def _next(asked: BinaryIO) -> bytes | None:
    """The next message; None where there is no more, or only a part of one."""
    head = asked.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    (size,) = HEAD.unpack(head)
    body = asked.read(size)
    return body if len(body) == size else None


def main() -> None:
    """Run with what the server gave."""
    # What is meant for the whole group of processes is the server's to follow: it closes the socket.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    descriptor, path, busy_timeout_ms = sys.argv[1:]
    with socket.socket(fileno=int(descriptor)) as line:
        try:
            serve(line, Path(path), int(busy_timeout_ms))
        except (BrokenPipeError, ConnectionResetError):  # the server is gone
            return


if __name__ == "__main__":
    main()
