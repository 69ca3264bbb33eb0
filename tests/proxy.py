"""A TCP proxy between a server and what it depends on, which can stop passing anything on without closing anything."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.ports import free_port

T = TypeVar("T")

CHUNK = 65_536
DEADLINE_S = 10.0


class Proxy:
    """Passes on what comes to a port of 127.0.0.1, in a thread of its own: connections outlive a test's event loop."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._open: dict[asyncio.Task[None], asyncio.Event] = {}
        self._swallows = False

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_S)
        self._loop.close()

    def swallow(self, connections: int | None = None) -> int:
        """Pass on nothing more of so many connections, or of all, later ones too; how many were open."""
        return self._run(self._swallow(connections))

    def restore(self) -> None:
        """Pass everything on again; what was swallowed is lost, and with it the connections it was lost from."""
        self._run(self._restore())

    async def _swallow(self, connections: int | None) -> int:
        self._swallows = connections is None
        chosen = list(self._open.values())[:connections]
        for passing in chosen:
            passing.clear()
        return len(chosen)

    async def _restore(self) -> None:
        self._swallows = False
        for connection, passing in tuple(self._open.items()):
            if not passing.is_set():
                connection.cancel()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passing = asyncio.Event()
        if not self._swallows:
            passing.set()
        connection = asyncio.ensure_future(self._connect(reader, writer, passing))
        self._open[connection] = passing
        connection.add_done_callback(self._open.pop)

    async def _connect(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passing: asyncio.Event
    ) -> None:
        there: asyncio.StreamWriter | None = None
        try:
            await passing.wait()
            answers, there = await asyncio.open_connection("127.0.0.1", self._target)
            ways = [asyncio.ensure_future(_pass(*way, passing)) for way in ((reader, there), (answers, writer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
        except (OSError, asyncio.CancelledError):
            return
        finally:
            for end in (writer, there):
                if end is not None:
                    end.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        for connection in tuple(self._open):
            connection.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE_S)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passing: asyncio.Event) -> None:
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while chunk := await reader.read(CHUNK):
        await passing.wait()
        writer.write(chunk)
        await writer.drain()
