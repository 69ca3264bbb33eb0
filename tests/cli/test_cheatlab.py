"""The command `cheatlab`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scoreboard.cheatlab import CHEATS
from scoreboard.cli import main

SAMPLES = Path(__file__).parent.parent / "data"
WIDE = {"COLUMNS": "160"}


def cheatlab(*arguments: object) -> Result:
    return CliRunner(env=WIDE).invoke(main, ["cheatlab", *map(str, arguments)])


def test_generated_cheats_and_people_are_shown_by_kind_and_by_rule_and_written_down(tmp_path: Path) -> None:
    figures, picture = tmp_path / "found.json", tmp_path / "found.svg"
    result = cheatlab("--runs", 1, "--players", 2, "--seed", 3, "--json", figures, "--svg", picture)
    assert result.exit_code == 0, result.output
    for shown in (*CHEATS, "metronome", "precision", "recall", "0 of 282 honest players held in 13,200 submissions"):
        assert shown in result.stdout
    found = json.loads(figures.read_text())
    assert {line["kind"]: line["caught"] for line in found["kinds"]} == {"honest": 0.0, **dict.fromkeys(CHEATS, 1.0)}
    assert "slow_inflater" in picture.read_text()


def test_what_the_rules_cost_is_measured() -> None:
    result = cheatlab("--cost", "--players", 30)
    assert result.exit_code == 0, result.output
    microseconds, rest = result.stdout.split(" ", 1)
    assert 1 < float(microseconds) < 1000
    assert rest == "us for each submission\n"


def test_recorded_play_is_put_before_the_rules() -> None:
    result = cheatlab(SAMPLES)
    assert result.exit_code == 0, result.output
    assert "held in" in result.stdout


def test_the_rules_of_a_configuration_are_tried(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("boards: {dull: {}, game: {actions: {run: {max_score: 100, rules: {metronome: off}}}}}")
    options = ("--config", config, "--runs", 1, "--players", 0, "--only", "fixed_interval")
    found = tmp_path / "found.json"
    result = cheatlab(*options, "--board", "game", "--json", found)
    assert result.exit_code == 0, result.output
    assert {line["kind"]: line["caught"] for line in json.loads(found.read_text())["kinds"]}["fixed_interval"] == 0
    for wrong, complaint in (
        (("--board", "other"), "Error: --board: the configuration has no board 'other'\n"),
        (("--board", "dull"), "Error: --action: the board 'dull' has no action at all\n"),
        (("--board", "game", "--action", "fly"), "Error: --action: the board 'game' has no action fly\n"),
    ):
        result = cheatlab(*options, *wrong)
        assert (result.exit_code, result.stderr) == (1, complaint)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nowhere.ndjson",), "Error: nowhere.ndjson: No such file or directory\n"),
        (("--board", "main"), "Error: --board and --action go with --config\n"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments: tuple[str, ...], complaint: str) -> None:
    result = cheatlab(*arguments)
    assert (result.exit_code, result.stderr) == (1, complaint)
