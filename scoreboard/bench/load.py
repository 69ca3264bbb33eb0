"""The load: connections that write bytes made in advance and read as little of the answers as will do.

The load must be much cheaper than what it measures, or it is the limit itself: no HTTP library, one callback for an
answer, everything that can be made beforehand is. A wrong answer ends the run, as the figure would mean nothing.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from scoreboard.bench.processes import BenchError

SHOWN_BYTES = 600


class Supply:
    """Requests, each different: stocked before a round, made on the spot if that was too few.

    No more than `most` are stocked, where they do not keep: a rule objects to tokens that many others overtook.
    """

    def __init__(self, make: Callable[[], bytes], most: int | None = None) -> None:
        self._make = make
        self._most = most
        self._ready: list[bytes] = []

    def stock(self, count: int) -> None:
        """Have at least so many ready, or as many as may be."""
        count = count if self._most is None else min(count, self._most)
        self._ready.extend(self._make() for _ in range(count - len(self._ready)))

    def take(self) -> bytes:
        """One request."""
        return self._ready.pop() if self._ready else self._make()


class Tally:
    """What the connections of a load report to while a round runs."""

    def __init__(self) -> None:
        self.running = False
        self.latencies: list[float] = []
        self._waiting = 0
        self._idle: asyncio.Future[None] | None = None

    def sent(self) -> None:
        """A request went out."""
        self._waiting += 1

    def answered(self, seconds: float) -> None:
        """It was answered after so long."""
        self._waiting -= 1
        if self.running:
            self.latencies.append(seconds)
        elif self._idle is not None and not self._waiting and not self._idle.done():
            self._idle.set_result(None)

    def failed(self, what: bytes) -> None:
        """It was answered otherwise than it should be."""
        self.running = False
        if self._idle is not None and not self._idle.done():
            self._idle.set_exception(BenchError(f"unexpected answer: {what[:SHOWN_BYTES]!r}"))

    async def run(self, connections: Sequence["Connection"], seconds: float) -> float:
        """Keep the connections busy for a while; returns how long it was. Answers still due are waited for."""
        self._idle = asyncio.get_running_loop().create_future()
        self.latencies = []
        self.running = True
        started = time.perf_counter()
        for connection in connections:
            connection.begin()
        await asyncio.wait([self._idle], timeout=seconds)
        self.running = False
        elapsed = time.perf_counter() - started
        if self._waiting or self._idle.done():
            await asyncio.wait_for(self._idle, seconds + 10)
        return elapsed


class Connection(Protocol):
    """One connection of a load."""

    def begin(self) -> None:
        """Send the first of a round's requests; each answer is followed by the next request."""


class HttpConnection(asyncio.Protocol):
    """A kept-alive connection with one request in flight at a time; every answer must be as `is_right` says."""

    def __init__(self, take: Callable[[], bytes], tally: Tally, is_right: Callable[[bytes], bool]) -> None:
        self._take = take
        self._tally = tally
        self._is_right = is_right
        self._buffer = b""
        self._sent_at = 0.0
        self._write: Callable[[bytes], None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = cast("asyncio.WriteTransport", transport).write

    def connection_lost(self, exc: Exception | None) -> None:
        self._tally.failed(b"the connection was closed")

    def begin(self) -> None:
        """Send a request."""
        self._tally.sent()
        request = self._take()
        self._sent_at = time.perf_counter()
        self._write(request)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        if not is_whole(data):
            self._buffer = data
            return
        self._buffer = b""
        if not self._is_right(data):
            self._tally.failed(data)
            return
        self._tally.answered(time.perf_counter() - self._sent_at)
        if self._tally.running:
            self.begin()


def is_ok(answer: bytes) -> bool:
    """Whether the status is 200."""
    return answer.startswith(b"HTTP/1.1 200")


def is_whole(data: bytes) -> bool:
    """Whether this is a complete HTTP answer that says its length."""
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return False
    start = data.find(b"Content-Length: ", 0, head) + 16
    return start > 15 and len(data) >= head + 4 + int(data[start : data.find(b"\r", start)])


def request(method: str, path: str, credentials: str = "", body: bytes = b"", headers: Sequence[str] = ()) -> bytes:
    """The bytes of a request."""
    head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if credentials:
        head.append(f"Authorization: {credentials}")
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body
