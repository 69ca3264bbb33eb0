"""How submissions become a standing: the fold of the counted ones, in order of (accepted_at, submission id)."""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

from scoreboard.errors import ScoreOutOfRange
from scoreboard.model import MAX_SCORE, BoardSettings
from scoreboard.order import order_keys


class Counted(NamedTuple):
    """One counted submission, as the fold sees it; a list of them sorts in fold order."""

    accepted_at: int
    submission_id: str
    score: int
    tiebreakers: tuple[int, ...]


class Standing(Struct, frozen=True, array_like=True):
    """A player's score on one board period.

    `achieved_at` is the instant of the submission that made the current score; (`last_at`, `last_id`) name the newest
    counted submission, so that a newer one can be folded in without reading the history.
    """

    score: int
    tiebreakers: tuple[int, ...]
    achieved_at: int
    last_at: int
    last_id: str


def fold(settings: BoardSettings, submissions: Iterable[Counted], start: Standing | None = None) -> Standing | None:
    """The standing that these submissions, in fold order, add up to; None where there is none.

    `start` is what older ones came to, which are not kept.

    Raises ScoreOutOfRange where their sum is beyond ±(2^53-1). On its way it may be: it depends on the order of
    arrival which sums a player was ever shown.
    """
    standing = start
    for submission in submissions:
        standing = _step(settings, standing, submission)
    return None if standing is None else _checked(standing)


def fold_one(settings: BoardSettings, standing: Standing | None, new: Counted) -> Standing:
    """The standing after one more submission, newer than all before it.

    Raises ScoreOutOfRange where a sum leaves ±(2^53-1).
    """
    return _checked(_step(settings, standing, new))


def is_newest(standing: Standing | None, new: Counted) -> bool:
    """Whether `new` comes after everything the standing already counts."""
    return standing is None or (new.accepted_at, new.submission_id) > (standing.last_at, standing.last_id)


def _step(settings: BoardSettings, standing: Standing | None, new: Counted) -> Standing:
    if standing is None:
        return Standing(new.score, new.tiebreakers, new.accepted_at, new.accepted_at, new.submission_id)
    score, tiebreakers = _combine(settings, standing, new)
    moved = _makes_the_score(settings, standing, score, tiebreakers)
    achieved_at = new.accepted_at if moved else standing.achieved_at
    return Standing(score, tiebreakers, achieved_at, new.accepted_at, new.submission_id)


def _checked(standing: Standing) -> Standing:
    if abs(standing.score) > MAX_SCORE:
        raise ScoreOutOfRange(f"{standing.score} is beyond 2^53-1")
    return standing


def _combine(settings: BoardSettings, old: Standing, new: Counted) -> tuple[int, tuple[int, ...]]:
    if settings.operator == "sum":
        return old.score + new.score, new.tiebreakers
    if settings.operator == "best" and not _better(settings, new, old):
        return old.score, old.tiebreakers
    return new.score, new.tiebreakers


def _better(settings: BoardSettings, new: Counted, old: Standing) -> bool:
    if new.score != old.score:
        return (new.score > old.score) == (settings.order == "desc")
    keys = order_keys(settings)
    return keys.probe(new.score, new.tiebreakers) < keys.probe(old.score, old.tiebreakers)


def _makes_the_score(settings: BoardSettings, old: Standing, score: int, tiebreakers: tuple[int, ...]) -> bool:
    if settings.operator == "sum":
        return score != old.score
    return (score, tiebreakers) != (old.score, old.tiebreakers)
