"""A live board as text for a terminal: what is marked, what is cut, and what never reaches the terminal."""

import re
from collections.abc import Mapping
from io import StringIO
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console

from scoreboard.client import BoardView
from scoreboard.clock import DAY, SECOND, rfc3339
from scoreboard.watch import Frame, Mark, Marks, gain_text, lines, plain, score_text
from scoreboard.wire import BoardOut, Row

AT = 1_800_000_000 * SECOND
HOSTILE = [
    "[red]x[/red]",
    "[/]",
    "a\x1b[31mb",
    "\x1b]0;title\x07",
    "tab\tline\nreturn\r",
    "\x9b2J",
    "a\u202eb",
    "\ud800",
]


def board(decimals: int = 0, order: str = "desc", title: str = "Main board") -> BoardOut:
    return BoardOut(
        board="main", title=title, order=order, operator="sum", rank="competition", tiebreakers=(), windows=("all",),
        seasons={}, timezone="UTC", week_start="monday", public=True, decimals=decimals, min_score=0, max_score=9_999,
        live_limit=100, actions={},
    )  # fmt: skip


def view(*rows: tuple[int, str, int], version: int = 1, period: str = "all") -> BoardView:
    """A board of (rank, name, score); the name is the player's id as well."""
    shown = tuple(
        Row(position=at, rank=rank, player_id=name, name=name, score=score, achieved_at="2027-01-15T08:00:00.000000Z")
        for at, (rank, name, score) in enumerate(rows, 1)
    )
    return BoardView("main", "all", period, 100, 1, version, len(rows), shown)


def drawn(
    shown: BoardView,
    marks: Mapping[str, Mark] | None = None,
    *,
    about: BoardOut | None = None,
    width: int = 80,
    height: int = 24,
    now: int = AT,
    colours: bool = False,
) -> list[str]:
    console = Console(
        file=StringIO(), width=width, force_terminal=colours, color_system="truecolor" if colours else None
    )
    with console.capture() as capture:
        console.print(Frame(about or board(), shown, AT, "live", marks or {}, now, height))
    return capture.get().splitlines()


def words(line: str) -> list[str]:
    return line.split()


def test_a_board_is_shown_with_its_shared_ranks_scores_and_state() -> None:
    heading, _, *rows, footer = drawn(view((1, "ada", 12_500), (1, "bob", 12_500), (3, "cyd", -7)))
    assert heading == "Main board  all"
    assert [words(row) for row in rows] == [["1", "ada", "12,500"], ["1", "bob", "12,500"], ["3", "cyd", "-7"]]
    assert footer.startswith("live · 3 players · ")
    assert footer.endswith(" · version 1")


@pytest.mark.parametrize(
    ("days", "pattern"), [(0, r"frozen since \d\d:\d\d"), (3, r"frozen since \d{4}-\d\d-\d\d \d\d:\d\d")]
)
def test_a_frozen_board_says_since_when(days: int, pattern: str) -> None:
    frozen = replace(view((1, "ada", 5)), frozen_at=rfc3339(AT - days * DAY))
    heading = drawn(frozen)[0]
    assert re.fullmatch(rf"Main board  all  {pattern}", heading), heading
    assert drawn(view((1, "ada", 5)))[0] == "Main board  all"


def test_an_empty_board_says_so() -> None:
    assert "No scores yet." in drawn(view())


def test_moves_gains_and_newcomers_are_marked_until_they_fade() -> None:
    marks = Marks()
    old, new = view((1, "ada", 20), (2, "bob", 10)), view((1, "bob", 35), (2, "ada", 20), (3, "cyd", 1), version=2)
    marks.add(None, old, AT)
    marks.add(old, new, AT)
    marked = [words(row) for row in drawn(new, marks.fade(AT))[2:-1]]
    assert marked == [["1", "▲1", "bob", "35", "+25"], ["2", "▼1", "ada", "20"], ["3", "new", "cyd", "1"]]
    assert set(marks.fade(AT + 3 * SECOND - 1)) == {"ada", "bob", "cyd"}
    assert marks.fade(AT + 3 * SECOND) == {}


def test_gains_that_follow_each_other_add_up() -> None:
    marks = Marks()
    states = [view((1, "ada", score)) for score in (1, 6, 26)]
    for seconds, (old, new) in enumerate(pairwise(states)):
        marks.add(old, new, AT + seconds * SECOND)
    assert marks.fade(AT + SECOND)["ada"].gained == 25


def test_a_new_period_begins_unmarked() -> None:
    marks = Marks()
    marks.add(view((1, "ada", 20)), view((1, "ada", 25)), AT)
    marks.add(view((1, "ada", 25)), view((1, "ada", 5), period="2027-01-16"), AT)
    assert marks.fade(AT) == {}


