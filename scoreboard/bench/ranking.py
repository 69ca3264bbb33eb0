"""The ranking in Redis without a server in front of it, beside what the same client does with bare sorted sets."""

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import NamedTuple

from scoreboard.app.backends import open_ranking, open_shared, open_storage
from scoreboard.bench.board import BOARD, HIGHEST, PERIOD, player
from scoreboard.bench.processes import Group
from scoreboard.bench.report import Check, Line, Sample, compared, ratios
from scoreboard.bench.rounds import Plan, Round, Usage, in_turns
from scoreboard.bench.stores import BATCH, Store, Stores
from scoreboard.bench.world import configuration
from scoreboard.boards import Boards
from scoreboard.clock import SystemClock
from scoreboard.config import load_settings, with_options
from scoreboard.model import Projection
from scoreboard.order import order_keys
from scoreboard.pipeline import Rebuilder
from scoreboard.ranking.base import Ranking
from scoreboard.redis import Command, Server
from scoreboard.tasks import Tasks

FEW = 1_000
REBUILT_PER_S = 1_000_000 / 15
PAGE = 1_000
"""Members added by one command where nothing but that is done."""


class Workshop(NamedTuple):
    """A ranking in use, and the client that it uses."""

    ranking: Ranking
    rebuilder: Rebuilder
    redis: Server
    store: Store

    @property
    def bare(self) -> str:
        """The key of a sorted set of which nothing is asked but to hold scores."""
        return f"{self.store.settings['redis']['prefix']}:bare"


async def rank(stores: Stores, plan: Plan) -> list[Line]:
    """Standings taken in, and where each player stands then; beside ZADD of the same members, and ZRANK."""
    async with _opened(stores, FEW) as workshop:
        await workshop.rebuilder.rebuild(PERIOD)
        pair = await in_turns(plan, _projecting(workshop), _adding(workshop))
    return [compared("rank", f"standings ranked in batches of {BATCH}, with their places", *pair)]


async def rebuild(stores: Stores, plan: Plan) -> list[Line]:
    """A large ranking made anew from the database, beside ZADD of as many members."""
    async with _opened(stores, plan.players) as workshop:
        seconds, server, client = await _timed(workshop, workshop.rebuilder.rebuild(PERIOD))
        limit, limit_server, limit_client = await _timed(workshop, _add_all(workshop, plan.players))
    cpu = {"server": server, "client": client, "limit_server": limit_server, "limit_client": limit_client}
    check = Check("seconds", plan.players / REBUILT_PER_S, False, seconds)
    title = f"the ranking of {plan.players:,} players made anew"
    return [
        Line("rebuild", title, {"seconds": seconds}, {"seconds": limit}, ratios([limit], [seconds]), None, [check], cpu)
    ]


@asynccontextmanager
async def _opened(stores: Stores, players: int) -> AsyncIterator[Workshop]:
    """What a server has of its own to rank with, in this process."""
    async with stores.filled("world", players) as store:
        settings = with_options(load_settings(configuration(store, store.folder), {}), data=str(store.folder))
        clock, tasks = SystemClock(), Tasks()
        async with open_storage(settings) as storage, open_shared(settings, clock, tasks) as shared:
            boards = Boards(storage, clock)
            await boards.open({})
            async with open_ranking(shared, storage, boards, lambda _: None, tasks) as ranking:
                assert shared is not None
                yield Workshop(ranking, Rebuilder(storage, ranking, tasks), shared.server, store)
            await tasks.cancel()


def _projecting(workshop: Workshop) -> Round:
    revisions, clock, encode = count(2), SystemClock(), order_keys(BOARD).encode

    async def project(scores: Mapping[str, int]) -> None:
        revision, now = next(revisions), clock.now()
        batch = [
            Projection(PERIOD, name, revision, encode(score, (), now, name), name, 1) for name, score in scores.items()
        ]
        await workshop.ranking.project(batch)

    return _batches(workshop, project)


def _adding(workshop: Workshop) -> Round:
    async def add(scores: Mapping[str, int]) -> None:
        places = [Command(("ZRANK", workshop.bare, name), workshop.bare) for name in scores]
        await workshop.redis.call(_added(workshop, scores), *places)

    return _batches(workshop, add)


def _batches(workshop: Workshop, take: Callable[[Mapping[str, int]], Awaitable[None]]) -> Round:
    async def batches(seconds: float) -> Sample:
        usage, started, done = Usage(Group(workshop.store.beside)), time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            await take({player(number): random.randrange(HIGHEST) for number in random.sample(range(FEW), BATCH)})
            done += BATCH
        return Sample(done / (time.perf_counter() - started), (), *usage.shares())

    return batches


async def _add_all(workshop: Workshop, players: int) -> None:
    for first in range(0, players, PAGE):
        scores = {player(number): random.randrange(HIGHEST) for number in range(first, min(first + PAGE, players))}
        await workshop.redis.call(_added(workshop, scores))


def _added(workshop: Workshop, scores: Mapping[str, int]) -> Command:
    pairs: list[str | int] = [word for name, score in scores.items() for word in (score, name)]
    return Command(("ZADD", workshop.bare, *pairs), workshop.bare)


async def _timed(workshop: Workshop, work: Awaitable[None]) -> tuple[float, float, float]:
    """Seconds that something takes, and the shares of CPU used by what it works on, and by this process."""
    usage, started = Usage(Group(workshop.store.beside)), time.perf_counter()
    await work
    return time.perf_counter() - started, *usage.shares()
