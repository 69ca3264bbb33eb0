"""The findings as tables and a plot."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table

from scoreboard.cheatlab.attempt import HONEST
from scoreboard.cheatlab.findings import FIRST, Findings, KindLine

BINS = 25
BAR = 20
_LEVELS = " ▁▂▃▄▅▆▇█"


def report(findings: Findings) -> Iterator[RenderableType]:
    """Everything that is shown of findings, in order."""
    yield _by_kind(findings)
    yield _by_rule(findings)
    if any(line.kind != HONEST for line in findings.kinds):
        yield _plot(findings)
    yield _summary(findings)


def _by_kind(findings: Findings) -> Table:
    """For each kind, which share of its players each rule objected to."""
    table = Table(title=f"Players objected to: cheats in their first {FIRST} submissions, honest ones ever")
    table.add_column("kind", no_wrap=True)
    for title in ("players", "held", "after"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("by rule")
    for line in findings.kinds:
        after = "" if line.median_caught_after is None else f"{line.median_caught_after:.0f}"
        shares = ", ".join(f"{rule} {_percent(share)}" for rule, share in line.rules.items() if share)
        table.add_row(line.kind, str(line.suspects), _percent(line.caught), after, shares)
    return table


def _by_rule(findings: Findings) -> Table:
    table = Table(title="Rules")
    for title in ("rule", "precision", "recall"):
        table.add_column(title, justify="left" if title == "rule" else "right")
    for line in findings.rules:
        table.add_row(line.rule, _maybe(line.precision), _maybe(line.recall))
    return table


def _plot(findings: Findings) -> Table:
    """How many of each kind were caught, and after how many submissions."""
    table = Table(title="Caught", box=None, padding=(0, 1))
    table.add_column("kind")
    table.add_column("share", justify="left")
    table.add_column(f"after 1 to {FIRST} submissions", justify="left")
    for line in findings.kinds:
        if line.kind != HONEST:
            full = round(line.caught * BAR)
            table.add_row(line.kind, "█" * full + "░" * (BAR - full), f"▕{_histogram(line)}▏")
    return table


def _histogram(line: KindLine) -> str:
    counts = [0] * BINS
    for after in line.caught_after:
        counts[min(BINS - 1, (after - 1) * BINS // FIRST)] += 1
    most = max(counts) or 1
    return "".join(_LEVELS[-(-count * (len(_LEVELS) - 1) // most)] for count in counts)


def _summary(findings: Findings) -> str:
    return (
        f"{findings.honest_held} of {findings.honest_players:,} honest players held in {findings.honest_submissions:,} "
        f"submissions: {findings.held_per_thousand:.4f} players per 1,000 submissions"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _maybe(share: float | None) -> str:
    return "-" if share is None else _percent(share)
