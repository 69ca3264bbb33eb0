"""Publish: whoever watches hears of what moved.

Boards are announced by the ranking itself, within its step; what is left is the players' own standings.
"""

from collections.abc import Callable, Sequence

from scoreboard.model import BoardPeriod
from scoreboard.storage.base import Committal

Submitted = Callable[[str, Sequence[BoardPeriod]], None]
"""Told of a player whose own standing moved in these periods; must not block."""


class Publish:
    """Tells players of their own standings."""

    def __init__(self, submitted: Submitted) -> None:
        self._submitted = submitted

    def __call__(self, committal: Committal) -> None:
        """Announce each accepted submission of the batch to its own player."""
        for outcome in committal.outcomes:
            if outcome.changes:
                self._submitted(outcome.player_id, [change.period for change in outcome.changes])
