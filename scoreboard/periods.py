"""Windows and their periods, from the calendar of a time zone; every period is half-open `[start, end)`.

A day begins at the first instant of its date in the zone, which is midnight except where the clocks skip it, and ends
where the next one begins: it may have 23 or 25 hours. Where clocks fall back across midnight, the hour that is told
twice belongs to the new day. A week is named as in ISO 8601 by its Monday: one that starts on Sunday or Saturday by
the Monday one or two days after its start.

Calendar periods are those of the years 1000 to 9998.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from scoreboard.clock import SECOND, from_datetime, to_datetime
from scoreboard.errors import BadRequest
from scoreboard.model import Board, BoardPeriod, BoardSettings, Season

CALENDAR_WINDOWS = ("day", "week", "month")
BUILT_IN_WINDOWS = ("all", *CALENDAR_WINDOWS)

MAX_OPEN_SPANS = 1024
"""Calendar periods remembered as the last one asked for; all are forgotten when a new one has no room."""

_FIRST_YEAR, _LAST_YEAR = 1000, 9998
_FORMATS = {
    "day": (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), ""),
    "week": (re.compile(r"[0-9]{4}-W[0-9]{2}"), "-1"),
    "month": (re.compile(r"[0-9]{4}-[0-9]{2}"), "-01"),
}
"""How a period is written, and what makes the ISO 8601 date of one of its days of that."""

_DAYS_BEFORE_MONDAY = {"monday": 0, "sunday": 1, "saturday": 2}
_ONE_DAY = timedelta(days=1)


class _Calendar(NamedTuple):
    """What a calendar period depends on, besides the date."""

    window: str
    timezone: str
    week_start: str


class Ended(NamedTuple):
    """A period that is over, with its bounds."""

    period: BoardPeriod
    start: int
    end: int


class _Span(NamedTuple):
    period: str
    start: int
    end: int


class _Lately(NamedTuple):
    """A board's open periods, as they are from `start` to `end`."""

    settings: BoardSettings
    periods: tuple[BoardPeriod, ...]
    start: int
    end: int


_EVER = _Span("all", -(2**63), 2**63)
_open: dict[_Calendar, _Span] = {}
_lately: dict[str, _Lately] = {}
"""What was asked for last, by board: nearly every instant asked for is now."""


def period_at(settings: BoardSettings, window: str, at: int) -> str | None:
    """The period of a window that holds the instant; None for a season outside its dates.

    Raises BadRequest for a window that is neither built in nor a declared season.
    """
    if window == "all":
        return "all"
    if window in CALENDAR_WINDOWS:
        return _span_at(_calendar(settings, window), at).period
    start, end = _season_bounds(_season(settings, window))
    return window if start <= at < end else None


def bounds(settings: BoardSettings, window: str, period: str) -> tuple[int | None, int | None]:
    """Start and end of a period in microseconds, None where it is unbounded.

    Raises BadRequest for an unknown window, and for a text that names no period of it.
    """
    if window in CALENDAR_WINDOWS:
        calendar = _calendar(settings, window)
        _, start, end = _span(calendar, _parse(calendar, period))
        return start, end
    limits = (None, None) if window == "all" else _season_bounds(_season(settings, window))
    if period != window:
        raise BadRequest(f"{period!r} is no period of the window {window!r}.")
    return limits


def board_periods(board: Board, at: int) -> tuple[BoardPeriod, ...]:
    """The period that holds the instant, for each of the board's windows that has one, in the board's order."""
    lately = _lately.get(board.id)
    if lately is None or lately.settings is not board.settings or not lately.start <= at < lately.end:
        lately = _periods_at(board, at)
        if len(_lately) >= MAX_OPEN_SPANS:
            _lately.clear()
        _lately[board.id] = lately
    return lately.periods


def _periods_at(board: Board, at: int) -> _Lately:
    settings = board.settings
    named = ((window, period_at(settings, window, at)) for window in settings.windows)
    found = tuple(BoardPeriod(board.id, window, period) for window, period in named if period is not None)
    if len(found) < len(settings.windows):  # a season is closed, and may open at any instant but this
        return _Lately(settings, found, at, at + 1)
    spans = [bounds(settings, window, period) for _, window, period in found]
    start = max((start for start, _ in spans if start is not None), default=_EVER.start)
    return _Lately(settings, found, start, min((end for _, end in spans if end is not None), default=_EVER.end))


def ended(board: Board, since: int, until: int) -> Iterator[Ended]:
    """The board's periods that ended after `since`, and by `until`; window by window, each in order."""
    settings = board.settings
    for window in settings.windows:
        if window in CALENDAR_WINDOWS:
            calendar = _calendar(settings, window)
            span = _span_at(calendar, since)
            while span.end <= until:
                yield Ended(BoardPeriod(board.id, window, span.period), span.start, span.end)
                span = _span_at(calendar, span.end)
        elif window != "all":
            start, end = _season_bounds(_season(settings, window))
            if since < end <= until:
                yield Ended(BoardPeriod(board.id, window, window), start, end)


