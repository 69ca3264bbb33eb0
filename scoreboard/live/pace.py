"""Work that runs at once after a quiet time, and at most once in an interval."""

import asyncio
from collections.abc import Awaitable, Callable

from scoreboard.tasks import Tasks

Work = Callable[[], Awaitable[float | None]]
"""Does what is there to do; answers after how many seconds it wants to run again, None for not before a `wake`."""


class Pace:
    """Runs `work`, never twice at the same time; between two runs lie at least `interval_s` seconds."""

    def __init__(self, work: Work, interval_s: float, tasks: Tasks, name: str) -> None:
        self._work = work
        self._interval_s = interval_s
        self._tasks = tasks
        self._name = name
        self._ended_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._running = False
        self._counts = True
        self._wanted_in_s: float | None = None

    def wake(self, in_s: float = 0.0) -> None:
        """Have the work run after `in_s` seconds, or as soon after that as the interval allows."""
        if self._running:
            self._wanted_in_s = in_s if self._wanted_in_s is None else min(in_s, self._wanted_in_s)
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        at = max(now + in_s, self._ended_at + self._interval_s)
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
            self._timer = None
        if at <= now:
            self._start()
        else:
            self._timer, self._timer_at = loop.call_at(at, self._start), at

    def forgive(self) -> None:
        """Called by the work: this run is not one that the next must keep its distance from."""
        self._counts = False

    def stop(self) -> None:
        """Forget what was asked for; work that runs goes on to its end."""
        self._wanted_in_s = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self) -> None:
        self._timer = None
        self._running = True
        self._counts = True
        self._tasks.start(self._run(), self._name)

    async def _run(self) -> None:
        again_s: float | None = None
        try:
            again_s = await self._work()
        finally:
            self._running = False
            if self._counts:
                self._ended_at = asyncio.get_running_loop().time()
            wanted = [delay for delay in (again_s, self._wanted_in_s) if delay is not None]
            self._wanted_in_s = None
            if wanted:
                self.wake(min(wanted))
