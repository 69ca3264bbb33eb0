"""Which settings a board's history fixes."""

from typing import Any

import pytest

from scoreboard.clock import DAY, rfc3339
from scoreboard.errors import Conflict
from scoreboard.model import BoardSettings, Season, TieColumn
from scoreboard.periods import bounds
from scoreboard.storage.settled import check_settled

SPRING = Season("2026-03-01T00:00:00Z", "2026-06-01T00:00:00Z")
BEFORE = BoardSettings(windows=("all", "spring"), seasons={"spring": SPRING})


def instant(text: str) -> int:
    """A time in microseconds."""
    start, _ = bounds(BoardSettings(seasons={"x": Season(text, text)}), "x", "x")
    assert start is not None
    return start


APRIL, JULY = instant("2026-04-01T00:00:00Z"), instant("2026-07-01T00:00:00Z")


def changed(**settings: Any) -> BoardSettings:
    return BoardSettings(**({"windows": BEFORE.windows, "seasons": BEFORE.seasons} | settings))


@pytest.mark.parametrize(
    "settings",
    [
        {"order": "asc"},
        {"operator": "sum"},
        {"tiebreakers": (TieColumn("laps"),)},
        {"timezone": "Asia/Tokyo"},
        {"week_start": "sunday"},
        {"seasons": {"spring": Season("2026-02-01T00:00:00Z", SPRING.end)}},
        {"windows": ("all",), "seasons": {}},
    ],
)
def test_what_standings_are_made_by_is_fixed(settings: dict[str, Any]) -> None:
    [name] = settings.keys() - {"windows"}
    with pytest.raises(Conflict, match="season spring" if name == "seasons" else name):
        check_settled(BEFORE, changed(**settings), APRIL)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"title": "Other", "rank": "dense", "public": False, "min_score": 0},
        {"windows": ("all", "day", "spring")},
        {"seasons": {"spring": SPRING, "summer": Season("2026-06-01T00:00:00Z", "2026-09-01T00:00:00Z")}},
        {"seasons": {"spring": Season("2026-03-01T01:00:00+01:00", SPRING.end)}},
    ],
)
def test_all_else_may_change(settings: dict[str, Any]) -> None:
    check_settled(BEFORE, changed(**settings), JULY)


@pytest.mark.parametrize("end", [APRIL, APRIL + DAY, JULY])
def test_the_end_of_a_season_that_has_not_ended_may_move_within_what_is_to_come(end: int) -> None:
    check_settled(BEFORE, changed(seasons={"spring": Season(SPRING.start, rfc3339(end))}), APRIL)


@pytest.mark.parametrize(("end", "now"), [(APRIL - 1, APRIL), (JULY + DAY, JULY), (APRIL, JULY)])
def test_what_is_past_of_a_season_stays_as_it_was(end: int, now: int) -> None:
    with pytest.raises(Conflict, match="season spring"):
        check_settled(BEFORE, changed(seasons={"spring": Season(SPRING.start, rfc3339(end))}), now)