def check(settings: BoardSettings) -> None:
    """Raise BadRequest, in one sentence, for settings that make no sense together."""
    if settings.timezone not in _timezones():
        raise BadRequest(f"Unknown time zone {settings.timezone!r}.")
    for name, season in settings.seasons.items():
        _check_season(name, season)
    for window in settings.windows:
        if window not in BUILT_IN_WINDOWS and window not in settings.seasons:
            raise BadRequest(f"Unknown window {window!r}: neither all, day, week, month nor a declared season.")
    _refuse_repeats("Window", settings.windows)
    _refuse_repeats("Tie column", tuple(column.name for column in settings.tiebreakers))
    if settings.min_score > settings.max_score:
        raise BadRequest(f"min_score {settings.min_score} is above max_score {settings.max_score}.")


def _refuse_repeats(kind: str, names: tuple[str, ...]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise BadRequest(f"{kind} {name!r} is declared twice.")


def _check_season(name: str, season: Season) -> None:
    if name in BUILT_IN_WINDOWS:
        raise BadRequest(f"A season cannot be called {name!r}: that is a built-in window.")
    start, end = _season_bounds(season)
    if start >= end:
        raise BadRequest(f"Season {name!r} starts at {season.start} but ends at {season.end}.")


# Seasons


def _season(settings: BoardSettings, window: str) -> Season:
    season = settings.seasons.get(window)
    if season is None:
        raise BadRequest(f"Unknown window {window!r}.")
    return season


@lru_cache(maxsize=1024)
def _season_bounds(season: Season) -> tuple[int, int]:
    return _instant(season.start), _instant(season.end)


def _instant(text: str) -> int:
    try:
        moment = msgspec.convert(text, Annotated[datetime, msgspec.Meta(tz=True)])
    except msgspec.ValidationError:
        raise BadRequest(f"{text!r} is no RFC 3339 time with an offset, such as 2026-11-23T00:00:00Z.") from None
    return from_datetime(moment)


# The calendar


def _calendar(settings: BoardSettings, window: str) -> _Calendar:
    return _Calendar(window, settings.timezone, settings.week_start)


def _span_at(calendar: _Calendar, at: int) -> _Span:
    # Nearly every instant asked for is now, so the span of the last one nearly always holds it.
    span = _open.get(calendar)
    if span is None or not span.start <= at < span.end:
        span = _find_span(calendar, at)
        if len(_open) >= MAX_OPEN_SPANS:
            _open.clear()
        _open[calendar] = span
    return span


def _find_span(calendar: _Calendar, at: int) -> _Span:
    try:
        day = to_datetime(at).astimezone(ZoneInfo(calendar.timezone)).date()
        if at >= _start_of_day(calendar.timezone, day + _ONE_DAY):
            day += _ONE_DAY  # the clocks fell back across midnight and tell the old date once more
        return _span(calendar, _first_day(calendar, day))
    except OverflowError:
        raise BadRequest("The time is outside the calendar.") from None


def _span(calendar: _Calendar, first: date) -> _Span:
    """The period that begins on this day."""
    name = _name(calendar, first)
    if not _FIRST_YEAR <= int(name[:4]) <= _LAST_YEAR:
        raise BadRequest(f"{name!r} is outside the years {_FIRST_YEAR} to {_LAST_YEAR}.")
    start = _start_of_day(calendar.timezone, first)
    return _Span(name, start, _start_of_day(calendar.timezone, _next_first_day(calendar, first)))


def _first_day(calendar: _Calendar, day: date) -> date:
    if calendar.window == "month":
        return day.replace(day=1)
    if calendar.window == "week":
        return day - timedelta(days=(day.weekday() + _DAYS_BEFORE_MONDAY[calendar.week_start]) % 7)
    return day


def _next_first_day(calendar: _Calendar, first: date) -> date:
    if calendar.window == "month":
        return (first + timedelta(days=31)).replace(day=1)
    return first + (7 * _ONE_DAY if calendar.window == "week" else _ONE_DAY)


def _name(calendar: _Calendar, first: date) -> str:
    if calendar.window == "month":
        return f"{first.year:04}-{first.month:02}"
    if calendar.window == "week":
        year, week, _ = (first + _ONE_DAY * _DAYS_BEFORE_MONDAY[calendar.week_start]).isocalendar()
        return f"{year:04}-W{week:02}"
    return first.isoformat()


def _parse(calendar: _Calendar, period: str) -> date:
    """The first day of a period by its name."""
    text, first_day = _FORMATS[calendar.window]
    try:
        if text.fullmatch(period) is None:
            raise ValueError(period)
        return _first_day(calendar, date.fromisoformat(period + first_day))
    except (ValueError, OverflowError):
        raise BadRequest(f"{period!r} is no period of the window {calendar.window!r}.") from None


@lru_cache(maxsize=4096)
def _start_of_day(timezone: str, day: date) -> int:
    """The first instant of a date in a zone; of a date the zone skipped, the first instant after it."""
    zone = ZoneInfo(timezone)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    instant = midnight.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return from_datetime(instant)
    return _clock_change(zone, from_datetime(midnight.replace(fold=1)), from_datetime(instant))


def _clock_change(zone: ZoneInfo, before: int, after: int) -> int:
    """When the clocks go forward: after `before`, at `after` the latest, and on a whole second."""
    offset = to_datetime(after).astimezone(zone).utcoffset()
    while after - before > SECOND:
        middle = (before + after) // 2 // SECOND * SECOND
        if to_datetime(middle).astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


@lru_cache(maxsize=1)
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())
