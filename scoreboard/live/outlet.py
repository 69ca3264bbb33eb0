"""A sink that writes straight to a transport, and cuts a peer that takes nothing any more."""

import asyncio
import socket
from collections.abc import Callable

from scoreboard.clock import SECOND
from scoreboard.live.base import UNSENT_BOUND, Codec
from scoreboard.live.wheel import Wheel

CHECKS_PER_STALL = 4

LINGER_US = 2 * SECOND
"""How long what was written may take to leave after the connection was closed."""


class Outlet:
    """The server-to-client direction of one connection.

    A pushed frame goes to the socket itself where nothing waits before it, which spares the transport's queue; the
    transport is handed what the kernel did not take.

    Once more than `UNSENT_BOUND` bytes wait, the wheel looks whether they move; a peer that took nothing for
    `stall_us` microseconds is aborted.
    """

    __slots__ = (
        "_finished",
        "_flushed",
        "_moved_at",
        "_send",
        "_stall_us",
        "_transport",
        "_watched",
        "_wheel",
        "_written",
        "codec",
        "player_id",
    )

    def __init__(self, transport: asyncio.Transport, codec: Codec, wheel: Wheel, stall_us: int) -> None:
        self.codec = codec
        self.player_id: str | None = None
        self._transport = transport
        self._send = _send_of(transport)
        self._wheel = wheel
        self._stall_us = stall_us
        self._written = 0
        self._flushed = 0
        self._moved_at = 0
        self._watched = False
        self._finished = False

    def write(self, frame: bytes) -> None:
        """Hand a whole frame to the transport."""
        transport = self._transport
        if self._finished or transport.is_closing():
            return
        transport.write(frame)
        self._written += len(frame)
        if not self._watched and transport.get_write_buffer_size() > UNSENT_BOUND:
            self._watch()

    def push(self, frame: bytes) -> bool:
        """Send a whole frame, unless too much waits already. The hot end of the fan-out."""
        transport = self._transport
        unsent = transport.get_write_buffer_size()
        if unsent > UNSENT_BOUND:
            if not self._watched:
                self._watch()
            return False
        # The descriptor of a transport that is closing may be another connection's by now.
        if self._finished or transport.is_closing():
            return True
        send = self._send  # called as an attribute it would be looked up as a method, which takes longer
        try:
            sent = 0 if unsent else send(frame)
        except OSError:  # no room, or the connection is lost, which the transport will find out
            sent = 0
        if sent != len(frame):
            transport.write(frame[sent:])
            self._written += len(frame) - sent
        return True

    def finish(self, frame: bytes) -> None:
        """Hand over the last frame; whatever is written after it is ignored."""
        self.write(frame)
        self._finished = True

    def unsent(self) -> int:
        """Bytes the kernel has not taken; 0 once the connection is gone."""
        return 0 if self._transport.is_closing() else self._transport.get_write_buffer_size()

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Close the connection when all is sent, or when that takes too long."""
        self._finished = True
        self._transport.close()
        self._wheel.schedule(self, self._wheel.now() + LINGER_US)

    def end(self) -> None:
        """Tell the peer that nothing follows, where the transport can; it may still send."""
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()

    def abort(self) -> None:
        """Cut the connection without a word."""
        self._transport.abort()

    def due(self, now: int) -> int | None:
        """Look whether the unsent bytes move."""
        if self._transport.is_closing():
            self.abort()
            return None
        unsent = self.unsent()
        flushed = self._written - unsent
        if not unsent:
            self._watched = False
            return None
        if flushed != self._flushed:
            self._flushed, self._moved_at = flushed, now
        elif now - self._moved_at >= self._stall_us:
            self.abort()
            return None
        return now + self._stall_us // CHECKS_PER_STALL

    def _watch(self) -> None:
        now = self._wheel.now()
        self._watched = True
        self._flushed, self._moved_at = self._written - self.unsent(), now
        self._wheel.schedule(self, now + self._stall_us // CHECKS_PER_STALL)


class _Borrowed(socket.socket):
    """A socket on a descriptor that is somebody else's to close."""

    __slots__ = ()

    def __del__(self) -> None:
        self.detach()


def _send_of(transport: asyncio.Transport) -> Callable[[bytes], int]:
    """What takes bytes straight to the kernel and tells how many it took: none under TLS, where they are encrypted."""
    shown = transport.get_extra_info("socket")
    if shown is None or transport.get_extra_info("sslcontext") is not None or transport.is_closing():
        return lambda frame: 0
    own = _Borrowed(fileno=shown.fileno())
    own.setblocking(False)
    return own.send
