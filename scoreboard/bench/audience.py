"""Sockets that watch a board: what a push costs the server for each of them, and how long it takes to reach all."""

import asyncio
import statistics
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
from scoreboard.files import allow_all_files

REST_S = 0.125
"""Before a push, when the last one has reached everybody: longer than the board's tick, so that it is quiet by then."""

ALONE_S = 1.0
"""For so long it is measured what a push costs that nobody sees."""

DELIVERED_WITHIN_S = 30
QUIET_S = 2.0
"""After the last push, until nothing is done for the sockets but to keep them."""

RATIO = 0.72
SPARE_FILES = 500
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

    async def gather(self, sockets: int, subscribe: bool) -> float:
        """Learn what a write costs when nobody watches, then have watchers come in; returns what each adds, in KB."""
        loop, port = asyncio.get_running_loop(), self.process.port
        _, self._writer = await loop.create_connection(
            lambda: HttpConnection(self._make, self._tally, is_ok), "127.0.0.1", port
        )
        usage = Usage(self.process)
        alone = await self._pushes(ALONE_S)
        self._push_cpu_s = usage.server_s / alone
        before = self.process.resident_bytes()
        for _ in range(sockets):
            socket = await open_socket(port)
            if subscribe:
                await _subscribe(socket)
            socket.received = partial(self._received, socket)
            self._sockets.append(socket)
        return (self.process.resident_bytes() - before) / sockets / 1_024

    async def round(self, seconds: float) -> Sample:
        """Push for a while; `per_s` is frames delivered for each second of the server's CPU."""
        await asyncio.sleep(REST_S)
        self.latencies = []
        usage = Usage(self.process)
        pushes = await self._pushes(seconds)
        fanout_s = max(usage.server_s - pushes * self._push_cpu_s, 1e-9)
        return Sample(len(self.latencies) / fanout_s, self.latencies, *usage.shares())

    async def idle(self, seconds: float) -> float:
        """The share of a core that the server uses while nothing happens."""
        await asyncio.sleep(QUIET_S)
        usage = Usage(self.process)
        await asyncio.sleep(seconds)
        server, _ = usage.shares()
        return server

    async def busy(self, seconds: float) -> float:
        """Write without a pause; returns the frames delivered in a second. Nothing else can be measured after it."""
        self.latencies, self._due = [], -1
        elapsed = await self._tally.run([self._writer], seconds)
        return len(self.latencies) / elapsed

    async def _pushes(self, seconds: float) -> int:
        """Write now and then, each time until every watcher has seen it; returns how often."""
        end = time.perf_counter() + seconds
        for pushed in count(1):
            self._due, self._delivered = len(self._sockets), asyncio.get_running_loop().create_future()
            self._started = time.perf_counter()
            await self._tally.run([self._writer], 0)
            if self._due:
                await asyncio.wait_for(self._delivered, DELIVERED_WITHIN_S)
            if time.perf_counter() + REST_S >= end:
                return pushed
            await asyncio.sleep(REST_S)
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


async def compare(plan: Plan, sockets: int, ours: World, limit: Process) -> Line:
    """The line of so many sockets."""
    check_files(2 * sockets)
    watched = Audience(ours.server, leading(ours))
    figures = {"kb_per_socket": await watched.gather(sockets, subscribe=True)}
    await watched.round(0)
    naive = Audience(limit, lambda: request("POST", "/push", body=watched.shown))
    await naive.gather(sockets, subscribe=False)
    await naive.round(0)
    pairs = [(await watched.round(plan.seconds), await naive.round(plan.seconds)) for _ in range(plan.rounds)]
    figures["idle_cpu"] = await watched.idle(plan.seconds)
    figures["frames_per_s"] = await watched.busy(plan.seconds)
    return _line(plan, sockets, figures, [first for first, _ in pairs], [second for _, second in pairs])


def check_files(sockets: int) -> None:
    """Raise BenchError where so many sockets cannot be opened."""
    most = allow_all_files()
    if most < sockets + SPARE_FILES:
        raise BenchError(f"{sockets} sockets need {sockets + SPARE_FILES} open files; {most} are allowed (ulimit -n)")


def _line(plan: Plan, sockets: int, found: dict[str, float], ours: list[Sample], limit: list[Sample]) -> Line:
    costs, naive = [1e6 / sample.per_s for sample in ours], [1e6 / sample.per_s for sample in limit]
    ratio = ratios(costs, naive)
    delay = delays([seconds for sample in ours for seconds in sample.latencies])
    naive_delay = delays([seconds for sample in limit for seconds in sample.latencies])
    checks = [Check("ratio", RATIO, False, ratio.median), Check("kb_per_socket", 16, False, found["kb_per_socket"])]
    if sockets == plan.sockets:
        checks += [Check("p50_ms", 10, False, delay["p50_ms"]), Check("p99_ms", 25, False, delay["p99_ms"])]
    return Line(
        f"live-{sockets}",
        f"a frame delivered to {sockets:,} sockets, and score sent until each of them has it",
        {"us_per_frame": statistics.median(costs), **delay, **found},
        {"us_per_frame": statistics.median(naive), **naive_delay},
        ratio,
        ratio,
        checks,
        shares(ours, limit),
    )


def leading(ours: World) -> Callable[[], bytes]:
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
