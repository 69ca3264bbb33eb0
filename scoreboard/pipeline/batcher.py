"""Natural batching: while one batch is in flight the next one collects, and an idle server flushes at once."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from scoreboard.errors import InternalError, Overloaded, ScoreboardError
from scoreboard.tasks import Tasks

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_WORKERS = 2
"""Batches carried at a time; the second one only if it is no smaller, as small ones cost more for each item."""

MIN_BESIDE = 16
"""Items of a second batch at least: with a few now and then it is better to wait for the one before."""

Flush = Callable[[list[Item]], Awaitable[Awaitable[Sequence[Result]]]]
"""Carries a batch, and then answers how to get one result per item, in order: that goes on beside the next batch."""


class _Entry(Generic[Item, Result]):
    __slots__ = ("future", "item", "lane")

    def __init__(self, item: Item, lane: Hashable, future: "asyncio.Future[Result]") -> None:
        self.item = item
        self.lane = lane
        self.future = future


class Batcher(Generic[Item, Result]):
    """Collects items into batches of at most `batch_max`, carried in the loop it is made in.

    While one is carried the next collects; once that is as large it is carried beside the first, so that what carries
    them never waits for this loop. No two items of one lane are carried at a time, and those of a lane keep their
    order of arrival. At most `queue_max` items wait; one more raises Overloaded. A fault of the carrying that says what
    happened goes to every item of the batch; after any other one the batch is halved until the item at fault fails
    alone.
    """

    def __init__(
        self,
        name: str,
        flush: Flush[Item, Result],
        lane: Callable[[Item], Hashable],
        tasks: Tasks,
        *,
        batch_max: int,
        queue_max: int,
    ) -> None:
        self._name = name
        self._flush = flush
        self._lane = lane
        self._tasks = tasks
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._loop = asyncio.get_running_loop()  # looked up once: each look-up is a system call before Python 3.12
        self._workers = 0
        self._carried = 0
        self._size = 0
        self._ready: deque[_Entry[Item, Result]] = deque()
        self._behind: dict[Hashable, deque[_Entry[Item, Result]] | None] = {}
        self._emptied = asyncio.Event()
        self._emptied.set()

    def put(self, item: Item) -> "asyncio.Future[Result]":
        """Queue an item; the future gives its result. Cancelling the future does not stop the item."""
        if self._size >= self._queue_max:
            raise Overloaded(f"{self._size} writes are waiting.", retry_after_s=1)
        entry = _Entry(item, self._lane(item), self._loop.create_future())
        self._size += 1
        self._emptied.clear()
        self._line_up(entry)
        if not self._workers or (self._workers < MAX_WORKERS and self._is_enough()):
            self._workers += 1
            self._tasks.start(self._work(), self._name)
        return entry.future

    def has_room(self, items: int) -> bool:
        """Whether that many items may be queued now."""
        return self._size + items <= self._queue_max

    async def drained(self) -> None:
        """Wait until nothing is queued or in flight."""
        await self._emptied.wait()

    def _line_up(self, entry: _Entry[Item, Result]) -> None:
        if entry.lane not in self._behind:
            self._behind[entry.lane] = None
            self._ready.append(entry)
            return
        waiting = self._behind[entry.lane]
        if waiting is None:
            waiting = self._behind[entry.lane] = deque()
        waiting.append(entry)

    def _free_lane(self, lane: Hashable) -> None:
        waiting = self._behind[lane]
        if waiting:
            self._ready.append(waiting.popleft())
        else:
            del self._behind[lane]

    def _is_enough(self) -> bool:
        """Whether what waits is worth a batch beside the one that was begun last."""
        return len(self._ready) >= min(self._batch_max, max(MIN_BESIDE, self._carried))

    async def _work(self) -> None:
        try:
            while self._is_enough() or (self._ready and self._workers == 1):
                batch = [self._ready.popleft() for _ in range(min(len(self._ready), self._batch_max))]
                self._carried = len(batch)
                await self._carry(batch)
                for entry in batch:
                    self._free_lane(entry.lane)
        finally:
            self._workers -= 1

    async def _carry(self, batch: list[_Entry[Item, Result]]) -> None:
        try:
            results = await self._flush([entry.item for entry in batch])
        except InternalError as fault:
            await self._carry_halves(batch, fault)
        except ScoreboardError as fault:
            self._fail(batch, fault)
        except Exception as fault:  # a defect, or a row the backend chokes on: find it, spare the others
            await self._carry_halves(batch, fault)
        else:
            self._tasks.start(self._answer(batch, results), self._name)

    async def _carry_halves(self, batch: list[_Entry[Item, Result]], fault: Exception) -> None:
        if len(batch) == 1:
            log.error("%s: one item failed", self._name, exc_info=fault)
            self._fail(batch, InternalError())
            return
        middle = len(batch) // 2
        await self._carry(batch[:middle])
        await self._carry(batch[middle:])

    async def _answer(self, batch: list[_Entry[Item, Result]], results: Awaitable[Sequence[Result]]) -> None:
        for entry, result in zip(batch, await results, strict=True):
            if not entry.future.done():
                entry.future.set_result(result)
        self._leave(len(batch))

    def _fail(self, batch: Sequence[_Entry[Item, Result]], fault: ScoreboardError) -> None:
        for entry in batch:
            if not entry.future.done():
                entry.future.set_exception(fault)
        self._leave(len(batch))

    def _leave(self, items: int) -> None:
        self._size -= items
        if not self._size:
            self._emptied.set()
