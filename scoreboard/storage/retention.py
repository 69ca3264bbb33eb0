"""What is kept of a history whose older part is forgotten: a checkpoint for each player and beginning of a period.

All that was counted before the horizon, the beginning of a month in UTC, is folded once and for all into checkpoints of
the periods that go on; a later fold begins with them. Periods that ended before it need none: nothing moves them.
"""

from collections.abc import Iterable

from scoreboard.clock import from_datetime, to_datetime
from scoreboard.model import Board, BoardPeriod
from scoreboard.storage.spans import span


def month_of(at: int) -> int:
    """The beginning of an instant's month in UTC."""
    return from_datetime(to_datetime(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0))


def beginnings(board: Board, periods: Iterable[BoardPeriod], horizon: int) -> list[int]:
    """Where those periods begin that a horizon divides, each once."""
    found: dict[int, None] = {}
    for period in periods:
        start, end = span(board.settings, period)
        if start < horizon < end:
            found[start] = None
    return list(found)
