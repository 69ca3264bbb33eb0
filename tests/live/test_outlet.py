import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from scoreboard.clock import SECOND, ManualClock
from scoreboard.live.base import UNSENT_BOUND
from scoreboard.live.outlet import Outlet
from scoreboard.live.wheel import Wheel

STALL_US = 10 * SECOND


class Pair:
    """An outlet over a real socket, and the other end of it, which reads only when told."""

    def __init__(self, outlet: Outlet, far: socket.socket, clock: ManualClock, wheel: Wheel) -> None:
        self.outlet = outlet
        self.far = far
        self.clock = clock
        self.wheel = wheel

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(SECOND)
            self.wheel.sweep()

    def fill(self) -> int:
        """Write until the kernel takes no more; answers how much was written."""
        assert not self.outlet.closed
        written = 0
        while self.outlet.unsent() <= UNSENT_BOUND:
            self.outlet.write(b"x" * 8192)
            written += 8192
        return written

    async def empty(self, size: int) -> None:
        loop, left = asyncio.get_running_loop(), size
        while left:
            left -= len(await loop.sock_recv(self.far, left))


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    near, far = socket.socketpair()
    far.setblocking(False)
    clock = ManualClock()
    wheel = Wheel(clock)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=near)
    yield Pair(Outlet(transport, "json", wheel, STALL_US), far, clock, wheel)
    transport.abort()
    far.close()


async def test_a_peer_that_takes_nothing_is_cut_after_the_stall(pair: Pair) -> None:
    pair.fill()
    pair.pass_time(9)
    assert not pair.outlet.closed
    pair.pass_time(4)
    assert pair.outlet.closed


async def test_a_peer_that_reads_in_time_is_kept(pair: Pair) -> None:
    size = pair.fill()
    pair.pass_time(9)
    await pair.empty(size)
    pair.pass_time(30)
    assert not pair.outlet.closed
    assert pair.outlet.unsent() == 0
    assert len(pair.wheel) == 0


async def test_a_slow_peer_that_takes_something_in_time_is_kept(pair: Pair) -> None:
    size = pair.fill()
    for _ in range(5):
        pair.pass_time(6)
        await pair.empty(size)
        size = pair.fill()
    assert not pair.outlet.closed


async def test_nothing_follows_the_last_frame(pair: Pair) -> None:
    pair.outlet.finish(b"last")
    pair.outlet.write(b"late")
    pair.outlet.close()
    loop = asyncio.get_running_loop()
    assert await loop.sock_recv(pair.far, 100) == b"last"
    assert await loop.sock_recv(pair.far, 100) == b""


async def test_closing_does_not_wait_for_ever_for_a_peer_that_takes_nothing(pair: Pair) -> None:
    pair.fill()
    pair.outlet.close()
    pair.pass_time(4)
    assert len(pair.wheel) == 0
    loop = asyncio.get_running_loop()
    while await loop.sock_recv(pair.far, 65536):  # what the kernel holds, and then the end
        pass
