from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scoreboard import periods
from scoreboard.clock import DAY, HOUR, MINUTE, from_datetime, rfc3339, to_datetime
from scoreboard.errors import BadRequest
from scoreboard.model import Board, BoardPeriod, BoardSettings, Season, TieColumn
from scoreboard.periods import board_periods, bounds, check, ended, period_at

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Sao_Paulo",  # skipped midnight each spring until 2018
    "America/St_Johns",  # fell back from 00:01 to 23:01 until 2011
    "America/Toronto",  # skipped from 23:30 to 00:30 in 1919
    "Pacific/Apia",  # skipped 30 December 2011
    "Australia/Lord_Howe",  # moves by half an hour
    "Asia/Kathmandu",
)
WeekStart = Literal["monday", "sunday", "saturday"]

SPRING = Season("2026-03-01T00:00:00+01:00", "2026-06-01T00:00:00+02:00")


def instant(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text))


FIRST, LAST = instant("1900-01-01T00:00:00Z"), instant("2100-01-01T00:00:00Z")

instants = st.integers(FIRST, LAST)
windows = st.sampled_from(("day", "week", "month"))
boards = st.builds(
    BoardSettings,
    timezone=st.sampled_from(ZONES),
    week_start=st.sampled_from(("monday", "sunday", "saturday")),
)


def in_zone(timezone: str) -> BoardSettings:
    return BoardSettings(timezone=timezone)


def span(settings: BoardSettings, window: str, period: str) -> tuple[int, int]:
    start, end = bounds(settings, window, period)
    assert start is not None
    assert end is not None
    return start, end


@given(boards, windows, instants)
@example(in_zone("America/St_Johns"), "day", instant("2006-10-29T02:31:30Z"))
@example(in_zone("America/St_Johns"), "day", instant("2006-10-29T03:00:00Z"))
@example(in_zone("America/Sao_Paulo"), "day", instant("2018-11-04T03:00:00Z"))
@example(in_zone("Pacific/Apia"), "week", instant("2011-12-30T10:00:00Z"))
def test_every_instant_is_in_exactly_one_period(settings: BoardSettings, window: str, at: int) -> None:
    period = period_at(settings, window, at)
    assert period is not None
    start, end = span(settings, window, period)
    assert start <= at < end
    assert period_at(settings, window, start) == period
    assert period_at(settings, window, end - 1) == period
    following = period_at(settings, window, end)
    preceding = period_at(settings, window, start - 1)
    assert following is not None
    assert preceding is not None
    assert preceding < period < following
    assert span(settings, window, following)[0] == end
    assert span(settings, window, preceding)[1] == start


@given(boards, instants)
def test_a_day_starts_at_the_first_instant_of_its_date(settings: BoardSettings, at: int) -> None:
    zone = ZoneInfo(settings.timezone)
    period = period_at(settings, "day", at)
    assert period is not None
    start, _ = span(settings, "day", period)
    assert to_datetime(start).astimezone(zone).date().isoformat() == period
    assert to_datetime(start - 1).astimezone(zone).date().isoformat() < period


@pytest.mark.parametrize(
    ("timezone", "period", "start", "length"),
    [
        ("UTC", "2026-11-23", "2026-11-23T00:00:00Z", 24 * HOUR),
        ("Europe/Berlin", "2026-11-23", "2026-11-22T23:00:00Z", 24 * HOUR),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23 * HOUR),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25 * HOUR),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23 * HOUR),
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z", 25 * HOUR),
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z", 23 * HOUR + 30 * MINUTE),
        ("America/St_Johns", "2006-10-28", "2006-10-28T02:30:00Z", 24 * HOUR),
        ("America/St_Johns", "2006-10-29", "2006-10-29T02:30:00Z", 25 * HOUR),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24 * HOUR + 30 * MINUTE),
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", 24 * HOUR),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", 0),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", 24 * HOUR),
    ],
)
def test_a_day_is_as_long_as_the_calendar_says(timezone: str, period: str, start: str, length: int) -> None:
    assert span(in_zone(timezone), "day", period) == (instant(start), instant(start) + length)


