"""The channel between replicas: what one of them did and all must act on at once.

It is a hint. Whatever is told stands in the database before, and after a gap each replica looks there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct


class SessionsEnded(Struct, frozen=True, tag="sessions", array_like=True):
    """These sessions of a player have ended."""

    player_id: str
    session_ids: tuple[str, ...]


class PlayerChanged(Struct, frozen=True, tag="player", array_like=True):
    """A player was banned, hidden, or is neither any longer."""

    player_id: str
    status: Literal["active", "banned", "hidden"]


class BoardChanged(Struct, frozen=True, tag="board", array_like=True):
    """A board is new or has other settings."""

    board: str


News = SessionsEnded | PlayerChanged | BoardChanged

Listener = Callable[[News], None]
"""Told what another replica did; must not block."""


class Replica(Struct, frozen=True):
    """A running server: `seen_at` is when it was last heard of, `counts` what it told of itself.

    `secret` names the secret that it signs with; `ahead_ms` is by how much its clock is ahead of the one they share.
    """

    id: str
    seen_at: int
    counts: dict[str, int]
    secret: str = ""
    ahead_ms: int = 0


class Control(Protocol):
    """One replica's end of the channel."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing that is told is being missed now."""

    async def tell(self, news: News) -> None:
        """Tell all other replicas. Raises nothing: who misses it finds a gap."""

    def on(self, listener: Listener) -> None:
        """Have `listener` told what the others did."""

    def on_gap(self, listener: Callable[[], object]) -> None:
        """Have `listener` called after any time in which something may have been missed."""

    async def describe(self, counts: Mapping[str, int], secret: str = "") -> None:
        """Tell what is to be known of this replica. Raises nothing."""

    async def replicas(self) -> Sequence[Replica]:
        """The replicas that were heard of within the last minute, this one too."""

    async def close(self) -> None:
        """Say goodbye."""
