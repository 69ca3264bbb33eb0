"""WebSockets by hand (RFC 6455): client frames with a mask of zeros, server frames found by their lengths."""

import asyncio
import re
import struct
import time
from collections.abc import Callable
from typing import cast

import msgspec
from msgspec import Struct

from scoreboard.bench.load import Supply, Tally
from scoreboard.bench.processes import BenchError

TEXT, BINARY = 0x1, 0x2
OPENED_WITHIN_S = 30

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Protocol: scoreboard.v1.%b\r\n\r\n"
)
"""The request that opens one, but for the codec."""

_MASK = b"\0\0\0\0"
_RETRY_AFTER = re.compile(rb"\r\nretry-after: (\d+)", re.IGNORECASE)


class Answer(Struct):
    """As much of a server's message as is looked at."""

    type: str
    id: int = -1
    status: str = ""


_json = msgspec.json.Decoder(Answer)
_msgpack = msgspec.msgpack.Decoder(Answer)


def client_frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame. A mask of zeros leaves the payload as it is."""
    size = len(payload)
    length = (
        struct.pack(">BB", 0x80 | opcode, 0x80 | size) if size < 126 else struct.pack(">BBH", 0x80 | opcode, 254, size)
    )
    return length + _MASK + payload


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """The payloads of the complete frames, and the bytes that are left."""
    payloads, at, end = [], 0, len(data)
    while at + 2 <= end:
        size, start = data[at + 1], at + 2
        if size == 126:
            size, start = int.from_bytes(data[start : start + 2]), start + 2
        elif size == 127:
            size, start = int.from_bytes(data[start : start + 8]), start + 8
        if start + size > end:
            break
        payloads.append(data[start : start + size])
        at = start + size
    return payloads, data[at:]


class Refused(BenchError):
    """The server asks to come back later."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("the server admits no more WebSockets now")
        self.retry_after_s = retry_after_s


class WebSocket(asyncio.Protocol):
    """An open WebSocket that hands each message to `received`; pings are answered."""

    def __init__(self, codec: str = "json") -> None:
        self.received: Callable[[bytes], None] = lambda payload: None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._opcode = TEXT if codec == "json" else BINARY
        self._codec = codec
        self._buffer = b""
        self._write: Callable[[bytes], None]
        self._close: Callable[[], None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write, self._close = cast("asyncio.WriteTransport", transport).write, transport.close
        self._write(UPGRADE % self._codec.encode())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(BenchError("a WebSocket was closed before it was open"))

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        if not self.opened.done():
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._buffer = head
                return
            self._opened(head)
        payloads, self._buffer = split(data)
        for payload in payloads:
            self.received(payload)

    def send(self, message: object) -> None:
        """Encode and send a message."""
        self.write(self.frame(message))

    def frame(self, message: object) -> bytes:
        """The frame of a message."""
        encode = msgspec.json.encode if self._codec == "json" else msgspec.msgpack.encode
        return client_frame(self._opcode, encode(message))

    def write(self, frame: bytes) -> None:
        """Send a frame made before."""
        self._write(frame)

    def decode(self, payload: bytes) -> Answer:
        """What a message says."""
        return (_json if self._codec == "json" else _msgpack).decode(payload)

    def _opened(self, head: bytes) -> None:
        later = _RETRY_AFTER.search(head)
        if b" 101 " in head:
            self.opened.set_result(None)
        else:
            self._close()
            self.opened.set_exception(Refused(int(later[1])) if later else BenchError(f"no WebSocket: {head!r}"))


async def open_socket(port: int, codec: str = "json", token: str | None = None) -> WebSocket:
    """A WebSocket on which somebody is signed in; a spectator without a token."""
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(lambda: WebSocket(codec), "127.0.0.1", port)
    await asyncio.wait_for(socket.opened, OPENED_WITHIN_S)
    await ask(socket, {"type": "auth"} if token is None else {"type": "auth", "token": token}, "auth.ok")
    return socket


async def ask(socket: WebSocket, message: object, kind: str) -> None:
    """Send a message and wait for an answer of that type, which must be the next one."""
    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    socket.received = answer.set_result
    socket.send(message)
    payload = await asyncio.wait_for(answer, OPENED_WITHIN_S)
    socket.received = lambda payload: None
    if socket.decode(payload).type != kind:
        raise BenchError(f"unexpected message: {payload!r}")


class Scoring:
    """A WebSocket that keeps one score in flight for each of its supplies; a message's `id` is the supply's place."""

    def __init__(self, socket: WebSocket, supplies: list[Supply], tally: Tally) -> None:
        self._socket = socket
        self._supplies = supplies
        self._tally = tally
        self._sent_at = [0.0] * len(supplies)
        socket.received = self._received

    def begin(self) -> None:
        """Fill every place."""
        for place in range(len(self._supplies)):
            self._send(place)

    def _send(self, place: int) -> None:
        self._tally.sent()
        frame = self._supplies[place].take()
        self._sent_at[place] = time.perf_counter()
        self._socket.write(frame)

    def _received(self, payload: bytes) -> None:
        answer = self._socket.decode(payload)
        if answer.type == "ping":
            self._socket.send({"type": "pong"})
        elif answer.status != "accepted":
            self._tally.failed(payload)
        else:
            self._tally.answered(time.perf_counter() - self._sent_at[answer.id])
            if self._tally.running:
                self._send(answer.id)
