"""RFC 6455 byte by byte: what a peer may send is understood, and what it may not is closed with the right code."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest

from scoreboard.config import LimitSettings, LiveSettings
from tests.api.sockets import LONG_S, House, house

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
MASK = b"\x37\xfa\x21\x3d"


def frame(opcode: int, payload: bytes = b"", *, final: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """One client frame."""
    head = (0x80 if final else 0) | reserved << 4 | opcode
    size, bit = len(payload), 0x80 if masked else 0
    if size < 126:
        length = struct.pack(">B", bit | size)
    elif size < 65536:
        length = struct.pack(">BH", bit | 126, size)
    else:
        length = struct.pack(">BQ", bit | 127, size)
    body = bytes(byte ^ MASK[place % 4] for place, byte in enumerate(payload)) if masked else payload
    return bytes((head,)) + length + (MASK if masked else b"") + body


class Peer:
    """A client that speaks in frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *frames: bytes) -> None:
        for each in frames:
            self.writer.write(each)
            await self.writer.drain()

    async def receive(self) -> tuple[int, bytes]:
        """The next frame of the server."""
        async with asyncio.timeout(LONG_S):
            head, size = await self.reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack(">H", await self.reader.readexactly(2))
            assert head & 0x80, "the server does not fragment"
            return head & 0xF, await self.reader.readexactly(size)

    async def message(self) -> dict[str, Any]:
        """The next message of the server."""
        opcode, payload = await self.receive()
        assert opcode == TEXT
        message: dict[str, Any] = msgspec.json.decode(payload)
        return message

    async def closed(self) -> int | None:
        """The code of the server's close frame, after which nothing comes but the end; None for one without."""
        while (received := await self.receive())[0] != CLOSE:
            pass
        with suppress(ConnectionError):  # the end may come at once
            await self.send(frame(CLOSE, received[1][:2]))  # else it comes when this was waited for long enough
        async with asyncio.timeout(LONG_S):
            assert await self.reader.read() == b""
        return struct.unpack(">H", received[1][:2])[0] if received[1] else None


@asynccontextmanager
async def peer(place: House) -> AsyncIterator[Peer]:
    """A peer that is signed in."""
    reader, writer = await asyncio.open_connection(place.http.host, place.http.port)
    writer.write(UPGRADE)
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    one = Peer(reader, writer)
    await one.send(frame(TEXT, b'{"type":"auth"}'))
    assert (await one.message())["type"] == "auth.ok"
    yield one
    writer.close()


ECHO = '{"type":"echo","id":1,"text":"zwölf €"}'.encode()


async def test_a_message_in_pieces_is_one_message_and_a_ping_may_come_between() -> None:
    async with house() as place, peer(place) as one:
        pieces = [ECHO[at : at + 1] for at in range(len(ECHO))]  # characters of several bytes are torn apart too
        await one.send(frame(TEXT, pieces[0], final=False))
        await one.send(*(frame(CONT, piece, final=False) for piece in pieces[1:-1]), frame(PING, b"still there?"))
        assert await one.receive() == (PONG, b"still there?")
        await one.send(frame(CONT, pieces[-1]))
        assert (await one.message())["text"] == "zwölf €"


async def test_frames_may_come_a_byte_at_a_time_or_all_at_once() -> None:
    async with house() as place, peer(place) as one:
        whole = frame(TEXT, ECHO)
        await one.send(*(whole[at : at + 1] for at in range(len(whole))))
        assert (await one.message())["text"] == "zwölf €"
        await one.send(whole * 5 + frame(CONT | TEXT, ECHO[:9], final=False) + frame(CONT, ECHO[9:]))
        assert [(await one.message())["text"] for _ in range(6)] == ["zwölf €"] * 6


@pytest.mark.parametrize("size", [0, 1, 125])
async def test_a_ping_is_answered_with_what_it_carries(size: int) -> None:
    async with house() as place, peer(place) as one:
        await one.send(frame(PING, b"p" * size))
        assert await one.receive() == (PONG, b"p" * size)


async def test_a_pong_that_nobody_asked_for_is_nothing() -> None:
    async with house() as place, peer(place) as one:
        await one.send(frame(PONG, b"unasked"), frame(TEXT, ECHO))
        assert (await one.message())["id"] == 1


