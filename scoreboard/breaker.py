"""A circuit breaker: after a failure nothing is tried for a moment, so that nobody waits for what cannot work.

After M. Nygard, "Release It!" (2007), with one probe at a time while it is half open.
"""

from scoreboard.clock import SECOND, Clock

FIRST_PAUSE = SECOND // 4
LONGEST_PAUSE = 2 * SECOND


class Breaker:
    """Says whether to try. The pause doubles with each failure in a row, from a quarter of a second to two."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._closed_at = 0

    @property
    def is_open(self) -> bool:
        """Whether the last try failed; then only a probe now and then goes through."""
        return self._failures > 0

    def permits(self) -> bool:
        """Whether to try now; while open, true once after each pause."""
        if not self._failures:
            return True
        now = self._clock.now()
        if now < self._closed_at:
            return False
        self._closed_at = now + self._pause()
        return True

    def succeeded(self) -> None:
        """It works."""
        self._failures = 0

    def failed(self) -> None:
        """It does not."""
        self._failures += 1
        self._closed_at = self._clock.now() + self._pause()

    def _pause(self) -> int:
        return int(min(LONGEST_PAUSE, FIRST_PAUSE << min(self._failures - 1, 8)))
