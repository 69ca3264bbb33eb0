"""A server that is alone: there is nobody to tell, and nothing to miss."""

from collections.abc import Callable, Mapping, Sequence

from scoreboard.clock import Clock
from scoreboard.control.base import Listener, News, Replica

ID = "alone"


class MemoryControl:
    """`Control` of a single process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[str, int] = {}

    @property
    def is_whole(self) -> bool:
        """Nothing is missed."""
        return True

    async def tell(self, news: News) -> None:
        """There is nobody to tell."""

    def on(self, listener: Listener) -> None:
        """Nobody tells anything."""

    def on_gap(self, listener: Callable[[], object]) -> None:
        """Nothing is missed."""

    async def describe(self, counts: Mapping[str, int], secret: str = "") -> None:
        """Keep what is to be known of this server."""
        self._counts = dict(counts)

    async def replicas(self) -> Sequence[Replica]:
        """This server."""
        return (Replica(ID, self._clock.now(), self._counts),)

    async def close(self) -> None:
        """Nobody hears it."""
