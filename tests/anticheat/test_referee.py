"""What a process remembers of boards and addresses."""

import random
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from scoreboard.anticheat import RULES, Claimed, Referee, referee
from scoreboard.anticheat.history import added
from scoreboard.clock import DAY, HOUR, SECOND
from scoreboard.model import ActionRule, Board, BoardSettings, Enforcement, RuleName
from tests.anticheat.cases import AT

SHADOW: Mapping[RuleName, Enforcement] = dict.fromkeys(RULES, "shadow")


def board(
    enforcement: Mapping[RuleName, Enforcement] = SHADOW, revision: int = 1, max_score: int | None = None
) -> Board:
    action = ActionRule(max_score=max_score, rules=dict(enforcement))
    return Board("main", BoardSettings(operator="sum", actions={"coin": action}), revision, 0, 0)


class Play:
    """Players before a referee; each has a history."""

    def __init__(self) -> None:
        self.referee = Referee()
        self.at = AT
        self.histories: dict[str, bytes] = {}
        self.chance = random.Random(1)

    def score(
        self,
        player: str,
        score: int,
        *,
        on: Board | None = None,
        interval_s: float | None = None,
        age: int = 90 * DAY,
        network: str = "",
        again: bool = False,
    ) -> list[str]:
        """The rules that object to one more score."""
        self.at += round((interval_s or self.chance.lognormvariate(0, 1)) * SECOND)
        past = self.histories.get(player, b"")
        claimed = Claimed(player, "coin", score, self.at, self.at, past, self.at - age, network, again)
        self.histories[player] = added(past, self.at, score)
        return [evidence.rule for evidence in self.referee.judge(on or board(), claimed).evidence]


def test_an_outlier_is_one_among_accounts_as_old() -> None:
    play = Play()
    for number in range(1200):
        play.score(f"old{number % 30}", 5000 + number % 97)
        play.score(f"new{number % 30}", 10 + number % 7, age=HOUR // 2)
    assert play.score("someone", 5000) == []
    assert play.score("another", 5000, age=HOUR // 2) == ["outlier"]


def test_what_was_held_or_judged_before_is_not_what_others_are_compared_with() -> None:
    held = board({"max_increment": "hold"}, max_score=10)
    play = Play()
    for number in range(1200):
        play.score(f"p{number % 30}", 5 + number % 3, on=held)
        play.score("cheat", 1_000_000, on=held)
        play.score("cheat", 1_000_000, on=held, again=True)
    assert play.score("new here", 1_000_000, on=board(revision=2)) == ["outlier"]


def test_a_farm_of_fresh_accounts_is_found_and_one_of_old_accounts_is_a_club() -> None:
    def found(age: int, networks: int) -> set[str]:
        play = Play()
        plays = [
            play.score(f"p{number % 8}", 7, interval_s=2, age=age, network=f"192.0.2.{number % networks}")
            for number in range(60)
        ]
        return {rule for each in plays for rule in each}

    assert found(HOUR, 1) == {"shared_address"}
    assert found(30 * DAY, 1) == set()
    assert found(HOUR, 8) == set()


def test_changed_settings_hold_from_the_next_submission_on() -> None:
    play = Play()
    strict = board(revision=2, max_score=1)
    assert play.score("a", 5) == []
    assert play.score("a", 5, on=strict) == ["max_increment"]


def test_addresses_and_boards_are_forgotten_beyond_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(referee, "MAX_ADDRESSES", 3)
    monkeypatch.setattr(referee, "MAX_LANES", 3)
    play = Play()
    for number in range(9):
        play.score("a", 5, on=replace(board(), id=f"b{number}"), age=HOUR, network=f"192.0.2.{number}")
    assert len(play.referee._addresses) == len(play.referee._lanes) == 3
