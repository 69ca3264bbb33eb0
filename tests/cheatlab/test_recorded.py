"""Logs of recorded play."""

import json
from pathlib import Path
from typing import Any

import pytest

from scoreboard.cheatlab import HONEST, recordings
from scoreboard.contest import Unusable, load
from scoreboard.model import BoardSettings

SAMPLES = Path(__file__).parent.parent / "data"


def write(path: Path, *lines: Any) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_each_click_of_a_session_is_an_action(tmp_path: Path) -> None:
    log = write(
        tmp_path / "clicks.ndjson",
        {"player": "ada", "session": "1", "kind": "human", "button": "left", "t_ms": [0, 250]},
        {"player": "bot", "session": "2", "kind": "clicker", "t_ms": [7]},
    )
    (recording,) = recordings(log, {})
    attempts = [(one.suspect, one.kind, one.at - recording.attempts[0].at, one.score) for one in recording.attempts]
    assert attempts == [("ada/1", HONEST, 0, 1), ("ada/1", HONEST, 250_000, 1), ("bot/2", "clicker", 7_000, 1)]


def test_a_contest_is_played_on_the_board_of_the_configuration_or_one_that_ranks_alike() -> None:
    log = SAMPLES / "club" / "events.ndjson"
    recorded = list(recordings(log, {}))
    ranked = {official.board: official.settings for official in load(log).officials}
    assert {one.board: one.settings for one in recorded} == ranked
    assert sum(len(one.attempts) for one in recorded) == len(log.read_bytes().splitlines())
    own = BoardSettings(title="ours")
    assert [one.settings for one in recordings(log, dict.fromkeys(ranked, own))] == [own] * len(ranked)


def test_in_a_folder_what_is_no_log_of_play_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "clicks.ndjson", {"player": "a", "session": "1", "t_ms": [1]})
    write(tmp_path / "others.ndjson", {"t_ms": 5, "verdict": "AC"})
    (tmp_path / "broken.ndjson").write_text("{")
    assert [one.name for one in recordings(tmp_path, {})] == ["clicks.ndjson"]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("log.ndjson", '{"t_ms": 5}\n', "neither a log of a contest nor one of clicks"),
        ("log.ndjson", '{"player": "a", "session": "1", "t_ms": [1]}\n{"player": 5}\n', "line 2: .*"),
        ("nowhere.ndjson", None, "No such file or directory"),
        ("empty", None, "no logs of play are in it"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(tmp_path: Path, name: str, text: str | None, complaint: str) -> None:
    (tmp_path / "empty").mkdir()
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(Unusable, match=complaint):
        list(recordings(tmp_path / name, {}))
