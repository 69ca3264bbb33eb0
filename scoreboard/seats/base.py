"""Seats: each open socket takes one of its address and one of its player, of which each has a bounded number."""

from typing import Protocol


class Seats(Protocol):
    """Counts seats by holder: any text that names an address or a player."""

    async def take(self, holder: str, cap: int) -> bool:
        """Take one more, if the holder has fewer than `cap` on all replicas; 0 means no limit. Raises nothing.

        Every True is to be followed by one `leave`.
        """

    def leave(self, holder: str) -> None:
        """Give one back; never waits."""

    async def keep(self) -> None:
        """Have the seats taken here known to the others, for as long as the server runs."""

    async def close(self) -> None:
        """Give back what is still taken."""
