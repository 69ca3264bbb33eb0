"""What clients that do not read cost those who do: one that is stuck, one that is slow and one that has vanished."""

import asyncio
import re
import socket
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import msgspec

from scoreboard.bench.audience import Audience, check_files, leading
from scoreboard.bench.processes import BenchError, Process, server_core
from scoreboard.bench.report import Check, Line, Sample, delays, percentile, ratios, shares
from scoreboard.bench.rounds import Plan
from scoreboard.bench.sockets import TEXT, UPGRADE, client_frame
from scoreboard.bench.stores import Stores
from scoreboard.bench.world import World, world

PLAYERS = 1_000
BAD = 3
STALL_ROUNDS = 5
"""A client may be stuck for so many rounds: it is there for the whole of one."""

TURNS = 4
"""Turns of each side in a round: with and without bad ones by what else the machine does."""

RATIO = 1.10
"""Of the time in which a push reached 99 of 100 sockets, the middle push of each round. The 99th percentile of all is
that of the slowest pushes, which whatever else the machine does makes slow."""

GROWN_MB = 1.0
LATE = 1.5
"""When who is stuck must be gone, in times for which one may be: it is looked at now and then, and filled up first."""

ROOM_BYTES = 4_096
"""What the kernel keeps for a client that does not read, as little as can be."""

SLOW_BYTES = 1_024
SLOW_EVERY_S = 1.0
ASKED = 32
"""Questions asked by those whose buffers are to be full at once, each answered by a hundred rows."""

LOOK_EVERY_S = 0.02
WITHIN_S = 10
_SOCKETS = re.compile(r"^scoreboard_sockets (\d+)", re.MULTILINE)


async def stalled(stores: Stores, plan: Plan) -> list[Line]:
    """Pushes to many sockets with three bad ones among them, beside the same without."""
    stall_s = STALL_ROUNDS * plan.seconds
    cores = server_core()
    async with world(stores, PLAYERS, plan.signed_in, settings={"live": _live(stall_s)}, cores=cores) as ours:
        return [await _measure(plan, ours, stall_s)]


def _live(stall_s: float) -> dict[str, float]:
    return {"upgrades_per_s": 0, "stall_s": stall_s}


async def _measure(plan: Plan, ours: World, stall_s: float) -> Line:
    check_files(2 * plan.sockets)
    audience, server = Audience(ours.server, leading(ours)), ours.server
    await audience.gather(plan.sockets, subscribe=True)

    async def among_bad_ones(seconds: float) -> Sample:
        async with _bad_ones(server):
            sample = await audience.round(seconds)
            if await _open_sockets(server) != plan.sockets + BAD:
                raise BenchError("a bad client was cut in the middle of a round")
        await _until_gone(server, plan.sockets)
        return sample

    async def both(seconds: float) -> tuple[Sample, Sample]:
        turns = [(await among_bad_ones(seconds), await audience.round(seconds)) for _ in range(TURNS)]
        return _joined([first for first, _ in turns]), _joined([second for _, second in turns])

    await both(0)
    before, held, rounds = server.resident_bytes(), [], []
    for _ in range(plan.rounds):
        rounds.append(await both(plan.seconds / TURNS))
        held.append(server.resident_bytes())
    gone_s = await _kept_s(plan, audience, server, stall_s)
    held.append(server.resident_bytes())
    among = _Side([first for first, _ in rounds], plan.sockets, max(held))
    return _line(among, _Side([second for _, second in rounds], plan.sockets, before), gone_s, stall_s)


async def _kept_s(plan: Plan, audience: Audience, server: Process, stall_s: float) -> float:
    """How long the server keeps one that is stuck, while it goes on pushing."""
    with _connection() as stuck:
        started = time.perf_counter()
        await _follow(stuck, server, ASKED)
        async with asyncio.timeout(3 * stall_s + WITHIN_S):
            while await _open_sockets(server) > plan.sockets:
                await audience.round(0)
        return time.perf_counter() - started


