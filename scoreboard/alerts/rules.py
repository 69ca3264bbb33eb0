"""When to alert: pure rules over what is known of the server now and a minute ago, the clock passed in."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

from scoreboard.clock import MINUTE, SECOND
from scoreboard.config import AlertSettings

CALM = 30 * SECOND
"""How long nothing must be wrong before it is told that all is well again."""

Cause = str
Kind = Literal["raised", "still", "recovered"]


class Facts(Struct, frozen=True):
    """What is known at a moment. Counts are totals since the start; `arrears_s` is None where it cannot be told.

    `problems` names each dependency that does not work, and what is wrong with it.
    """

    faults: int = 0
    refused: int = 0
    held: int = 0
    drift: int = 0
    arrears_s: float | None = 0.0
    problems: Mapping[str, str] = {}


class Notice(Struct, frozen=True):
    """Something to tell: what is wrong or was, in one line, and for how many microseconds it has been so."""

    cause: Cause
    kind: Kind
    text: str
    lasted: int = 0


Rule = Callable[[Facts, Facts], str | None]
"""Says what is wrong, from the facts now and a minute ago; None if nothing is."""


def rules(settings: AlertSettings) -> dict[Cause, Rule]:
    """The rule of each cause but the dependencies, which have one each by themselves."""

    def more_than(most: int, what: str, count: Callable[[Facts], int]) -> Rule:
        def rule(now: Facts, before: Facts) -> str | None:
            rise = count(now) - count(before)
            return f"{what}: {rise} within a minute" if 0 < most <= rise else None

        return rule

    def outbox(now: Facts, before: Facts) -> str | None:
        late = settings.arrears_s and now.arrears_s is not None and now.arrears_s >= settings.arrears_s
        return f"a score was committed {now.arrears_s:.0f} s ago and is not ranked yet" if late else None

    return {
        "faults": more_than(
            settings.faults_per_minute, "requests failed by a fault of the server", lambda facts: facts.faults
        ),
        "refusals": more_than(
            settings.refused_per_minute, "requests were answered with 503", lambda facts: facts.refused
        ),
        "held": more_than(settings.held_per_minute, "scores were held for review", lambda facts: facts.held),
        "drift": more_than(1, "standings were shown otherwise than the database has them", lambda facts: facts.drift),
        "outbox": outbox,
    }


class _Open(Struct):
    """A cause that something is wrong with: since when, and since when nothing was any more; whether it was told."""

    since: int
    text: str
    calm_since: int | None = None
    told: bool = False


class Watchman:
    """Turns facts into notices: each cause is told of at most once in `every_s`, and its end if its beginning was."""

    def __init__(self, settings: AlertSettings, now: int) -> None:
        self._rules = rules(settings)
        self._every = int(settings.every_s * SECOND)
        self._past = deque([(now, Facts())])  # nothing has happened yet
        self._open: dict[Cause, _Open] = {}
        self._told_at: dict[Cause, int] = {}

    @property
    def active(self) -> frozenset[Cause]:
        """What is wrong, whether it was told or not."""
        return frozenset(self._open)

    def look(self, now: int, facts: Facts) -> list[Notice]:
        """What to tell of the facts at an instant in microseconds, later than the one before."""
        before = self._a_minute_ago(now, facts)
        wrong = {cause: text for cause, rule in self._rules.items() if (text := rule(facts, before))}
        wrong |= facts.problems
        if facts.arrears_s is None and "outbox" in self._open:  # not known to be well
            wrong.setdefault("outbox", self._open["outbox"].text)
        notices = [self._raise(now, cause, text) for cause, text in wrong.items()]
        notices += [self._calm(now, cause) for cause in tuple(self._open) if cause not in wrong]
        return [notice for notice in notices if notice is not None]

    def hush(self, cause: Cause) -> None:
        """Somebody else has told of this cause, and tells of its end."""
        if cause in self._open:
            self._open[cause].told = False

    def _a_minute_ago(self, now: int, facts: Facts) -> Facts:
        self._past.append((now, facts))
        while len(self._past) > 1 and self._past[1][0] <= now - MINUTE:
            self._past.popleft()
        return self._past[0][1]

    def _raise(self, now: int, cause: Cause, text: str) -> Notice | None:
        case = self._open.setdefault(cause, _Open(now, text))
        case.text, case.calm_since = text, None
        told_at = self._told_at.get(cause)
        if told_at is not None and now - told_at < self._every:
            return None
        self._told_at[cause] = now
        kind: Kind = "still" if case.told else "raised"
        case.told = True
        return Notice(cause, kind, text, now - case.since)

    def _calm(self, now: int, cause: Cause) -> Notice | None:
        case = self._open[cause]
        if case.calm_since is None:
            case.calm_since = now
        if now - case.calm_since < CALM:
            return None
        del self._open[cause]
        return Notice(cause, "recovered", case.text, case.calm_since - case.since) if case.told else None
