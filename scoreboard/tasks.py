"""Background tasks that are named, referenced until they end, and heard of when they fail."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)

CANCEL_AGAIN_AFTER_S = 0.5
"""A cancellation is lost where what is waited for comes at the same moment (in `asyncio.wait_for` before Python 3.12,
which drivers use), and a task that does its work again and again would go on."""


class Tasks:
    """Starts tasks and keeps them alive; `cancel` ends those that are still running, and every later one at once."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._cancelled = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run `work` as a task called `name`; an exception it ends with is logged."""
        if self._loop is None:  # looked up once: each look-up is a system call before Python 3.12
            self._loop = asyncio.get_running_loop()
        task = self._loop.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        if self._cancelled:  # before its first step
            task.cancel()
        return task

    async def cancel(self) -> None:
        """Cancel every task that still runs and wait until all have ended; nothing starts any more."""
        self._cancelled = True
        while running := tuple(self._running):
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=CANCEL_AGAIN_AFTER_S)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("task %s ended with an error", task.get_name(), exc_info=fault)
