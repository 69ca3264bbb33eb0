"""A sink that writes straight to a transport, and cuts a peer that takes nothing any more."""

import asyncio
import contextlib
from typing import cast

from scoreboard.clock import SECOND
from scoreboard.live.base import NO_DESCRIPTOR, UNSENT_BOUND, Codec
from scoreboard.live.wheel import Wheel

CHECKS_PER_STALL = 4

LINGER_US = 2 * SECOND
"""How long what was written may take to leave after the connection was closed."""


class Outlet:
    """The server-to-client direction of one connection.

    What is written in one turn of the event loop is sent together at its end: a system call costs as much as all that
    is done for an answer.

    The fan-out gives frames to the socket itself where nothing waits before them, which spares the transport's queue;
    the transport is handed what the kernel did not take.

    Once more than `UNSENT_BOUND` bytes wait, the wheel looks whether they move; a peer that took nothing for
    `stall_us` microseconds is aborted.
    """

    __slots__ = (
        "_clear",
        "_descriptor",
        "_finished",
        "_flushed",
        "_loop",
        "_moved_at",
        "_stall_us",
        "_transport",
        "_waiting",
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
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._descriptor = _descriptor_of(transport)
        self._clear = True
        self._wheel = wheel
        self._stall_us = stall_us
        self._written = 0
        self._flushed = 0
        self._moved_at = 0
        self._watched = False
        self._finished = False

    def write(self, frame: bytes) -> None:
        """Have a whole frame sent."""
        if self._finished or self._transport.is_closing():
            return
        if not self._waiting:
            self._loop.call_soon(self._flush)
            self._clear = False
        self._waiting += frame

    def push(self, frame: bytes) -> bool:
        """The same at once, unless too much waits already."""
        transport = self._transport
        self._flush()
        if self._finished or transport.is_closing():
            return True
        if transport.get_write_buffer_size() > UNSENT_BOUND:
            if not self._watched:
                self._watch()
            return False
        self.hand_over(frame)
        return True

    def descriptor(self) -> int:
        """What takes bytes straight to the kernel, where nothing waits before them; else `NO_DESCRIPTOR`."""
        # The descriptor of a transport that is closing may be another connection's by now.
        if self._transport.is_closing() or not (self._clear or self._emptied()):
            return NO_DESCRIPTOR
        return self._descriptor

    def hand_over(self, rest: bytes) -> None:
        """Have the transport send what the kernel did not take."""
        self._transport.write(rest)
        self._written += len(rest)
        self._clear = False

    def finish(self, frame: bytes) -> None:
        """Hand over the last frame; whatever is written after it is ignored."""
        self.write(frame)
        self._flush()
        self._finish()

    def unsent(self) -> int:
        """Bytes the kernel has not taken; 0 once the connection is gone."""
        transport = self._transport
        return 0 if transport.is_closing() else transport.get_write_buffer_size() + len(self._waiting)

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Close the connection when all is sent, or when that takes too long."""
        self._flush()
        self._finish()
        self._transport.close()
        self._wheel.schedule(self, self._wheel.now() + LINGER_US)

    def end(self) -> None:
        """Tell the peer that nothing follows, where the transport can; it may still send."""
        self._flush()
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()

    def abort(self) -> None:
        """Cut the connection without a word."""
        with contextlib.suppress(AttributeError):  # asyncio's transport forgets its loop where it closed by itself
            self._transport.abort()

    def due(self, now: int) -> int | None:
        """Look whether the unsent bytes move."""
        if self._transport.is_closing():
            self.abort()
            return None
        self._flush()
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

    def _flush(self) -> None:
        """Hand what waits to the transport."""
        if not self._waiting:
            return
        frames, transport = bytes(self._waiting), self._transport
        self._waiting.clear()
        if transport.is_closing():
            return
        self.hand_over(frames)
        if not self._watched and transport.get_write_buffer_size() > UNSENT_BOUND:
            self._watch()

    def _finish(self) -> None:
        self._finished = True
        self._clear = False

    def _emptied(self) -> bool:
        """Whether the transport has sent all, what waits included."""
        self._flush()
        transport = self._transport
        self._clear = not (self._finished or transport.is_closing() or transport.get_write_buffer_size())
        return self._clear

    def _watch(self) -> None:
        now = self._wheel.now()
        self._watched = True
        self._flushed, self._moved_at = self._written - self.unsent(), now
        self._wheel.schedule(self, now + self._stall_us // CHECKS_PER_STALL)


def _descriptor_of(transport: asyncio.Transport) -> int:
    """Of its socket; none under TLS, where the transport encrypts what is sent."""
    shown = transport.get_extra_info("socket")
    if shown is None or transport.get_extra_info("sslcontext") is not None or transport.is_closing():
        return NO_DESCRIPTOR
    return cast("int", shown.fileno())
