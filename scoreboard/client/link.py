"""One WebSocket connection as the client uses it: framing in either codec, silence as an error, close codes."""

from typing import Any, Literal, Self, TypeVar

import aiohttp
import msgspec

from scoreboard.client.problems import ClientError, Problem, silent
from scoreboard.errors import Forbidden, Unavailable

T = TypeVar("T")
Codec = Literal["json", "msgpack"]

FINAL_CLOSE_CODES = frozenset({4400, 4403})
"""After these a client does not come back: it spoke nonsense, or is banned."""


class Head(msgspec.Struct, frozen=True):
    """What every message of the server begins with."""

    type: str = ""
    id: int | str | None = None


class Link:
    """A connected socket. Everything raises Unavailable once the connection is lost, Forbidden if for good."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, codec: Codec) -> None:
        self.silence_s = 35.0
        self._socket = socket
        self._text = codec == "json"

    @classmethod
    async def connect(cls, http: aiohttp.ClientSession, url: str, codec: Codec) -> Self:
        """Open a socket; `url` is the server's, `/ws` is added. Raises Unavailable."""
        try:
            socket = await http.ws_connect(f"{url}/ws", protocols=(f"scoreboard.v1.{codec}",))
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise silent(url, fault) from fault
        return cls(socket, codec)

    async def send(self, kind: str, **fields: Any) -> None:
        """Send one message."""
        message = {"type": kind, **fields}
        try:
            if self._text:
                await self._socket.send_str(msgspec.json.encode(message).decode())
            else:
                await self._socket.send_bytes(msgspec.msgpack.encode(message))
        except (aiohttp.ClientError, ConnectionError) as fault:
            raise Unavailable(f"the connection was lost: {fault}") from fault

    async def receive(self) -> bytes:
        """The next message, undecoded. Silence for `silence_s` counts as a lost connection."""
        try:
            message = await self._socket.receive(timeout=self.silence_s)
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise Unavailable(f"nothing was heard for {self.silence_s} s") from fault
        if message.type is aiohttp.WSMsgType.TEXT:
            return str(message.data).encode()
        if message.type is aiohttp.WSMsgType.BINARY:
            return bytes(message.data)
        if self._socket.close_code in FINAL_CLOSE_CODES:
            raise Forbidden(f"the server closed the connection for good ({self._socket.close_code})")
        raise Unavailable(f"the connection ended ({self._socket.close_code})")

    def decode(self, raw: bytes, kind: type[T]) -> T:
        """A received message as a Struct. Raises ClientError where it is none."""
        try:
            return msgspec.json.decode(raw, type=kind) if self._text else msgspec.msgpack.decode(raw, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            raise ClientError(Problem(title=f"this message is not a scoreboard's: {fault}"), 0) from fault

    async def close(self) -> None:
        """Close the socket; closing twice is no error."""
        await self._socket.close()
