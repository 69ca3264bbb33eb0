"""The rules a submission is judged by: one table of pure functions.

A rule sees a `Case` and answers with the facts that speak against it, or None. What then happens is the board's
setting for that rule, or the action's: `off`, `shadow` (noted only), `hold` (a moderator decides) or `reject`.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

from scoreboard.anticheat.case import Case, Facts
from scoreboard.anticheat.extremes import jump, outlier
from scoreboard.anticheat.glance import suspicions
from scoreboard.anticheat.neighbours import LOOKED_AT_EVERY
from scoreboard.anticheat.physics import max_increment, rate, too_fast
from scoreboard.anticheat.sameness import repetition, same_high_scores
from scoreboard.anticheat.tempo import metronome, same_tempo
from scoreboard.errors import RuleRejected
from scoreboard.model import Enforcement, Evidence, RuleName, Rules

Rule = Callable[[Case], Facts | None]
Verdict = Literal["accepted", "held", "rejected"]
Plan = Mapping[RuleName, tuple[Enforcement, Rule]]
"""The rules that are not off, and what happens where they object."""

VERSION = 1
"""Of the rule set; raised whenever a rule judges otherwise than before, and kept with all evidence."""


class Judgement(Struct, frozen=True):
    """The verdict and the evidence of every rule that objected."""

    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()

    @property
    def code(self) -> str | None:
        """The code of the error that a rejection is answered with; None for any other verdict."""
        return RuleRejected.code if self.verdict == "rejected" else None


def shared_address(case: Case) -> Facts | None:
    """Several fresh accounts at one address play as one: the same tempo, or the same high scores."""
    if case.neighbours is None or case.neighbours.count % LOOKED_AT_EVERY:
        return None
    return same_tempo(case) or same_high_scores(case)


RULES: Mapping[RuleName, Rule] = {
    "max_increment": max_increment,
    "too_fast": too_fast,
    "rate": rate,
    "metronome": metronome,
    "repetition": repetition,
    "jump": jump,
    "outlier": outlier,
    "shared_address": shared_address,
}

JUST = Judgement("accepted")
"""Nothing was objected to."""

_VERDICTS: Mapping[Enforcement, Verdict] = {"hold": "held", "reject": "rejected"}
_SEVERITY: Mapping[Verdict, int] = {"accepted": 0, "held": 1, "rejected": 2}


def plan(rules: Rules, exceptions: Mapping[RuleName, Enforcement]) -> Plan:
    """What a board's rules and the exceptions of one of its actions come to."""
    enforcements = {name: exceptions.get(name, getattr(rules, name)) for name in RULES}
    return {name: (enforcements[name], rule) for name, rule in RULES.items() if enforcements[name] != "off"}


def judge(case: Case, rules: Plan) -> Judgement:
    """Put a case before those rules that may object to it; the severest verdict counts."""
    evidence = []
    for name in suspicions(case):
        if name in rules:
            enforcement, rule = rules[name]
            if (facts := rule(case)) is not None:
                evidence.append(Evidence(name, enforcement, dict(facts), VERSION))
    if not evidence:
        return JUST
    verdicts = [_VERDICTS.get(item.enforcement, "accepted") for item in evidence]
    return Judgement(max(verdicts, key=_SEVERITY.__getitem__), tuple(evidence))
