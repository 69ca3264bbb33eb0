"""A reconnect storm: everybody comes back at once to a server that just started, while scores go on."""

import asyncio
import time
from collections import Counter

from scoreboard.bench.load import HttpConnection, Supply, Tally, is_ok
from scoreboard.bench.processes import BenchError
from scoreboard.bench.report import Check, Line, delays
from scoreboard.bench.rounds import Plan, Usage
from scoreboard.bench.sockets import Refused, open_socket
from scoreboard.bench.world import World
from scoreboard.client.backoff import pause_s

SCORING = 8
"""Connections that go on scoring."""

BACK_WITHIN_S = 300
SLACK = 1.2
"""What is admitted at once when a second begins comes on top of its rate, and clients see it a little later."""

MAX_ATTEMPTS = 100


class Crowd:
    """Clients that lost their connection at the same moment and come back as clients are told to."""

    def __init__(self, ours: World) -> None:
        self._ours = ours
        self._admitted: Counter[int] = Counter()

    async def come_back(self, clients: int) -> None:
        """Return when each of them is signed in."""
        async with asyncio.timeout(BACK_WITHIN_S), asyncio.TaskGroup() as group:
            for number in range(clients):
                group.create_task(self._come_back(number))

    @property
    def most_per_s(self) -> int:
        """The most that were admitted in any second."""
        return max(self._admitted.values())

    async def _come_back(self, number: int) -> None:
        token, retry_after_s = self._ours.tokens[number % len(self._ours.tokens)], None
        for attempt in range(MAX_ATTEMPTS):
            await asyncio.sleep(pause_s(attempt, retry_after_s))
            try:
                await open_socket(self._ours.server.port, token=token)
            except Refused as refusal:
                retry_after_s = refusal.retry_after_s
            else:
                self._admitted[int(time.monotonic())] += 1
                return
        raise BenchError("a client did not come back")


async def measure(plan: Plan, ours: World, upgrades_per_s: int) -> Line:
    """The line of the storm: how long it lasts, and what scores take meanwhile and in quiet times."""
    tally, supply, loop = Tally(), Supply(ours.scores()), asyncio.get_running_loop()
    scoring = [
        (
            await loop.create_connection(
                lambda: HttpConnection(supply.take, tally, is_ok), "127.0.0.1", ours.server.port
            )
        )[1]
        for _ in range(SCORING)
    ]
    await tally.run(scoring, plan.seconds)
    await tally.run(scoring, plan.seconds)
    quiet = delays(tally.latencies)
    crowd, usage, started = Crowd(ours), Usage(ours.processes()), time.perf_counter()
    scores = asyncio.create_task(tally.run(scoring, BACK_WITHIN_S))
    await crowd.come_back(plan.crowd)
    lasted_s = time.perf_counter() - started
    server, client = usage.shares()
    tally.running = False
    await scores
    busy = delays(tally.latencies)
    return Line(
        "storm",
        f"{plan.crowd:,} clients come back at once, scores over {SCORING} connections meanwhile",
        {"seconds": lasted_s, "most_per_s": crowd.most_per_s, "p50_ms": busy["p50_ms"], "p99_ms": busy["p99_ms"]},
        quiet,
        None,
        None,
        [
            Check("p99_ms", 100, False, busy["p99_ms"]),
            Check("most_per_s", SLACK * upgrades_per_s, False, crowd.most_per_s),
        ],
        {"server": server, "client": client},
    )
