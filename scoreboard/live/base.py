"""What the live hub knows of a connection: a place to write whole frames to."""

from typing import Literal, Protocol

Codec = Literal["json", "msgpack"]

UNSENT_BOUND = 16 * 1024
"""Bytes the kernel has not taken yet, beyond which a connection gets no pushes; it catches up with the newest state."""

Known = tuple[int, int]
"""Epoch and version of what a client shows."""

NO_DESCRIPTOR = -1
"""In place of a descriptor, where none may be written to."""


class Sink(Protocol):
    """One client's receiving end. Hashed by identity."""

    @property
    def codec(self) -> Codec:
        """How its frames are encoded."""

    @property
    def player_id(self) -> str | None:
        """Who listens; None for a spectator."""

    def write(self, frame: bytes) -> None:
        """Hand over one complete WebSocket frame; never waits, ignored once the connection is gone."""

    def push(self, frame: bytes) -> bool:
        """The same, unless more than `UNSENT_BOUND` bytes wait already: then False, and nothing is written."""

    def descriptor(self) -> int:
        """The shorter way for a frame, where nothing waits before it: what takes bytes straight to the kernel.

        Good until the event loop runs again. What the kernel does not take is to be handed over.
        """

    def hand_over(self, rest: bytes) -> None:
        """Have the rest of a frame sent before anything else."""