@pytest.mark.parametrize(
    ("week_start", "first_day", "period"),
    [
        ("monday", "2026-11-23", "2026-W48"),
        ("sunday", "2026-11-22", "2026-W48"),
        ("saturday", "2026-11-21", "2026-W48"),
        ("monday", "2024-12-30", "2025-W01"),
        ("sunday", "2024-12-29", "2025-W01"),
        ("saturday", "2024-12-28", "2025-W01"),
        ("monday", "2026-12-28", "2026-W53"),
        ("saturday", "2026-12-26", "2026-W53"),
    ],
)
def test_a_week_is_named_by_its_monday(week_start: WeekStart, first_day: str, period: str) -> None:
    settings = BoardSettings(week_start=week_start)
    start = instant(f"{first_day}T00:00:00Z")
    assert bounds(settings, "week", period) == (start, start + 7 * DAY)
    assert period_at(settings, "week", start) == period
    assert period_at(settings, "week", start - 1) != period


def test_a_month_ends_where_the_next_begins() -> None:
    berlin = in_zone("Europe/Berlin")
    assert span(berlin, "month", "2026-03") == (instant("2026-02-28T23:00:00Z"), instant("2026-03-31T22:00:00Z"))
    assert span(berlin, "month", "2026-12")[1] == instant("2026-12-31T23:00:00Z")
    assert span(in_zone("UTC"), "month", "2024-02")[1] == instant("2024-03-01T00:00:00Z")


def test_the_leap_day_is_a_day_in_leap_years_only() -> None:
    assert period_at(BoardSettings(), "day", instant("2024-02-29T12:00:00Z")) == "2024-02-29"
    assert bounds(BoardSettings(), "day", "2024-02-29")[1] == instant("2024-03-01T00:00:00Z")
    with pytest.raises(BadRequest):
        bounds(BoardSettings(), "day", "2026-02-29")


def test_the_window_all_has_one_period_without_bounds() -> None:
    assert period_at(BoardSettings(), "all", 0) == "all"
    assert bounds(BoardSettings(), "all", "all") == (None, None)


def test_a_season_is_half_open() -> None:
    settings = BoardSettings(windows=("spring",), seasons={"spring": SPRING})
    start, end = instant("2026-02-28T23:00:00Z"), instant("2026-05-31T22:00:00Z")
    assert bounds(settings, "spring", "spring") == (start, end)
    told = [period_at(settings, "spring", at) for at in (start - 1, start, end - 1, end)]
    assert told == [None, "spring", "spring", None]


def test_a_board_has_one_period_for_each_window_open_then() -> None:
    settings = BoardSettings(windows=("week", "spring", "all", "day"), seasons={"spring": SPRING})
    board = Board("main", settings, 1, 0, 0)
    november, may = instant("2026-11-23T12:00:00Z"), instant("2026-05-01T12:00:00Z")
    assert board_periods(board, november) == (
        BoardPeriod("main", "week", "2026-W48"),
        BoardPeriod("main", "all", "all"),
        BoardPeriod("main", "day", "2026-11-23"),
    )
    assert BoardPeriod("main", "spring", "spring") in board_periods(board, may)


@pytest.mark.parametrize(
    ("window", "period"),
    [
        ("day", "2026-02-30"),
        ("day", "2026-13-01"),
        ("day", "2026-1-01"),
        ("day", "20260101"),
        ("day", "2026-W48"),
        ("day", "2026-11-23\n"),
        ("day", "２０２６-11-23"),
        ("day", "0999-12-31"),
        ("day", "9999-12-31"),
        ("day", "0000-01-01"),
        ("week", "2026-W00"),
        ("week", "2025-W53"),
        ("week", "2026-W60"),
        ("week", "2026-48"),
        ("week", "2026-W48-1"),
        ("week", "9999-W52"),
        ("week", "0001-W01"),
        ("month", "2026-13"),
        ("month", "2026-00"),
        ("month", "2026-11-01"),
        ("month", ""),
        ("all", "2026"),
        ("spring", "all"),
        ("autumn", "autumn"),
    ],
)
@pytest.mark.parametrize("week_start", ["monday", "saturday"])
def test_a_text_that_is_no_period_of_the_window_is_refused(window: str, period: str, week_start: WeekStart) -> None:
    settings = BoardSettings(seasons={"spring": SPRING}, week_start=week_start)
    with pytest.raises(BadRequest):
        bounds(settings, window, period)


@given(windows, st.text("0123456789-W", max_size=10))
def test_a_period_is_accepted_only_as_it_is_written(window: str, text: str) -> None:
    try:
        start, _ = span(BoardSettings(), window, text)
    except BadRequest:
        return
    assert period_at(BoardSettings(), window, start) == text


