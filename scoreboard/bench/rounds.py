"""Rounds: a load kept up for a while on one process, and two of them in turns."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from scoreboard.bench.load import Connection, HttpConnection, Supply, Tally, is_ok
from scoreboard.bench.processes import Measured, Process
from scoreboard.bench.report import Sample

WARM_UP_S = 0.5
SPARE = 1.2
"""Requests made before a round, as a share of those that the last round took."""

Round = Callable[[float], Awaitable[Sample]]
"""Measures for so many seconds."""


class Plan(Struct, frozen=True):
    """How much is measured. Of the players, `signed_in` submit scores; the others are on the board.

    `crowd` is a larger number of sockets.
    """

    rounds: int
    seconds: float
    players: int
    sockets: int
    signed_in: int
    crowd: int


class Usage:
    """CPU used by a process, or several, and by this one since the start, as shares of a core."""

    def __init__(self, process: Measured) -> None:
        self._process = process
        self._server, self._client, self._started = process.cpu_s(), time.process_time(), time.perf_counter()

    @property
    def server_s(self) -> float:
        """Its CPU seconds."""
        return self._process.cpu_s() - self._server

    def shares(self) -> tuple[float, float]:
        """Of the process, and of this one."""
        elapsed = time.perf_counter() - self._started
        return self.server_s / elapsed, (time.process_time() - self._client) / elapsed


class Load:
    """Connections and what they are supplied with, and what they keep busy; an answer counts for `weight`."""

    def __init__(
        self,
        process: Measured,
        tally: Tally,
        connections: Sequence[Connection],
        supplies: Sequence[Supply],
        weight: int = 1,
    ) -> None:
        self._process = process
        self._tally = tally
        self._connections = connections
        self._supplies = supplies
        self._weight = weight
        self._stock_per_s = 0.0

    async def round(self, seconds: float) -> Sample:
        """Keep the connections busy and measure."""
        for supply in self._supplies:
            supply.stock(int(self._stock_per_s * seconds * SPARE))
        usage = Usage(self._process)
        elapsed = await self._tally.run(self._connections, seconds)
        server, client = usage.shares()
        per_s = len(self._tally.latencies) / elapsed
        self._stock_per_s = per_s / len(self._supplies)
        return Sample(per_s * self._weight, self._tally.latencies, server, client)


async def http_load(
    process: Process,
    make: Callable[[], bytes],
    connections: int,
    *,
    used: Measured | None = None,
    weight: int = 1,
    is_right: Callable[[bytes], bool] = is_ok,
) -> Load:
    """HTTP connections with one request in flight each; `used` is what works for them, the process unless told."""
    tally, supply, loop = Tally(), Supply(make), asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: HttpConnection(supply.take, tally, is_right), "127.0.0.1", process.port)
        for _ in range(connections)
    ]
    return Load(used or process, tally, [connection for _, connection in opened], [supply], weight)


async def in_turns(plan: Plan, ours: Round, limit: Round) -> tuple[list[Sample], list[Sample]]:
    """Both warmed up, then measured in turns, so that what disturbs the machine disturbs both."""
    for side in (ours, limit):
        await side(min(WARM_UP_S, plan.seconds))
    pairs = [(await ours(plan.seconds), await limit(plan.seconds)) for _ in range(plan.rounds)]
    return [first for first, _ in pairs], [second for _, second in pairs]
