"""Bad clients among good ones, and clients that come and go: nobody else notices, and nothing is left of them.

`SCOREBOARD_TEST_CYCLES=100000` has very many come and go.
"""

import asyncio
import gc
import os
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import WSMsgType

from scoreboard.api.socket import Socket
from scoreboard.config import LimitSettings, LiveSettings
from scoreboard.live.base import UNSENT_BOUND
from scoreboard.live.lane import Follower
from scoreboard.live.outlet import Outlet
from tests.api.sockets import LONG_S, House, Line, house
from tests.live.boards import MAIN

READERS = 30
SLOW_BYTES = 1024
SLOW_PAUSE_S = 0.05
CYCLES = int(os.environ.get("SCOREBOARD_TEST_CYCLES", "1000"))
AT_ONCE = 20
EVERYBODY = LimitSettings(requests_per_minute=0, sockets_per_address=0, messages_per_minute=0)
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
FOLLOW = (b'{"type":"auth"}', b'{"type":"subscribe","board":"main","limit":100}')


@asynccontextmanager
async def follower(place: House) -> AsyncIterator[socket.socket]:
    """A connection that follows the board and has as little room in its kernel as there can be; not read from."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop, before = asyncio.get_running_loop(), place.hub.watching().get("main", 0)
        await loop.sock_connect(client, (place.http.host, place.http.port))
        for part in (UPGRADE, *map(masked, FOLLOW)):
            await loop.sock_sendall(client, part)
        async with asyncio.timeout(LONG_S):
            while place.hub.watching().get("main", 0) == before:
                await asyncio.sleep(0)
        yield client


def masked(payload: bytes) -> bytes:
    """A client's text frame; a mask of zeros changes nothing."""
    assert len(payload) < 126
    return bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload


async def read_slowly(client: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(client, SLOW_BYTES):
        await asyncio.sleep(SLOW_PAUSE_S)


async def keep_talking(client: socket.socket) -> None:
    """Be heard, as one who reads would be."""
    while True:
        await asyncio.get_running_loop().sock_sendall(client, masked(b'{"type":"pong"}'))
        await asyncio.sleep(SLOW_PAUSE_S)


async def test_one_stalled_one_slow_and_one_vanished_take_nothing_from_the_others() -> None:
    settings = LiveSettings(tick_ms=1, stall_s=1.0, ping_s=1.0, pong_s=1.0)
    async with (
        house(settings, EVERYBODY) as place,
        follower(place) as stalled,
        follower(place) as slow,
        follower(place),  # who says nothing any more
    ):
        bad = tuple(place.transports)
        background = [asyncio.create_task(read_slowly(slow))]
        background += [asyncio.create_task(keep_talking(client)) for client in (stalled, slow)]
        await place.boards.load(MAIN)
        readers = [await place.line() for _ in range(READERS)]
        for reader in readers:
            await reader.subscribe(board="main", limit=100)
            await reader.of_type("snapshot")
        puts, most = await _push_until(place, readers, bad, lambda: len(place.registry) == READERS + 1)
        assert most < 4 * UNSENT_BOUND
        assert [len(reader.view.kinds) for reader in readers] == [puts + 1] * READERS
        assert sum(not transport.is_closing() for transport in bad) == 1, "the slow one is still there"
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)


async def _push_until(
    place: House, readers: list[Line], bad: tuple[asyncio.Transport, ...], gone: Callable[[], bool]
) -> tuple[int, int]:
    """Change the board, each time until every reader has the one frame of it; how often, and the most unsent bytes."""
    puts = most = 0
    async with asyncio.timeout(LONG_S):
        while not gone():
            puts += 1
            await place.boards.put(f"p{puts % 100}", puts, name="x" * 128)
            messages = [await reader.receive() for reader in readers]
            assert {message["type"] for message in messages} <= {"delta", "snapshot", "ping"}
            for reader, message in zip(readers, messages, strict=True):
                if message["type"] == "ping":
                    await reader.send("pong")
                    await reader.of_type("delta", "snapshot")
            assert len({reader.view.version for reader in readers}) == 1
            most = max(most, *(transport.get_write_buffer_size() for transport in bad))
    return puts, most


async def come_and_go(place: House, chance: random.Random) -> None:
    """One client's life: it follows boards, and ends well or badly."""
    # Not by way of the test client, which keeps every connection it made.
    line = Line(await place.http.session.ws_connect(place.url), "json")
    await line.sign_in(chance.choice((None, "ada", "bob")))
    for limit in chance.sample(range(1, 100), chance.randint(0, 3)):
        await line.subscribe(board="main", limit=limit)
    if chance.random() < 0.3:
        await line.subscribe(board="main")
        await line.ask("unsubscribe", subscription="main/all/10")
    end = chance.random()
    if end < 0.4:
        await line.socket.close()
    elif end < 0.7:
        connection = line.socket._conn
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()
        while (await line.socket.receive()).type not in (WSMsgType.CLOSED, WSMsgType.ERROR):
            pass
    else:
        await line.socket.send_bytes(b"not what this codec is")
        await line.parted()


def left() -> int:
    """Objects of connections that are still there."""
    gc.collect()
    return sum(isinstance(each, Socket | Outlet | Follower) for each in gc.get_objects())


async def test_nothing_is_left_of_clients_that_come_and_go() -> None:
    chance = random.Random(3)
    settings = LiveSettings(tick_ms=1, upgrades_per_s=0)
    limits = LimitSettings(requests_per_minute=0, sockets_per_address=0, sockets_per_player=0, messages_per_minute=0)
    async with house(settings, limits) as place:
        await place.boards.load(MAIN)
        before, objects = (len(asyncio.all_tasks()), left()), []
        for cycle in range(0, CYCLES, AT_ONCE):
            await asyncio.gather(*(come_and_go(place, chance) for _ in range(AT_ONCE)))
            if cycle % (CYCLES // 4) < AT_ONCE:
                place.transports.clear()
                await _settled(place, before)
                objects.append(len(gc.get_objects()))
        place.transports.clear()
        await _settled(place, before)
        assert (len(place.registry), place.hub.watching()) == (0, {})
        assert objects[-1] < objects[1] + 500, f"the process grows: {objects}"


async def _settled(place: House, before: tuple[int, int]) -> None:
    """Wait until no task and no object is left of any connection; the board's own place stays in the wheel."""
    async with asyncio.timeout(LONG_S):
        while len(place.registry) or len(place.wheel) > 1 or len(asyncio.all_tasks()) > before[0] or left() > before[1]:
            await asyncio.sleep(0.01)
