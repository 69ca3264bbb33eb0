"""A connection to a server in this process, byte by byte."""

import asyncio


class Raw:
    """A connection on which bytes are sent, and answers read one by one."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> "Raw":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    def send(self, text: bytes) -> None:
        """Send these bytes."""
        self._writer.write(text)

    async def answer(self, *, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in lower case, body."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await self._reader.readexactly(int(headers.get("content-length", "0"))) if has_body else b""
        return int(head[0].split()[1]), headers, body

    async def ended(self) -> bool:
        """Whether the server has nothing more to say and closes."""
        return await self._reader.read() == b""
