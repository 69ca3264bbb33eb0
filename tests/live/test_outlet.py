import asyncio
import gc
import os
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
import uvloop

from scoreboard.clock import SECOND, ManualClock
from scoreboard.live.base import UNSENT_BOUND
from scoreboard.live.fanout import push_all
from scoreboard.live.outlet import Outlet
from scoreboard.live.wheel import Wheel

STALL_US = 10 * SECOND


class Pair:
    """An outlet over a real socket, and the other end of it, which reads only when told."""

    def __init__(self, transport: asyncio.Transport, far: socket.socket, clock: ManualClock, wheel: Wheel) -> None:
        self.transport = transport
        self.outlet = Outlet(transport, "json", wheel, STALL_US)
        self.far = far
        self.clock = clock
        self.wheel = wheel

    def push(self, frame: bytes) -> bool:
        """Push as the fan-out does."""
        return not push_all([self.outlet], frame)

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(SECOND)
            self.wheel.sweep()

    async def fill(self) -> int:
        """Write until the kernel takes no more; answers how much was written."""
        assert not self.outlet.closed
        written = 0
        while self.outlet.unsent() <= UNSENT_BOUND:
            self.outlet.write(b"x" * 8192)
            await asyncio.sleep(0)
            written += 8192
        return written

    async def empty(self, size: int) -> None:
        loop, left = asyncio.get_running_loop(), size
        while left:
            left -= len(await loop.sock_recv(self.far, left))


@asynccontextmanager
async def connected() -> AsyncIterator[Pair]:
    near, far = socket.socketpair()
    far.setblocking(False)
    clock = ManualClock()
    wheel = Wheel(clock)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=near)
    yield Pair(transport, far, clock, wheel)
    transport.abort()
    far.close()


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with connected() as pair:
        yield pair


async def test_a_peer_that_takes_nothing_is_cut_after_the_stall(pair: Pair) -> None:
    await pair.fill()
    pair.pass_time(9)
    assert not pair.outlet.closed
    pair.pass_time(4)
    assert pair.outlet.closed


async def test_a_peer_that_reads_in_time_is_kept(pair: Pair) -> None:
    size = await pair.fill()
    pair.pass_time(9)
    await pair.empty(size)
    pair.pass_time(30)
    assert not pair.outlet.closed
    assert pair.outlet.unsent() == 0
    assert len(pair.wheel) == 0


async def test_a_slow_peer_that_takes_something_in_time_is_kept(pair: Pair) -> None:
    size = await pair.fill()
    for _ in range(5):
        pair.pass_time(6)
        await pair.empty(size)
        size = await pair.fill()
    assert not pair.outlet.closed


async def test_what_is_written_in_one_turn_of_the_loop_is_sent_together(pair: Pair) -> None:
    pair.outlet.write(b"one")
    pair.outlet.write(b"two")
    with pytest.raises(BlockingIOError):
        pair.far.recv(100)
    assert pair.outlet.unsent() == 6
    await asyncio.sleep(0)
    assert pair.far.recv(100) == b"onetwo"
    assert pair.outlet.unsent() == 0


async def test_nothing_follows_the_last_frame(pair: Pair) -> None:
    pair.outlet.finish(b"last")
    pair.outlet.write(b"late")
    pair.outlet.close()
    loop = asyncio.get_running_loop()
    assert await loop.sock_recv(pair.far, 100) == b"last"
    assert await loop.sock_recv(pair.far, 100) == b""


async def test_closing_does_not_wait_for_ever_for_a_peer_that_takes_nothing(pair: Pair) -> None:
    await pair.fill()
    pair.outlet.close()
    pair.pass_time(4)
    assert len(pair.wheel) == 0
    loop = asyncio.get_running_loop()
    while await loop.sock_recv(pair.far, 65536):  # what the kernel holds, and then the end
        pass


async def push_until_it_is_refused(pair: Pair) -> list[bytes]:
    """Frames that were taken, all different; between them the peer's kernel fills up."""
    taken: list[bytes] = []
    while pair.push(frame := bytes([len(taken) % 256]) * 3000):
        taken.append(frame)
    return taken


async def received(far: socket.socket, size: int) -> bytes:
    loop, parts = asyncio.get_running_loop(), b""
    while len(parts) < size:
        parts += await loop.sock_recv(far, size - len(parts))
    return parts


