"""The seat that a socket takes among those of its address or its player."""

from scoreboard.seats.base import Seats


class Seat:
    """At most one at a time: whoever sits down as somebody else gives the first one back."""

    __slots__ = ("_cap", "_holder", "_seats")

    def __init__(self, seats: Seats, cap: int) -> None:
        self._seats = seats
        self._cap = cap
        self._holder: str | None = None

    async def take(self, holder: str | None) -> bool:
        """Sit down, or with no holder get up; False where all of the holder's seats are taken."""
        holder = holder if self._cap else None
        if holder == self._holder:
            return True
        self.leave()
        if holder is not None and not await self._seats.take(holder, self._cap):
            return False
        self._holder = holder
        return True

    def leave(self) -> None:
        """Get up."""
        if self._holder is not None:
            self._seats.leave(self._holder)
            self._holder = None
