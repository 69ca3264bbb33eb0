"""Reading recorded contests, and comparing standings with the official ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from scoreboard.contest import Difference, Official, Place, Rule, Unusable, differences, load
from scoreboard.wire import Row

EVENT = {"t_ms": 1, "player": "ada", "name": "Ada", "board": "main", "score": 5, "op": "sum"}
OFFICIAL = Official("main", Rule("sum"), standings=(Place(1, "ada", 9), Place(2, "bob", 5), Place(3, "mei", 5)))
SHARED = Official(
    "main", Rule("sum", tie="shared"), standings=(Place(1, "ada", 9), Place(2, "bob", 5), Place(2, "mei", 5))
)


def row(position: int, player: str, score: int, at: str, rank: int | None = None) -> Row:
    return Row(position=position, rank=rank or position, player_id=player, name=player, score=score, achieved_at=at)


def write(path: Path, *lines: Any) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_identical_standings_have_no_differences() -> None:
    assert differences(OFFICIAL, [row(1, "ada", 9, "a"), row(2, "bob", 5, "b"), row(3, "mei", 5, "c")]) == ()


def test_equal_scores_reached_at_different_times_may_not_swap() -> None:
    found = differences(OFFICIAL, [row(1, "ada", 9, "a"), row(2, "mei", 5, "b"), row(3, "bob", 5, "c")])
    assert [(one.expected, one.got) for one in found] == [
        (Place(2, "bob", 5), Place(2, "mei", 5, "mei")),
        (Place(3, "mei", 5), Place(3, "bob", 5, "bob")),
    ]


def test_equal_scores_reached_at_the_same_time_may_stand_in_any_order() -> None:
    assert differences(OFFICIAL, [row(1, "ada", 9, "a"), row(2, "mei", 5, "b"), row(3, "bob", 5, "b")]) == ()


def test_shared_places_are_compared_by_rank() -> None:
    rows = [row(1, "ada", 9, "a"), row(2, "mei", 5, "b"), row(3, "bob", 5, "c", rank=2)]
    assert differences(SHARED, rows) == ()
    rows[2] = row(3, "bob", 5, "c", rank=3)
    assert len(differences(SHARED, rows)) == 2


def test_with_scores_only_a_wrong_score_is_still_found() -> None:
    rows = [row(1, "ada", 9, "a"), row(2, "mei", 5, "b"), row(3, "bob", 5, "c")]
    assert differences(OFFICIAL, rows, scores_only=True) == ()
    rows[2] = row(3, "bob", 4, "c")
    assert differences(OFFICIAL, rows, scores_only=True)


def test_a_missing_and_a_surplus_player_are_found() -> None:
    rows = [row(1, "ada", 9, "a"), row(2, "bob", 5, "b")]
    assert differences(OFFICIAL, rows) == (Difference("main", Place(3, "mei", 5), None),)
    rows += [row(3, "mei", 5, "c"), row(4, "kit", 1, "d")]
    assert differences(OFFICIAL, rows) == (Difference("main", None, Place(4, "kit", 1, "kit")),)


def test_an_empty_board_differs_in_every_place() -> None:
    assert [one.got for one in differences(OFFICIAL, [])] == [None, None, None]


def test_events_are_put_in_order_of_time_and_equal_times_keep_the_order_of_the_file(tmp_path: Path) -> None:
    lines = [EVENT | {"t_ms": 5, "score": 1}, EVENT | {"t_ms": 2, "score": 2}, EVENT | {"t_ms": 5, "score": 3}]
    assert [event.score for event in load(write(tmp_path / "log.ndjson", *lines)).events] == [2, 1, 3]


def test_a_log_without_standings_is_not_judged(tmp_path: Path) -> None:
    contest = load(write(tmp_path / "log.ndjson", EVENT))
    assert not contest.is_judged
    assert contest.officials[0].settings.operator == "sum"


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([], "no events"),
        ([EVENT, EVENT | {"score": 1.5}], "line 2"),
        ([EVENT | {"score": 2**53}], "line 1"),
        ([EVENT | {"player": "a b"}], "line 1"),
        ([["not", "an", "event"]], "line 1"),
        ([EVENT, EVENT | {"op": "best"}], "both 'sum' and 'best'"),
    ],
)
def test_an_unusable_log_is_refused_in_one_line(tmp_path: Path, lines: list[Any], complaint: str) -> None:
    with pytest.raises(Unusable, match=complaint) as refusal:
        load(write(tmp_path / "log.ndjson", *lines))
    assert "\n" not in str(refusal.value)


def test_a_missing_log_and_broken_standings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="No such file"):
        load(tmp_path / "log.ndjson")
    log = write(tmp_path / "log.ndjson", EVENT)
    (tmp_path / "standings.json").write_bytes(b'{"boards": [\xff')
    with pytest.raises(Unusable, match=r"standings\.json"):
        load(log)


def test_standings_that_lack_a_board_of_the_log_are_refused(tmp_path: Path) -> None:
    log = write(tmp_path / "log.ndjson", EVENT)
    write(tmp_path / "standings.json", {"boards": [{"board": "other", "rule": {"op": "sum"}, "standings": []}]})
    with pytest.raises(Unusable, match="'main'"):
        load(log)
