"""Answers written to the connection as they stand.

aiohttp builds, merges and serialises headers for each response, which costs more than most of what is answered here.
Where nothing else has a say in the headers, an answer whose head is known beforehand goes past all that.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_request import BaseRequest

from scoreboard.clock import to_datetime

UNSENT_BOUND = 64 * 1024
"""Bytes a connection has not taken yet, beyond which aiohttp answers: it waits until they are."""

MOST_TOGETHER = 16
"""Answers that are written together: the first of them waits for the last."""


class Outgoing:
    """Writes the answers of one turn of the event loop together, when all of them were worked out.

    A system call leaves the caches full of the kernel's data, and whatever the interpreter does next takes longer:
    where many ask at once, that was a tenth of what it cost to answer with a dozen rows.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[asyncio.WriteTransport, bytes]] = []

    def send(self, transport: asyncio.WriteTransport, answer: bytes) -> None:
        """Have an answer written, before anything that is put off from now on is done."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._write)
        self._waiting.append((transport, answer))
        if len(self._waiting) >= MOST_TOGETHER:
            self._write()

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        for transport, answer in waiting:
            if not transport.is_closing():
                transport.write(answer)


class ReadyResponse(web.StreamResponse):
    """A whole answer of HTTP/1.1 on a connection that stays open."""

    def __init__(self, outgoing: Outgoing, head: bytes, body: bytes, fields: Sequence[tuple[str, str]] = ()) -> None:
        # The parent's headers, cookies and state are what is gone past; it is the parent for its type.
        self._outgoing = outgoing
        more = "".join([f"\r\n{name}: {value}" for name, value in fields]).encode() if fields else b""
        self._answer = b"%b%b%b\r\n\r\n%b" % (head, _date(int(time.time())), more, body)

    @property
    def keep_alive(self) -> bool:
        """Always."""
        return True

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Write the answer."""
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        self._outgoing.send(transport, self._answer)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Return when it is written: what follows on the connection, its end for example, may not come before."""
        await asyncio.sleep(0)


def can_be_ready(request: web.Request) -> bool:
    """Whether this request may be answered so."""
    transport = request.transport
    return (
        request.version == HttpVersion11
        and request.keep_alive
        and request.method != "HEAD"
        and transport is not None
        and transport.get_write_buffer_size() <= UNSENT_BOUND
    )


@lru_cache(maxsize=4096)
def head_of(status: int, length: int, cache: str, etag: str | None) -> bytes:
    """Status line and headers of a JSON answer, but for the date at their end."""
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
        f"Cache-Control: {cache}",
    ]
    if etag is not None:
        lines.append(f"ETag: {etag}")
    return "\r\n".join([*lines, "Date: "]).encode()


@lru_cache(maxsize=2)
def _date(second: int) -> bytes:
    return to_datetime(second * 1_000_000).strftime("%a, %d %b %Y %H:%M:%S GMT").encode()