@pytest.mark.parametrize(("order", "gained", "colour"), [("desc", 5, 32), ("desc", -5, 31), ("asc", -5, 32)])
def test_what_is_better_is_green_and_dims_before_it_goes(order: str, gained: int, colour: int) -> None:
    marks = {"ada": Mark(0, gained, False, AT)}
    shown, about = view((1, "ada", 50)), board(order=order)
    fresh = drawn(shown, marks, about=about, colours=True)[2]
    faded = drawn(shown, marks, about=about, colours=True, now=AT + 2 * SECOND)[2]
    assert f"\x1b[1;{colour}m" in fresh
    assert f"\x1b[2;{colour}m" in faded


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_and_titles_are_shown_as_text(name: str) -> None:
    frame = drawn(view((1, name, 5)), about=board(title=name))
    assert len(frame) == 4
    assert plain(name) in frame[0]
    assert plain(name) in frame[2]
    (line,) = lines(board(), None, view((1, name, 5)), AT)
    assert line.split("\t")[2:] == ["1", plain(name), "5", ""]
    for text in (*frame, line.replace("\t", "")):
        assert text.isprintable()


def test_what_emoji_are_joined_by_is_kept() -> None:
    for name in ("👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️", "می‌خواهم"):
        assert plain(name) == name


@pytest.mark.parametrize("width", [12, 25, 40, 80, 300])
@pytest.mark.parametrize("name", ["ada", "x" * 128, "名前" * 60, "👨‍👩‍👧‍👦" * 12, "שלום עולם" * 10])
def test_every_line_fits_and_scores_stand_below_each_other(width: int, name: str) -> None:
    marks = {name: Mark(-3, 25, False, AT)}
    frame = drawn(view((1, name, 12_345), (2, "bob", 5)), marks, width=width)
    assert max(map(cell_len, frame)) <= width
    if width >= 25:
        rows = frame[2:4]
        ends = [
            cell_len(row[: row.index(score) + len(score)]) for row, score in zip(rows, ("12,345", " 5"), strict=True)
        ]
        assert ends[0] == ends[1]
    assert ("+25" in frame[2]) == (width >= 40)


def test_no_more_lines_than_there_is_room_for() -> None:
    many = view(*((at, f"p{at}", 100 - at) for at in range(1, 101)))
    for height in (3, 4, 10, 103, 200):
        frame = drawn(many, height=height)
        assert len(frame) == min(height, 103)
        assert "100 players" in frame[-1]


def test_a_line_is_written_for_each_row_that_changed_by_itself() -> None:
    old = view((1, "ada", 2_000), (2, "bob", 10), (3, "cyd", 5))
    new = view((1, "dan", 9_000), (2, "ada", 2_000), (3, "bob", 1_500), version=2)
    changes = [line.split("\t") for line in lines(board(decimals=2), old, new, AT)]
    assert {tuple(change[:2]) for change in changes} == {("2027-01-15T08:00:00.000000Z", "2")}
    assert [change[2:] for change in changes] == [
        ["1", "dan", "90.00", "new"],
        ["3", "bob", "15.00", "+14.90"],
        ["3", "cyd", "0.05", "left"],
    ]


def test_every_row_has_a_line_at_first_and_in_a_new_period() -> None:
    old = view((1, "ada", 20), (2, "bob", 10))
    new = view((1, "ada", 20), period="2027-01-16")
    assert [line.split("\t")[2:] for line in lines(board(), None, old, AT)] == [
        ["1", "ada", "20", ""],
        ["2", "bob", "10", ""],
    ]
    assert [line.split("\t")[2:] for line in lines(board(), old, new, AT)] == [["1", "ada", "20", ""]]


@pytest.mark.parametrize(
    ("score", "decimals", "text"),
    [
        (0, 0, "0"),
        (5, 2, "0.05"),
        (-5, 2, "-0.05"),
        (123_456, 2, "1,234.56"),
        (-(2**53) + 1, 0, "-9,007,199,254,740,991"),
    ],
)
def test_scores_have_the_decimals_of_their_board(score: int, decimals: int, text: str) -> None:
    assert score_text(score, decimals) == text


@given(st.integers(-(2**53), 2**53), st.integers(0, 9))
def test_scores_are_exact(score: int, decimals: int) -> None:
    whole, _, fraction = score_text(score, decimals).replace(",", "").partition(".")
    assert len(fraction) == decimals
    assert int(whole + fraction) == score


def test_gains_have_a_sign() -> None:
    assert [gain_text(gain, 0) for gain in (5, -5, 0)] == ["+5", "-5", ""]
