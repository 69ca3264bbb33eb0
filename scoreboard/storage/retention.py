"""What is kept of a history whose older part is forgotten: a checkpoint for each player and beginning of a period.

All that was counted before the horizon, the beginning of a month in UTC, is folded once and for all into checkpoints of
the periods that go on; a later fold begins with them. Periods that ended before it need none: nothing moves them.
"""

from collections.abc import Iterable

from scoreboard.clock import from_datetime, to_datetime
from scoreboard.model import MAX_SCORE, Board, BoardPeriod
from scoreboard.periods import bounds


def month_of(at: int) -> int:
    """The beginning of an instant's month in UTC."""
    return from_datetime(to_datetime(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0))


def beginnings(board: Board, periods: Iterable[BoardPeriod], horizon: int) -> list[int]:
    """Where those periods begin that a horizon divides, each once; the far past where one has no beginning."""
    found: dict[int, None] = {}
    for period in periods:
        start, end = bounds(board.settings, period.window, period.period)
        if (start is None or start < horizon) and (end is None or end > horizon):
            found[-MAX_SCORE if start is None else start] = None
    return list(found)
