"""The in-run limits: what the same machine does at best where there is no scoreboard. Run as a process of its own.

Any request is read and answered by a constant. `/ws` keeps WebSockets to which `POST /push` sends its body, one after
the other, as a naive fan-out does. `POST /inserts` writes the rows of commits to SQLite for a while, and nothing else.
"""

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import uvloop
from aiohttp import WSMsgType, web
from msgspec import Struct

from scoreboard.bench.world import BOARD, HIGHEST, PERIOD, player
from scoreboard.clock import SystemClock, uuid7
from scoreboard.fold import Standing
from scoreboard.storage.sqlite.connection import Database
from scoreboard.storage.sqlite.ledger import Ledger, Named
from scoreboard.storage.sqlite.statements import write_rows

ANSWER = b'{"status":"accepted"}'
BATCH = 256
"""Submissions in a transaction: as many as the server carries in one."""

_clock = SystemClock()


class Inserts(Struct, frozen=True):
    """What to write to, and for how long; the players are those of a filled database."""

    database: str
    players: int
    seconds: float


class Inserted(Struct, frozen=True):
    """Submissions written, and the time and the CPU time spent in their transactions."""

    rows: int
    seconds: float
    cpu_s: float


async def answer(request: web.Request) -> web.Response:
    """Read the body, answer a constant."""
    await request.read()
    return web.Response(body=ANSWER, content_type="application/json")


class Naive:
    """WebSockets that a message is sent to one after the other."""

    def __init__(self) -> None:
        self._sockets: set[web.WebSocketResponse] = set()

    async def join(self, request: web.Request) -> web.WebSocketResponse:
        """Open a socket; whatever comes in is taken for a sign-in."""
        socket = web.WebSocketResponse(protocols=("scoreboard.v1.json",), compress=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str('{"type":"auth.ok"}')
                self._sockets.add(socket)
        self._sockets.discard(socket)
        return socket

    async def push(self, request: web.Request) -> web.Response:
        """Send the body to every socket."""
        text = await request.text()
        for socket in list(self._sockets):
            await socket.send_str(text)
        return web.Response(body=ANSWER, content_type="application/json")


async def inserts(request: web.Request) -> web.Response:
    """Write batches, each in a transaction, on a connection like the server's."""
    asked = msgspec.json.decode(await request.read(), type=Inserts)
    database = Database(Path(asked.database))
    await database.open()
    rows, busy_s, cpu_s = 0, 0.0, 0.0
    while busy_s < asked.seconds:
        write = _batch(random.sample(range(asked.players), BATCH))
        started, cpu_started = time.perf_counter(), time.process_time()
        await database.write(write)
        busy_s += time.perf_counter() - started
        cpu_s += time.process_time() - cpu_started
        rows += BATCH
    await database.close()
    return web.Response(body=msgspec.json.encode(Inserted(rows, busy_s, cpu_s)), content_type="application/json")


def _batch(numbers: list[int]) -> Callable[[sqlite3.Connection], None]:
    """The write of one score for each player, its rows made beforehand: those that a commit leaves."""
    taken: list[tuple[object, ...]] = []
    history: list[tuple[object, ...]] = []
    ledger = Ledger()
    for number in numbers:
        now, name, score = _clock.now(), player(number), random.randrange(HIGHEST)
        key = uuid7(now)
        taken.append((f"key/i/{key}", key, "main", name, "accepted", None, score, score, 1, "0" * 64, now))
        history.append((key, "main", name, now, 7, "[]", "counted", None, None, None, "127.0.0.1"))
        ledger.put(BOARD, PERIOD, Named(name, name, 1, "active"), Standing(score, (), now, now, key), 2)

    def write(connection: sqlite3.Connection) -> None:
        write_rows(connection, "write_actions", taken)
        write_rows(connection, "write_history", history)
        ledger.write(connection, now)

    return write


async def serve() -> None:
    """Answer until killed."""
    app, naive = web.Application(), Naive()
    app.router.add_get("/ws", naive.join)
    app.router.add_post("/push", naive.push)
    app.router.add_post("/inserts", inserts)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(f"ready http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(serve())
