"""The server's end of the line to its writer process."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import cast

from scoreboard.errors import OutcomeUnknown
from scoreboard.model import Board, Submission
from scoreboard.storage.base import Committal
from scoreboard.storage.sqlite.faults import RETRY_AFTER_S
from scoreboard.storage.sqlite.messages import (
    Batch,
    Done,
    Failed,
    Frames,
    Logged,
    Ready,
    decode_said,
    error_of,
    frame,
)

MAX_BOARDS = 1_000
"""Boards that the writer knows by number; where there are as many, the next batch numbers its own anew."""


class Line(asyncio.Protocol):
    """Sends batches and takes answers, in the same order; `on_ready` is called once the writer takes batches."""

    def __init__(self, on_ready: Callable[[], None]) -> None:
        self._on_ready = on_ready
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._frames = Frames()
        self._asked: deque[asyncio.Future[Committal]] = deque()
        self._numbers: dict[int, tuple[int, Board]] = {}
        self._lost = self._loop.create_future()
        self.is_ready = False

    def commit(self, boards: Sequence[Board], batch: Sequence[Submission], now: int) -> "asyncio.Future[Committal]":
        """Have a batch committed. Raises ValueError or OverflowError for what cannot be put into a message."""
        assert self._transport is not None
        if len(self._numbers) >= MAX_BOARDS:
            self._numbers.clear()
        new: dict[int, Board] = {}
        numbers = [self._number(board, new) for board in boards]
        try:
            message = frame(Batch(new, numbers, batch, now))
        except BaseException:
            self._numbers.clear()  # those just given are not known there
            raise
        self._transport.write(message)
        answer = self._loop.create_future()
        self._asked.append(answer)
        return answer

    def _number(self, board: Board, new: dict[int, Board]) -> int:
        """By identity, which is looked up fastest; what is known is kept, so that no other gets its identity."""
        known = self._numbers.get(id(board))
        if known is not None:
            return known[0]
        number = len(self._numbers)
        self._numbers[id(board)] = number, board
        new[number] = board
        return number

    def close(self) -> None:
        """Hang up: the writer ends after the transaction in hand."""
        self.is_ready = False
        if self._transport is not None:
            self._transport.close()

    @property
    def in_hand(self) -> object | None:
        """What stands for the batch that is written now; None where all are answered."""
        return self._asked[0] if self._asked else None

    async def lost(self, within_s: float) -> bool:
        """Return once the line is closed, by either end, or after so long; whether it is closed."""
        await asyncio.wait([self._lost], timeout=within_s)
        return self._lost.done()

    def fail(self) -> None:
        """Tell those who still wait that nobody will answer them."""
        while self._asked:
            _fail(self._asked.popleft(), OutcomeUnknown(retry_after_s=RETRY_AFTER_S))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_ready = False
        self._lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        for body in self._frames.take(data):
            self._heard(body)

    def _heard(self, body: bytes) -> None:
        match decode_said(body):
            case Done(committal):
                _answer(self._asked.popleft(), committal)
            case Failed() as failure:
                self._numbers.clear()  # perhaps it was not even read, and the boards in it are not known there
                _fail(self._asked.popleft(), error_of(failure))
            case Logged(logger, level, text):
                logging.getLogger(logger).log(level, text)
            case Ready():
                self.is_ready = True
                self._on_ready()


def _answer(future: "asyncio.Future[Committal]", committal: Committal) -> None:
    if not future.done():
        future.set_result(committal)


def _fail(future: "asyncio.Future[Committal]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
