"""A real HTTP server that takes what is sent to a webhook."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

PATH = "/hook/secret"


class Receiver:
    """Keeps the texts it got; answers `statuses` in turn, and 200 when there are no more."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.requests = 0
        self.open = asyncio.Event()
        self.open.set()
        self.url = ""
        self._texts: asyncio.Queue[str] = asyncio.Queue()

    async def text(self) -> str:
        """The next text that was taken."""
        return await asyncio.wait_for(self._texts.get(), 20)

    @property
    def untold(self) -> int:
        """How many texts nobody has asked for yet."""
        return self._texts.qsize()

    async def handle(self, request: web.Request) -> web.Response:
        """Take one message, once the receiver is open."""
        self.requests += 1
        await self.open.wait()
        body = await request.json()
        assert list(body) == ["text"]
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self._texts.put_nowait(body["text"])
        return web.Response(status=status)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a port of its own."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post(PATH, receiver.handle)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url(PATH))
        yield receiver
        receiver.open.set()