@pytest.mark.parametrize(
    "broken",
    [
        frame(0x3, b"x"),
        frame(0xB),
        frame(TEXT, ECHO, reserved=1),
        frame(PING, reserved=4),
        frame(PING, b"p" * 126),
        frame(PING, b"p", final=False),
        frame(CONT, ECHO),
        frame(TEXT, ECHO[:5], final=False) + frame(TEXT, ECHO),
        frame(CLOSE, b"\x03"),
        *(frame(CLOSE, struct.pack(">H", code)) for code in (0, 999, 1004, 1005, 1006, 1015, 2999)),
    ],
    ids=lambda broken: broken[:8].hex(),
)
async def test_a_peer_that_breaks_the_protocol_is_closed_with_1002(broken: bytes) -> None:
    async with house() as place, peer(place) as one:
        await one.send(broken)
        assert await one.closed() == 1002


@pytest.mark.parametrize(
    "text", [b"\xc3\x28", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80"], ids=["torn", "surrogate", "far", "long"]
)
async def test_text_that_is_not_utf8_is_closed_with_1007_in_pieces_too(text: bytes) -> None:
    for frames in ([frame(TEXT, text)], [frame(TEXT, text[:1], final=False), frame(CONT, text[1:])]):
        async with house() as place, peer(place) as one:
            await one.send(*frames)
            assert await one.closed() == 1007


@pytest.mark.parametrize("size", [16_385, 65_536, 200_000])
@pytest.mark.parametrize("pieces", [1, 7])
async def test_a_message_too_big_is_closed_with_1009_in_pieces_too(size: int, pieces: int) -> None:
    payload = b" " * size
    step = -(-size // pieces)
    parts = [payload[at : at + step] for at in range(0, size, step)]
    frames = [frame(CONT if at else TEXT, part, final=at == pieces - 1) for at, part in enumerate(parts)]
    async with house() as place, peer(place) as one:
        await one.send(*frames)
        assert await one.closed() == 1009


async def test_the_other_codec_s_frames_are_closed_with_4400_in_pieces_too() -> None:
    async with house() as place, peer(place) as one:
        await one.send(frame(BINARY, b"\x81", final=False), frame(CONT, b"\xa4type"))
        assert await one.closed() == 4400


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1011, 3000, 4999])
async def test_a_close_is_answered_with_its_code(code: int) -> None:
    async with house() as place, peer(place) as one:
        await one.send(frame(CLOSE, struct.pack(">H", code) + b"bye"))
        assert await one.closed() == code


async def test_a_close_without_a_code_is_answered_by_one_without() -> None:
    async with house() as place, peer(place) as one:
        await one.send(frame(CLOSE))
        assert await one.closed() is None


async def test_nothing_that_follows_a_close_is_done() -> None:
    async with house() as place, peer(place) as one:
        await one.send(frame(CLOSE, struct.pack(">H", 1000)) + frame(TEXT, b'{"type":"slow"}'))
        assert await one.closed() == 1000
        assert place.desk.slow_calls == 0


async def test_a_peer_that_sends_no_more_but_would_read_is_let_go() -> None:
    async with house() as place, peer(place) as one:
        one.writer.write_eof()
        async with asyncio.timeout(LONG_S):
            assert await one.reader.read() == b""
            while len(place.registry):
                await asyncio.sleep(0)


async def test_a_peer_that_vanished_without_a_word_is_cut_after_a_ping() -> None:
    async with house(LiveSettings(ping_s=0.2, pong_s=0.05)) as place, peer(place) as one:
        assert (await one.message())["type"] == "ping"
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await one.receive()


async def test_a_flood_of_messages_is_refused_and_closed_with_4429() -> None:
    async with house(limits=LimitSettings(messages_per_minute=5)) as place, peer(place) as one:
        await one.send(frame(TEXT, b'{"type":"ping"}') * 200)
        assert await one.closed() == 4429


async def test_a_flood_of_pings_is_refused_and_closed_too() -> None:
    async with house(limits=LimitSettings(messages_per_minute=5)) as place, peer(place) as one:
        await one.send(frame(PING, b"p") * 200)
        assert await one.closed() == 4429
