"""Whether submissions come in fast enough for a process of their own to pay."""

from scoreboard.clock import SECOND

HIGH_PER_S = 300
"""A twentieth of what the server can do: its writes are then about as much of its work."""


class Demand:
    """Counts submissions, second by second."""

    def __init__(self) -> None:
        self._second = 0
        self._count = 0

    def is_high(self, submissions: int, now: int) -> bool:
        """Count some more that came at an instant; whether there were many within its second."""
        second = now // SECOND
        if second != self._second:
            self._second, self._count = second, 0
        self._count += submissions
        return self._count >= HIGH_PER_S
