"""What the rules promise at their defaults: cheats are caught soon, and people are left in peace.

The rules were tuned with other seeds. `bin/test` tries a few; `SCOREBOARD_CHEATLAB_RUNS` and `_PLAYERS` ask for more.
"""

import os
from pathlib import Path

import pytest

from scoreboard.cheatlab import CHEATS, FIRST, Laboratory, findings, recordings, tried
from scoreboard.model import Board, BoardSettings

UNSEEN_SEED = 271_828
RUNS = int(os.environ.get("SCOREBOARD_CHEATLAB_RUNS") or 20)
PLAYERS = int(os.environ.get("SCOREBOARD_CHEATLAB_PLAYERS") or 100)
SAMPLES = Path(__file__).parent.parent / "data"
RECORDED = Path(os.environ.get("SCOREBOARD_DATA") or SAMPLES)
TIMING = {"too_fast", "rate", "metronome", "repetition"}


@pytest.mark.parametrize("kind", CHEATS)
def test_a_cheat_is_caught_in_its_first_submissions(kind: str) -> None:
    laboratory = Laboratory(seed=UNSEEN_SEED)
    suspects = [suspect for trial in laboratory.cheats(RUNS, [kind]) for suspect in trial()]
    cheats = [suspect for suspect in suspects if suspect.kind == kind]
    caught = [suspect for suspect in cheats if suspect.caught_after is not None and suspect.caught_after <= FIRST]
    assert len(cheats) == RUNS
    assert len(caught) >= 0.95 * RUNS


@pytest.mark.timeout(120 + PLAYERS)
def test_fewer_than_one_in_a_thousand_honest_players_is_held_in_a_thousand_submissions() -> None:
    laboratory = Laboratory(seed=UNSEEN_SEED)
    found = findings([suspect for trial in laboratory.honest(PLAYERS) for suspect in trial()])
    assert (found.honest_players, found.honest_submissions) == (PLAYERS, 1000 * PLAYERS)
    assert found.honest_held <= PLAYERS // 1001


def test_nobody_in_recorded_play_is_held_and_no_clicks_are_flagged_by_a_rule_of_timing() -> None:
    recorded = list(recordings(RECORDED, {}))
    assert recorded
    for one in recorded:
        suspects = tried(Board(one.board, one.settings, 1, 0, 0), "", one.attempts)
        assert [suspect.name for suspect in suspects if suspect.caught_after is not None] == []
        flagged = [suspect.name for suspect in suspects if TIMING & suspect.objected_after.keys()]
        assert flagged == []


def test_the_same_seed_makes_the_same_players_and_another_one_others() -> None:
    first, again, other = (
        [suspect for trial in Laboratory(seed=seed).cheats(1, ["farm", "inflater"]) for suspect in trial()]
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_where_low_is_good_low_scores_are_suspicious() -> None:
    laps = Laboratory(BoardSettings(order="asc"), "lap")
    suspects = [suspect for trial in laps.cheats(3, ["slow_inflater"]) for suspect in trial()]
    assert {suspect.kind for suspect in suspects if "repetition" in suspect.objected_after} == {"slow_inflater"}
