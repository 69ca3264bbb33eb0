"""What the rules found: who was caught, after how many submissions, and by which rules."""

from collections.abc import Iterable, Sequence
from statistics import median

from msgspec import Struct

from scoreboard.anticheat import RULES
from scoreboard.cheatlab.attempt import HONEST

FIRST = 50
"""A cheat that is caught at all is to be caught within so many submissions."""


class Suspect(Struct, frozen=True):
    """One player, or one farm: what it is, how often it submitted, and what the rules made of it.

    `caught_after` is the number of the first submission that was held or rejected, None where none was;
    `objected_after` tells the same of each rule that objected, whatever its setting makes of that.
    """

    name: str
    kind: str
    submissions: int
    caught_after: int | None
    objected_after: dict[str, int]


class RuleLine(Struct, frozen=True):
    """How a rule did on suspects in their first submissions.

    `precision` is the share of cheats among those it objected to, `recall` that of the cheats that it objected to; None
    where there is nothing to divide.
    """

    rule: str
    precision: float | None
    recall: float | None


class KindLine(Struct, frozen=True):
    """How one kind of suspect fared in its first submissions; shares of its `suspects`, by rule in `rules`.

    `caught_after` lists after how many submissions those caught were, in order.
    """

    kind: str
    suspects: int
    submissions: int
    caught: float
    caught_after: tuple[int, ...]
    median_caught_after: float | None
    rules: dict[str, float]


class Findings(Struct, frozen=True):
    """Of all suspects; `held_per_thousand` is how many honest players were held for each 1,000 honest submissions."""

    kinds: tuple[KindLine, ...]
    rules: tuple[RuleLine, ...]
    honest_players: int
    honest_submissions: int
    honest_held: int
    held_per_thousand: float


def findings(suspects: Sequence[Suspect]) -> Findings:
    """Add up what was found."""
    kinds = list(dict.fromkeys(suspect.kind for suspect in suspects))
    honest = [suspect for suspect in suspects if suspect.kind == HONEST]
    submissions = sum(suspect.submissions for suspect in honest)
    held = sum(suspect.caught_after is not None for suspect in honest)
    return Findings(
        kinds=tuple(_kind(kind, [suspect for suspect in suspects if suspect.kind == kind]) for kind in kinds),
        rules=tuple(_rule(rule, suspects) for rule in RULES),
        honest_players=len(honest),
        honest_submissions=submissions,
        honest_held=held,
        held_per_thousand=1000 * held / submissions if submissions else 0.0,
    )


def _kind(kind: str, suspects: Sequence[Suspect]) -> KindLine:
    after = sorted(
        suspect.caught_after for suspect in suspects if suspect.caught_after is not None and _counts(suspect)
    )
    return KindLine(
        kind=kind,
        suspects=len(suspects),
        submissions=sum(suspect.submissions for suspect in suspects),
        caught=len(after) / len(suspects),
        caught_after=tuple(after),
        median_caught_after=median(after) if after else None,
        rules={rule: sum(_objected(rule, suspect) for suspect in suspects) / len(suspects) for rule in RULES},
    )


def _rule(rule: str, suspects: Iterable[Suspect]) -> RuleLine:
    cheats = [suspect for suspect in suspects if suspect.kind != HONEST]
    right = sum(_objected(rule, suspect) for suspect in cheats)
    wrong = sum(_objected(rule, suspect) for suspect in suspects if suspect.kind == HONEST)
    return RuleLine(
        rule,
        precision=right / (right + wrong) if right + wrong else None,
        recall=right / len(cheats) if cheats else None,
    )


def _counts(suspect: Suspect) -> bool:
    return suspect.kind == HONEST or (suspect.caught_after or 0) <= FIRST


def _objected(rule: str, suspect: Suspect) -> bool:
    """Whether a rule objected: to a cheat in time, to an honest player ever."""
    after = suspect.objected_after.get(rule)
    return after is not None and (suspect.kind == HONEST or after <= FIRST)