async def _until_gone(server: Process, sockets: int) -> None:
    """Wait until no more than so many are open."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            if await _open_sockets(server) <= sockets:
                return
            await asyncio.sleep(LOOK_EVERY_S)


@asynccontextmanager
async def _bad_ones(server: Process) -> AsyncIterator[None]:
    """The bad clients, until the end of the block."""
    with _connection() as stuck, _connection() as slow, _connection() as vanished:
        await _follow(stuck, server, ASKED)
        await _follow(slow, server, ASKED)
        await _follow(vanished, server, 0)
        reading = asyncio.create_task(_read_slowly(slow))
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.wait([reading])


@contextmanager
def _connection() -> Iterator[socket.socket]:
    """A connection with little room, cut at the end of the block."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM_BYTES)
        client.setblocking(False)
        yield client


async def _follow(client: socket.socket, server: Process, asked: int) -> None:
    """Watch the board, and ask for more than is read."""
    loop, head = asyncio.get_running_loop(), b""
    async with asyncio.timeout(WITHIN_S):
        await loop.sock_connect(client, ("127.0.0.1", server.port))
        await loop.sock_sendall(client, UPGRADE % b"json")
        while not head.endswith(b"\r\n\r\n"):
            head += await loop.sock_recv(client, SLOW_BYTES)
        messages = [{"type": "auth"}, {"type": "subscribe", "board": "main", "limit": 100}]
        messages += [{"type": "top", "board": "main", "limit": 100}] * asked
        await loop.sock_sendall(client, b"".join(client_frame(TEXT, msgspec.json.encode(each)) for each in messages))


async def _read_slowly(client: socket.socket) -> None:
    while True:
        await asyncio.get_running_loop().sock_recv(client, SLOW_BYTES)
        await asyncio.sleep(SLOW_EVERY_S)


async def _open_sockets(server: Process) -> int:
    """How many there are by the server's own count."""
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/metrics") as response:
        found = _SOCKETS.search(await response.text())
    if found is None:
        raise BenchError("the server does not tell how many sockets are open")
    return int(found[1])


def _joined(turns: list[Sample]) -> Sample:
    """What some short turns came to."""
    return Sample(
        statistics.harmonic_mean([turn.per_s for turn in turns]),
        [seconds for turn in turns for seconds in turn.latencies],
        statistics.mean(turn.server_cpu for turn in turns),
        statistics.mean(turn.client_cpu for turn in turns),
    )


class _Side:
    """What was found with bad ones, or without: some rounds, and the memory that the server held."""

    def __init__(self, rounds: list[Sample], sockets: int, held_bytes: int) -> None:
        self.rounds = rounds
        self.sockets = sockets
        self.reached_s = [reached(each.latencies, sockets) for each in rounds]
        self.held_mb = held_bytes / 1_024**2

    def medians(self) -> list[float]:
        """The middle push of each round."""
        return [statistics.median(each) for each in self.reached_s]

    def costs(self) -> list[float]:
        """CPU for each frame."""
        return [1 / each.per_s for each in self.rounds]

    def figures(self) -> dict[str, float]:
        """Delays over all rounds."""
        middle_s = statistics.median(seconds for each in self.reached_s for seconds in each)
        latencies = [seconds for each in self.rounds for seconds in each.latencies]
        return {"reached_ms": middle_s * 1_000, **delays(latencies), "held_mb": self.held_mb}


def reached(latencies: Sequence[float], sockets: int) -> list[float]:
    """How long each push took to reach 99 of 100 sockets, in seconds."""
    return [percentile(latencies[at : at + sockets], 0.99) for at in range(0, len(latencies), sockets)]


def _line(among: _Side, alone: _Side, gone_s: float, stall_s: float) -> Line:
    ratio = ratios(among.medians(), alone.medians())
    return Line(
        "stalled",
        f"score sent until each of {among.sockets:,} sockets has it, with a stuck, a slow and a vanished one besides",
        {**among.figures(), "gone_s": gone_s},
        alone.figures(),
        ratio,
        ratios(among.costs(), alone.costs()),
        [
            Check("ratio", RATIO, False, ratio.median),
            Check("gone_s", LATE * stall_s, False, gone_s),
            Check("grown_mb", GROWN_MB, False, among.held_mb - alone.held_mb),
        ],
        shares(among.rounds, alone.rounds),
    )
