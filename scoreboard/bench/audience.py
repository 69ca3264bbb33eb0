"""Sockets that watch a board: what a push costs the server for each of them, and how long it takes to reach all."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from itertools import count

from scoreboard.bench.board import HIGHEST, player
from scoreboard.bench.load import HttpConnection, Tally, is_ok, request
from scoreboard.bench.processes import BenchError, Process
from scoreboard.bench.report import Check, Line, Sample, delays, ratios, shares
from scoreboard.bench.rounds import Plan, Usage
from scoreboard.bench.sockets import WebSocket, open_socket
from scoreboard.bench.world import World

PUSH_EVERY_S = 0.125
"""Longer than the board's tick, so that each push finds it quiet."""

DELIVERED_WITHIN_S = 30
_PING = b'{"type":"ping"'


class Audience:
    """Watchers of one server, and the writer that makes it push."""

    def __init__(self, process: Process, make: Callable[[], bytes]) -> None:
        self.process = process
        self.shown = b""
        self.latencies: list[float] = []
        self._make = make
        self._tally = Tally()
        self._sockets: list[WebSocket] = []
        self._due = 0
        self._delivered: asyncio.Future[None]
        self._started = 0.0
        self._push_cpu_s = 0.0
        self._writer: HttpConnection

    async def gather(self, sockets: int, subscribe: bool) -> None:
        """Learn what a write costs when nobody watches, then have watchers come in."""
        loop, port = asyncio.get_running_loop(), self.process.port
        _, self._writer = await loop.create_connection(
            lambda: HttpConnection(self._make, self._tally, is_ok), "127.0.0.1", port
        )
        usage = Usage(self.process)
        alone = await self._pushes(1.0)
        self._push_cpu_s = usage.server_s / alone
        for _ in range(sockets):
            socket = await open_socket(port)
            if subscribe:
                await _subscribe(socket)
            socket.received = partial(self._received, socket)
            self._sockets.append(socket)

    async def round(self, seconds: float) -> Sample:
        """Push for a while; `per_s` is frames delivered for each second of the server's CPU."""
        self.latencies = []
        usage = Usage(self.process)
        pushes = await self._pushes(seconds)
        fanout_s = max(usage.server_s - pushes * self._push_cpu_s, 1e-9)
        return Sample(len(self.latencies) / fanout_s, self.latencies, *usage.shares())

    async def _pushes(self, seconds: float) -> int:
        """Write now and then, each time until every watcher has seen it; returns how often."""
        end = time.perf_counter() + seconds
        for pushed in count(1):
            self._due, self._delivered = len(self._sockets), asyncio.get_running_loop().create_future()
            self._started = time.perf_counter()
            await self._tally.run([self._writer], 0)
            if self._due:
                await asyncio.wait_for(self._delivered, DELIVERED_WITHIN_S)
            if self._started + PUSH_EVERY_S >= end:
                return pushed
            await asyncio.sleep(self._started + PUSH_EVERY_S - time.perf_counter())
        raise AssertionError

    def _received(self, socket: WebSocket, payload: bytes) -> None:
        if payload.startswith(_PING):
            socket.send({"type": "pong"})
            return
        self.latencies.append(time.perf_counter() - self._started)
        self.shown = payload
        self._due -= 1
        if self._due == 0:
            self._delivered.set_result(None)


async def compare(plan: Plan, ours: World, limit: Process) -> list[Line]:
    """The lines of fan-out and of delivery."""
    watched = Audience(ours.server, _leading(ours))
    await watched.gather(plan.sockets, subscribe=True)
    await watched.round(0)
    naive = Audience(limit, lambda: request("POST", "/push", body=watched.shown))
    await naive.gather(plan.sockets, subscribe=False)
    await naive.round(0)
    pairs = [(await watched.round(plan.seconds), await naive.round(plan.seconds)) for _ in range(plan.rounds)]
    return _lines(plan, [first for first, _ in pairs], [second for _, second in pairs])


def _lines(plan: Plan, ours: list[Sample], limit: list[Sample]) -> list[Line]:
    cpu = shares(ours, limit)
    costs, naive = [1e6 / sample.per_s for sample in ours], [1e6 / sample.per_s for sample in limit]
    ratio = ratios(costs, naive)
    delay = delays([seconds for sample in ours for seconds in sample.latencies])
    naive_delay = delays([seconds for sample in limit for seconds in sample.latencies])
    bounds = [Check("p50_ms", 10, False, delay["p50_ms"]), Check("p99_ms", 25, False, delay["p99_ms"])]
    return [
        Line(
            "fanout",
            f"CPU for a frame delivered to one of {plan.sockets:,} sockets",
            {"us_per_frame": sorted(costs)[len(costs) // 2]},
            {"us_per_frame": sorted(naive)[len(naive) // 2]},
            ratio,
            ratio,
            [Check("ratio", 0.74, False, ratio.median)],
            cpu,
        ),
        Line(
            "delivery",
            f"score sent until each of {plan.sockets:,} sockets has it",
            delay,
            naive_delay,
            None,
            None,
            bounds,
            cpu,
        ),
    ]


def _leading(ours: World) -> Callable[[], bytes]:
    """Writes that change the first row."""
    numbers = count()

    def make() -> bytes:
        number = next(numbers)
        item = {"id": f"lead-{number}", "player_id": player(0), "board": "main", "score": 1 if number else HIGHEST}
        return ours.backend("scores/batch", {"items": [item]})

    return make


async def _subscribe(socket: WebSocket) -> None:
    """Watch the board's first ten rows, and wait for the first snapshot."""
    shown = asyncio.get_running_loop().create_future()

    def received(payload: bytes) -> None:
        kind = socket.decode(payload).type
        if kind == "snapshot" and not shown.done():
            shown.set_result(None)
        elif kind not in ("result", "snapshot") and not shown.done():
            shown.set_exception(BenchError(f"unexpected message: {payload!r}"))

    socket.received = received
    socket.send({"type": "subscribe", "id": 1, "board": "main", "limit": 10})
    await asyncio.wait_for(shown, DELIVERED_WITHIN_S)
