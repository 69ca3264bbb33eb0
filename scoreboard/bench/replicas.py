"""Several servers behind one address: what a submission costs all of them together, and how even the load is on them.

On a machine with few cores the rate cannot grow with the servers; that the cost of a submission does not is what lets
it grow on more.
"""

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from scoreboard.bench.processes import Measured
from scoreboard.bench.report import Line, Sample, figures, ratios, shares
from scoreboard.bench.rounds import WARM_UP_S, Load, Plan, Usage, http_load
from scoreboard.bench.scenarios import CONNECTIONS, FEW
from scoreboard.bench.stores import Stores
from scoreboard.bench.world import World, world

MOST = 3


class Shared(Struct, frozen=True):
    """One round over several servers, and the share of it that the least used one did."""

    sample: Sample
    least: float


class Group:
    """Servers in use, each with as many connections as the others."""

    def __init__(self, loads: Sequence[Load], used: Measured) -> None:
        self._loads = loads
        self._used = used

    async def round(self, seconds: float) -> Shared:
        """Keep all of them busy and measure."""
        usage = Usage(self._used)
        parts = await asyncio.gather(*(load.round(seconds) for load in self._loads))
        total = sum(part.per_s for part in parts)
        latencies = [each for part in parts for each in part.latencies]
        return Shared(Sample(total, latencies, *usage.shares()), min(part.per_s for part in parts) / total)


async def replicas(stores: Stores, plan: Plan) -> list[Line]:
    """`scores/update` spread over one, two and three servers in turns, beside what one does."""
    async with world(stores, FEW, plan.signed_in, servers=MOST) as ours:
        groups = [await _group(ours, servers) for servers in range(1, MOST + 1)]
        for group in groups:
            await group.round(min(WARM_UP_S, plan.seconds))
        turns = [[await group.round(plan.seconds) for group in groups] for _ in range(plan.rounds)]
    by_servers = list(zip(*turns, strict=True))
    return [_line(servers, rounds, by_servers[0]) for servers, rounds in enumerate(by_servers, 1)]


async def _group(ours: World, servers: int) -> Group:
    loads = [
        await http_load(server, ours.scores(part, servers), CONNECTIONS // servers)
        for part, server in enumerate(ours.servers[:servers])
    ]
    return Group(loads, ours.processes(servers))


def _line(servers: int, rounds: Sequence[Shared], alone: Sequence[Shared]) -> Line:
    ours, limit = [each.sample for each in rounds], [each.sample for each in alone]
    return Line(
        f"replicas-{servers}",
        f"scores/update, 64 connections over {servers} of {MOST} servers",
        {**_figures(ours), "least_share": min(each.least for each in rounds)},
        _figures(limit),
        ratios([sample.per_s for sample in ours], [sample.per_s for sample in limit]),
        ratios([sample.per_cpu_s for sample in ours], [sample.per_cpu_s for sample in limit]),
        [],
        shares(ours, limit),
    )


def _figures(samples: Sequence[Sample]) -> dict[str, float]:
    return {**figures(samples), "us_cpu": sorted(1e6 / sample.per_cpu_s for sample in samples)[len(samples) // 2]}
