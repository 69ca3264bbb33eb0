"""The lines of the report: what each measures, what it is held against, and its budget."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from scoreboard.anticheat.physics import MAX_IN_STORE
from scoreboard.bench import audience
from scoreboard.bench.board import player
from scoreboard.bench.load import Supply, Tally, is_ok, request
from scoreboard.bench.processes import Group, Process, child, server_core
from scoreboard.bench.report import Check, Line, Sample, compared
from scoreboard.bench.rounds import Load, Plan, Round, Usage, http_load, in_turns
from scoreboard.bench.sockets import Scoring, open_socket
from scoreboard.bench.stores import BATCH, Inserted, Inserts, Store, Stores
from scoreboard.bench.storm import measure
from scoreboard.bench.world import World, world

CONNECTIONS = 64
SCORING_SOCKETS = 32
IN_FLIGHT = 8
BATCH_CONNECTIONS = 8
UPGRADES_PER_S = 500
FEW = 1_000
"""Players on the board where their number does not matter."""

Scenario = Callable[[Stores, Plan], Awaitable[list[Line]]]


async def update(stores: Stores, plan: Plan) -> list[Line]:
    """`scores/update`, each with a fresh action token."""
    async with world(stores, FEW, plan.signed_in) as ours, limits(stores) as limit:
        pair = await _against_constant(plan, ours, limit, ours.scores())
    return [compared("update", "scores/update, 64 connections", *pair, ratio=0.40, p99_ms=20)]


async def websocket(stores: Stores, plan: Plan) -> list[Line]:
    """`score` over WebSockets."""
    async with world(stores, FEW, plan.signed_in) as ours, limits(stores) as limit:
        load = await _scoring(ours)
        constant = await http_load(limit, ours.scores(), CONNECTIONS)
        pair = await in_turns(plan, load.round, constant.round)
    return [compared("websocket", "score, msgpack, 32 sockets, 8 in flight", *pair, ratio=0.65)]


async def batch(stores: Stores, plan: Plan) -> list[Line]:
    """`scores/batch`, beside the same rows written without a server."""
    async with (
        world(stores, FEW, plan.signed_in) as ours,
        stores.filled("rows", FEW) as rows,
        limits(stores) as limit,
    ):
        make = ours.batches(BATCH)
        load = await _load(ours, make, BATCH_CONNECTIONS, weight=BATCH, is_right=_all_accepted)
        pair = await in_turns(plan, load.round, _inserting(limit, rows))
    return [compared("batch", f"scores/batch, 8 connections, {BATCH} items each", *pair, ratio=0.60)]


async def top(stores: Stores, plan: Plan) -> list[Line]:
    """The first ten rows."""
    async with world(stores, FEW, plan.signed_in) as ours, limits(stores) as limit:
        asked = request("GET", "/api/v1/boards/main/top?limit=10")
        pair = await _against_constant(plan, ours, limit, lambda: asked)
    return [compared("top", "top 10, 64 connections", *pair, ratio=0.80, p99_ms=10)]


async def around(stores: Stores, plan: Plan) -> list[Line]:
    """The rows around any player of a large board."""
    async with world(stores, plan.players, plan.signed_in) as ours, limits(stores) as limit:
        pair = await _against_constant(plan, ours, limit, _around(plan.players))
    return [compared("around", f"5 rows above and below, of {plan.players:,} players", *pair, ratio=0.40)]


async def size(stores: Stores, plan: Plan) -> list[Line]:
    """`scores/update` on a large board, beside a small one."""
    async with (
        world(stores, plan.players, plan.signed_in, name="large") as large,
        world(stores, FEW, plan.signed_in, name="small") as small,
    ):
        load = await _load(large, large.scores(), CONNECTIONS)
        limit = await _load(small, small.scores(), CONNECTIONS)
        pair = await in_turns(plan, load.round, limit.round)
    return [compared("size", f"scores/update, {plan.players:,} players against {FEW:,}", *pair, ratio=0.85)]


async def live(stores: Stores, plan: Plan) -> list[Line]:
    """Pushes to many sockets and to very many, beside a loop that sends the same text to each."""
    lines = []
    for sockets in (plan.sockets, plan.crowd):
        async with (
            world(stores, FEW, plan.signed_in, name=f"live-{sockets}", cores=server_core()) as ours,
            limits(stores, server_core()) as limit,
        ):
            lines.append(await audience.compare(plan, sockets, ours, limit))
    return lines


async def storm(stores: Stores, plan: Plan) -> list[Line]:
    """Very many clients that come back at once to a server that just started."""
    admitted = {"live": {"upgrades_per_s": UPGRADES_PER_S}}
    async with world(stores, FEW, plan.signed_in, settings=admitted, cores=server_core()) as ours:
        return [await measure(plan, ours, UPGRADES_PER_S)]


async def memory(stores: Stores, plan: Plan) -> list[Line]:
    """What a signed-in socket that does nothing costs."""
    async with world(stores, FEW, plan.signed_in) as ours:
        before, usage = ours.server.resident_bytes(), Usage(ours.server)
        for number in range(plan.sockets):
            await open_socket(ours.server.port, token=ours.tokens[number % len(ours.tokens)])
        each = (ours.server.resident_bytes() - before) / plan.sockets / 1_024
        server, client = usage.shares()
    check = Check("kb_per_socket", 16, False, each)
    title = f"an idle signed-in socket, of {plan.sockets:,}"
    return [
        Line("memory", title, {"kb_per_socket": each}, {}, None, None, [check], {"server": server, "client": client})
    ]


SCENARIOS: Mapping[str, Scenario] = {
    "update": update,
    "websocket": websocket,
    "batch": batch,
    "top": top,
    "around": around,
    "live": live,
    "storm": storm,
    "memory": memory,
    "size": size,
}


@asynccontextmanager
async def limits(stores: Stores, cores: frozenset[int] | None = None) -> AsyncIterator[Process]:
    """The process of the in-run limits."""
    async with child(["-m", "scoreboard.bench.limits"], stores.folder / "limits.log", cores) as process:
        yield process


async def _against_constant(
    plan: Plan, ours: World, limit: Process, make: Callable[[], bytes]
) -> tuple[list[Sample], list[Sample]]:
    """The same requests to the server and to the handler that answers a constant."""
    load, constant = await _load(ours, make, CONNECTIONS), await http_load(limit, make, CONNECTIONS)
    return await in_turns(plan, load.round, constant.round)


async def _load(
    ours: World,
    make: Callable[[], bytes],
    connections: int,
    *,
    weight: int = 1,
    is_right: Callable[[bytes], bool] = is_ok,
) -> Load:
    return await http_load(ours.server, make, connections, used=ours.processes(), weight=weight, is_right=is_right)


async def _scoring(ours: World) -> Load:
    tally, supplies, connections = Tally(), [], []
    for number in range(SCORING_SOCKETS):
        socket = await open_socket(ours.server.port, "msgpack", ours.tokens[number])
        makers = [ours.messages(number, place, socket.frame) for place in range(IN_FLIGHT)]
        of_socket = [Supply(make, MAX_IN_STORE // 2) for make in makers]
        connections.append(Scoring(socket, of_socket, tally))
        supplies += of_socket
    return Load(ours.processes(), tally, connections, supplies)


def _inserting(limit: Process, rows: Store) -> Round:
    async def insert(seconds: float) -> Sample:
        usage, beside = Usage(limit), Usage(Group(rows.beside))
        body = msgspec.json.encode(Inserts(rows.database, FEW, seconds))
        async with aiohttp.ClientSession() as session, session.post(f"{limit.url}/inserts", data=body) as response:
            inserted = msgspec.json.decode(await response.read(), type=Inserted)
        _, client = usage.shares()
        # Rows are made outside of the time that counts, and meanwhile the database has nothing to do.
        used_s = inserted.cpu_s + beside.server_s
        return Sample(inserted.rows / inserted.seconds, (), used_s / inserted.seconds, client)

    return insert


def _around(players: int) -> Callable[[], bytes]:
    return lambda: request("GET", f"/api/v1/boards/main/around/{player(random.randrange(players))}?k=5")


def _all_accepted(answer: bytes) -> bool:
    return is_ok(answer) and b'"rejected"' not in answer
