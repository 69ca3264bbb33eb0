"""What instants a period holds, as the databases are asked for them."""

from scoreboard.clock import SECOND
from scoreboard.model import BoardPeriod, BoardSettings
from scoreboard.periods import bounds

BEGINNING = -62_135_596_800 * SECOND
"""The first instant that can be written: the year 1."""

END = 253_402_300_800 * SECOND
"""The first that cannot: the year 10,000."""


def span(settings: BoardSettings, period: BoardPeriod) -> tuple[int, int]:
    """When a period begins and when it is over; all of time where it has no bounds."""
    start, end = bounds(settings, period.window, period.period)
    return BEGINNING if start is None else start, END if end is None else end