async def test_what_is_pushed_and_written_arrives_whole_and_in_order(pair: Pair) -> None:
    pair.push(b"first")
    pair.outlet.write(b"second")
    pair.push(b"third")
    assert await received(pair.far, 16) == b"firstsecondthird"
    taken = b"".join(await push_until_it_is_refused(pair))
    assert len(taken) > UNSENT_BOUND
    assert await received(pair.far, len(taken)) == taken
    assert pair.push(b"again")
    assert await received(pair.far, 5) == b"again"


async def test_who_has_too_much_unsent_is_told_and_all_others_have_the_frame(pair: Pair) -> None:
    async with connected() as full, connected() as waiting, connected() as last:
        await push_until_it_is_refused(full)
        waiting.outlet.write(b"before ")
        sinks = [each.outlet for each in (pair, full, waiting, last)]
        assert push_all(sinks, b"frame") == [full.outlet]
        assert await received(waiting.far, 12) == b"before frame"
        for each in (pair, last):
            assert await received(each.far, 5) == b"frame"


async def test_a_peer_that_takes_no_pushes_is_cut_after_the_stall(pair: Pair) -> None:
    await push_until_it_is_refused(pair)
    pair.pass_time(9)
    assert not pair.outlet.closed
    pair.pass_time(4)
    assert pair.outlet.closed


async def test_a_push_to_a_peer_that_is_gone_is_ignored(pair: Pair) -> None:
    pair.far.close()
    while not pair.outlet.closed:
        assert pair.push(b"hello")
        await asyncio.sleep(0)
    assert pair.push(b"hello")


async def test_a_connection_that_closed_once_all_was_sent_may_be_cut(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    size = await pair.fill()
    number = pair.transport.get_extra_info("socket").fileno()
    pair.outlet.close()
    await pair.empty(size)
    while is_open(number):
        await asyncio.sleep(0)
    pair.outlet.abort()
    pair.pass_time(4)
    assert not caplog.records


async def test_nothing_is_pushed_to_a_descriptor_that_is_another_connection_s_now(pair: Pair) -> None:
    number = pair.transport.get_extra_info("socket").fileno()
    pair.transport.abort()
    while is_open(number):
        await asyncio.sleep(0)
    near, far = socket.socketpair()
    with near, far:
        assert number in (near.fileno(), far.fileno()), "the lowest number that is free is given out again"
        pair.push(b"for somebody else")
        for side in (near, far):
            side.setblocking(False)
            with pytest.raises(BlockingIOError):
                side.recv(1)


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


async def test_an_outlet_that_is_forgotten_leaves_its_descriptor_open(pair: Pair) -> None:
    transport = pair.transport
    del pair.outlet
    gc.collect()
    transport.write(b"still here")
    assert await received(pair.far, 10) == b"still here"


async def test_under_tls_what_is_pushed_is_encrypted(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run([*request, "-out", certificate, "-keyout", key], check=True, capture_output=True)
    server_side, client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server_side.load_cert_chain(certificate, key)
    client_side.load_verify_locations(certificate)

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = cast("asyncio.Transport", writer.transport)
        assert not push_all([Outlet(transport, "json", Wheel(ManualClock()), STALL_US)], b"hello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_side)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_side, server_hostname="localhost")
        assert await asyncio.wait_for(reader.read(), 5) == b"hello"
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "scenario",
    [
        test_what_is_pushed_and_written_arrives_whole_and_in_order,
        test_what_is_written_in_one_turn_of_the_loop_is_sent_together,
        test_who_has_too_much_unsent_is_told_and_all_others_have_the_frame,
        test_a_peer_that_takes_no_pushes_is_cut_after_the_stall,
        test_a_push_to_a_peer_that_is_gone_is_ignored,
        test_nothing_is_pushed_to_a_descriptor_that_is_another_connection_s_now,
        test_an_outlet_that_is_forgotten_leaves_its_descriptor_open,
    ],
)
def test_the_loop_that_serves_in_production_does_the_same(scenario: Callable[[Pair], Awaitable[None]]) -> None:
    async def run() -> None:
        async with connected() as pair:
            await scenario(pair)

    uvloop.run(run())


def test_under_tls_that_loop_encrypts_too(tmp_path: Path) -> None:
    uvloop.run(test_under_tls_what_is_pushed_is_encrypted(tmp_path))
