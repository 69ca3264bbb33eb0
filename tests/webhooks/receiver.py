"""A real HTTP server that takes webhooks as their receivers should: by the specification's words, not by our code."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.test_utils import TestServer

PATH = "/hook/path-that-is-a-secret"


class Message(NamedTuple):
    """What was received."""

    id: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> str:
        """The name of the event."""
        name: str = json.loads(self.body)["type"]
        return name

    @property
    def data(self) -> dict[str, Any]:
        """What is told of it."""
        data: dict[str, Any] = json.loads(self.body)["data"]
        return data

    def is_signed_by(self, secret: str) -> bool:
        """Whether one of the signatures is the secret's."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in self.headers["webhook-signature"].split(" ")


class Receiver:
    """Keeps what it got, refused messages too; answers `statuses` in turn, and 200 when there are no more."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self.open = asyncio.Event()
        self.open.set()
        self.ids: list[str] = []
        self._messages: asyncio.Queue[Message] = asyncio.Queue()

    async def message(self) -> Message:
        """The next message."""
        return await asyncio.wait_for(self._messages.get(), 30)

    @property
    def unseen(self) -> int:
        """How many messages nobody has asked for yet."""
        return self._messages.qsize()

    async def handle(self, request: web.Request) -> web.Response:
        """Take one message; answer once the receiver is open."""
        message = Message(request.headers["webhook-id"], request.headers, await request.read())
        assert request.content_type == "application/json"
        self.ids.append(message.id)
        self._messages.put_nowait(message)
        await self.open.wait()
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, headers={"Location": PATH} if status == 302 else None)


@asynccontextmanager
async def receiving(port: int | None = None) -> AsyncIterator[Receiver]:
    """A receiver, on a port of its own unless told."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post(PATH, receiver.handle)
    async with TestServer(app, port=port) as server:
        receiver.url = str(server.make_url(PATH))
        yield receiver
        receiver.open.set()
