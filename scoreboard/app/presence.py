"""What each server tells the others of itself, and what they all come to."""

import asyncio
from collections import Counter

from aiohttp import web

from scoreboard.api.problems import METRICS
from scoreboard.app.state import CONTROL, HUB, KEYRING, REGISTRY, STORAGE
from scoreboard.clock import rfc3339
from scoreboard.control.base import Replica
from scoreboard.wire import ConnectionsOut, OverviewOut, ReplicaOut

DESCRIBE_EVERY_S = 2.0
WATCHING = "board/"
"""What the count of a board's followers begins with."""


async def keep_describing(app: web.Application) -> None:
    """Tell the others, now and then, how many are connected here, and what was decided."""
    while True:
        await _describe(app)
        await asyncio.sleep(DESCRIBE_EVERY_S)


async def overview(app: web.Application) -> OverviewOut:
    """How all servers fare together; this one as of now, the others as they last told. Raises Unavailable."""
    await _describe(app)
    replicas = await app[CONTROL].replicas()
    total: Counter[str] = Counter()
    for replica in replicas:
        total.update(replica.counts)
    return OverviewOut(
        open_reviews=await app[STORAGE].open_reviews(),
        servers=len(replicas),
        sockets=total["sockets"],
        players=total["players"],
        accepted=total["accepted"],
        held=total["held"],
        watching={name.removeprefix(WATCHING): count for name, count in total.items() if name.startswith(WATCHING)},
        alerts=tuple(sorted(app[METRICS].wrong())),
    )


async def connections(app: web.Application) -> ConnectionsOut:
    """Who is connected to each server; this one as of now, the others as they last told. Raises Unavailable."""
    await _describe(app)
    return ConnectionsOut(replicas=tuple(_replica_out(each) for each in await app[CONTROL].replicas()))


def _replica_out(replica: Replica) -> ReplicaOut:
    counts = replica.counts
    return ReplicaOut(
        id=replica.id,
        seen_at=rfc3339(replica.seen_at),
        sockets=counts["sockets"],
        players=counts["players"],
        watching={name.removeprefix(WATCHING): count for name, count in counts.items() if name.startswith(WATCHING)},
    )


async def _describe(app: web.Application) -> None:
    registry, metrics = app[REGISTRY], app[METRICS]
    connected = {"sockets": len(registry), "players": registry.players()}
    decided = {status: int(metrics.total(metrics.submissions, status=status)) for status in ("accepted", "held")}
    watching = {WATCHING + board: count for board, count in app[HUB].watching().items()}
    await app[CONTROL].describe({**connected, **decided, **watching}, app[KEYRING].current.kid)