def test_an_unknown_window_has_no_period() -> None:
    with pytest.raises(BadRequest, match="autumn"):
        period_at(BoardSettings(), "autumn", 0)


@pytest.mark.parametrize("at", [-(2**62), 2**62, instant("0999-01-01T00:00:00Z"), instant("9999-12-31T23:00:00Z")])
def test_an_instant_outside_the_calendar_is_refused(at: int) -> None:
    with pytest.raises(BadRequest):
        period_at(BoardSettings(), "day", at)


def test_what_is_remembered_of_open_periods_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periods, "MAX_OPEN_SPANS", 2)
    morning = from_datetime(datetime(2026, 11, 23, 6, tzinfo=UTC))
    for _ in range(2):
        assert [period_at(in_zone(zone), "day", morning) for zone in ZONES] == ["2026-11-23"] * len(ZONES)
    assert len(periods._open) <= 2


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_settings_that_make_sense_pass(timezone: str) -> None:
    columns = (TieColumn("kills"), TieColumn("deaths"))
    windows = ("all", "spring", "day", "week", "month")
    check(BoardSettings(timezone=timezone, windows=windows, seasons={"spring": SPRING}, tiebreakers=columns))


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (BoardSettings(timezone="Europe/Atlantis"), "Atlantis"),
        (BoardSettings(timezone="America"), "America"),
        (BoardSettings(timezone="../etc/passwd"), "passwd"),
        (BoardSettings(timezone=""), "time zone"),
        (BoardSettings(timezone="right/Europe/Berlin"), "right"),
        (BoardSettings(windows=("all", "year")), "year"),
        (BoardSettings(windows=("day", "all", "day")), "day"),
        (BoardSettings(tiebreakers=(TieColumn("a"), TieColumn("a", "asc"))), "'a'"),
        (BoardSettings(seasons={"day": SPRING}), "day"),
        (BoardSettings(seasons={"spring": Season(SPRING.end, SPRING.start)}), "spring"),
        (BoardSettings(seasons={"spring": Season(SPRING.start, SPRING.start)}), "spring"),
        (BoardSettings(seasons={"spring": Season("2026-03-01", SPRING.end)}), "2026-03-01"),
        (BoardSettings(seasons={"spring": Season("2026-03-01T00:00:00", SPRING.end)}), "offset"),
        (BoardSettings(seasons={"spring": Season(SPRING.start, "soon")}), "soon"),
        (BoardSettings(min_score=5, max_score=4), "max_score"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(settings: BoardSettings, names: str) -> None:
    with pytest.raises(BadRequest, match=names):
        check(settings)


def test_a_refusal_is_one_sentence_for_the_client() -> None:
    with pytest.raises(BadRequest) as refusal:
        bounds(BoardSettings(), "day", "2026-02-30")
    assert refusal.value.detail == "'2026-02-30' is no period of the window 'day'."
    assert rfc3339(span(BoardSettings(), "day", "2026-02-28")[1]) == "2026-03-01T00:00:00.000000Z"


def test_what_ended_by_an_instant_is_found_window_by_window() -> None:
    season = Season("2027-03-01T00:00:00Z", "2027-03-03T12:00:00Z")
    settings = BoardSettings(
        windows=("all", "day", "spring", "month"), seasons={"spring": season}, timezone="Europe/Berlin"
    )
    board = Board("main", settings, 1, 0, 0)
    since, until = instant("2027-03-01T12:00:00Z"), instant("2027-03-03T23:00:00Z")
    assert [each.period for each in ended(board, since, until)] == [
        BoardPeriod("main", "day", "2027-03-01"),
        BoardPeriod("main", "day", "2027-03-02"),
        BoardPeriod("main", "day", "2027-03-03"),
        BoardPeriod("main", "spring", "spring"),
    ]
    assert [each.period for each in ended(board, since, until - 1)] == [
        BoardPeriod("main", "day", "2027-03-01"),
        BoardPeriod("main", "day", "2027-03-02"),
        BoardPeriod("main", "spring", "spring"),
    ]
    [day, *_] = ended(board, since, until)
    assert (day.start, day.end) == (instant("2027-02-28T23:00:00Z"), instant("2027-03-01T23:00:00Z"))
    assert list(ended(board, day.end, day.end)) == []
    assert [each.end for each in ended(board, day.end - 1, day.end)] == [day.end]
