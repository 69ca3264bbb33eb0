"""The in-run limits: what the same machine does at best where there is no scoreboard. Run as a process of its own.

Any request is read and answered by a constant. `/ws` keeps WebSockets to which `POST /push` sends its body, one after
the other, as a naive fan-out does. `POST /inserts` writes the rows of commits to a database for a while, and nothing
else.
"""

import asyncio

import msgspec
import uvloop
from aiohttp import WSMsgType, web

from scoreboard.bench import embedded, shared
from scoreboard.bench.stores import Inserts

ANSWER = b'{"status":"accepted"}'


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
    """Write batches for a while; tells how many rows that were."""
    asked = msgspec.json.decode(await request.read(), type=Inserts)
    done = await (shared if "://" in asked.database else embedded).insert(asked)
    return web.Response(body=msgspec.json.encode(done), content_type="application/json")


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
