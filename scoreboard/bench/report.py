"""What a run found, line by line: the figure, its limit in the same run, and whether the budget is met."""

import statistics
from collections.abc import Mapping, Sequence

from msgspec import Struct
from rich.table import Table

UNITS = {
    "per_s": "{:,.0f}/s",
    "p50_ms": "p50 {:.1f} ms",
    "p99_ms": "p99 {:.1f} ms",
    "p99_rise_ms": "p99 +{:.0f} ms",
    "us_per_frame": "{:.2f} µs/frame",
    "kb_per_socket": "{:.1f} KB/socket",
    "us_cpu": "{:.0f} µs CPU each",
    "least_share": "least used {:.0%}",
    "seconds": "{:.2f} s",
    "frames_per_s": "{:,.0f} frames/s",
    "idle_cpu": "idle {:.2%} of a core",
    "busy_p99_ms": "p99 {:.1f} ms meanwhile",
    "reached_ms": "99 % reached in {:.1f} ms",
    "gone_s": "cut after {:.1f} s",
    "held_mb": "server {:.1f} MB",
    "grown_mb": "{:+.1f} MB",
    "most_per_s": "at most {:,.0f} admitted/s",
}
"""How each figure is written."""

ANSWERS = {True: "met", False: "[bold]not met[/bold]"}


class Sample(Struct, frozen=True):
    """One round: what was done each second, how long each took, and the shares of their cores both sides used."""

    per_s: float
    latencies: Sequence[float]
    server_cpu: float
    client_cpu: float

    @property
    def per_cpu_s(self) -> float:
        """What was done for each second of CPU."""
        return self.per_s / self.server_cpu


class Spread(Struct, frozen=True):
    """The middle of the rounds and their extremes."""

    median: float
    lowest: float
    highest: float


class Check(Struct, frozen=True):
    """One bound of a budget and what was measured; `unit` is `ratio`, or one of `UNITS`."""

    unit: str
    bound: float
    at_least: bool
    measured: float

    @property
    def met(self) -> bool:
        """Whether the budget is kept."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


class Line(Struct, frozen=True):
    """One line of the report; shares of CPU are of one core.

    The ratio is the figure over the limit, of each round; `by_cpu` is that of both for a second of CPU, which other
    work on the machine does not change as much.
    """

    name: str
    title: str
    figures: Mapping[str, float]
    limits: Mapping[str, float]
    ratio: Spread | None
    by_cpu: Spread | None
    checks: Sequence[Check]
    cpu: Mapping[str, float]

    @property
    def met(self) -> bool:
        """Whether every bound is kept."""
        return all(check.met for check in self.checks)


def spread(values: Sequence[float]) -> Spread:
    """The middle and the extremes of at least one value."""
    return Spread(statistics.median(values), min(values), max(values))


def ratios(ours: Sequence[float], limits: Sequence[float]) -> Spread:
    """Each round's figure over the limit measured next to it."""
    return spread([figure / limit for figure, limit in zip(ours, limits, strict=True)])


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of all are not above (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * share // 1) - 1)]


def figures(samples: Sequence[Sample]) -> dict[str, float]:
    """The median rate, and the latencies of all rounds where there are any."""
    found = {"per_s": statistics.median(sample.per_s for sample in samples)}
    latencies = [seconds for sample in samples for seconds in sample.latencies]
    return found | (delays(latencies) if latencies else {})


def delays(latencies: Sequence[float]) -> dict[str, float]:
    """The middle and the tail of some latencies in seconds."""
    return {"p50_ms": percentile(latencies, 0.50) * 1_000, "p99_ms": percentile(latencies, 0.99) * 1_000}


def shares(ours: Sequence[Sample], limits: Sequence[Sample]) -> dict[str, float]:
    """The CPU of the server and of the load, beside our figure and beside the limit."""
    return {
        "server": statistics.median(sample.server_cpu for sample in ours),
        "client": statistics.median(sample.client_cpu for sample in ours),
        "limit_server": statistics.median(sample.server_cpu for sample in limits),
        "limit_client": statistics.median(sample.client_cpu for sample in limits),
    }


def compared(
    name: str,
    title: str,
    ours: Sequence[Sample],
    limit: Sequence[Sample],
    *,
    ratio: float | None = None,
    p99_ms: float | None = None,
) -> Line:
    """The line of rounds taken in turns; a budget is a bound on the ratio or on the delay."""
    found = figures(ours)
    measured = ratios([sample.per_s for sample in ours], [sample.per_s for sample in limit])
    by_cpu = ratios([sample.per_cpu_s for sample in ours], [sample.per_cpu_s for sample in limit])
    checks = [] if ratio is None else [Check("ratio", ratio, True, measured.median)]
    if p99_ms is not None:
        checks.append(Check("p99_ms", p99_ms, False, found["p99_ms"]))
    return Line(name, title, found, figures(limit), measured, by_cpu, checks, shares(ours, limit))


def table(lines: Sequence[Line]) -> Table:
    """The report as people read it."""
    shown = Table(title="Figures beside their limits in the same run", title_justify="left", show_lines=True)
    for heading in ("line", "figure", "limit", "ratio (min-max)", "by CPU", "budget", "", "server CPU", "client CPU"):
        shown.add_column(heading, overflow="fold")
    for line in lines:
        answer = ANSWERS[line.met] if line.checks else ""
        shown.add_row(
            f"[bold]{line.name}[/bold]\n{line.title}",
            _texts(line.figures),
            _texts(line.limits),
            _ratio(line.ratio),
            _ratio(line.by_cpu),
            "\n".join(_bound(check) for check in line.checks),
            answer,
            _share(line.cpu, "server"),
            _share(line.cpu, "client"),
        )
    return shown


def _texts(found: Mapping[str, float]) -> str:
    return "\n".join(UNITS[unit].format(value) for unit, value in found.items())


def _ratio(ratio: Spread | None) -> str:
    return "" if ratio is None else f"{ratio.median:.2f} ({ratio.lowest:.2f}-{ratio.highest:.2f})"


def _bound(check: Check) -> str:
    sign = "≥" if check.at_least else "≤"
    return f"{sign} {check.bound:.2f}" if check.unit == "ratio" else f"{sign} {UNITS[check.unit].format(check.bound)}"


def _share(cpu: Mapping[str, float], side: str) -> str:
    """Our figure's share, and the limit's where there is one."""
    return " / ".join(f"{cpu[name]:.0%}" for name in (side, f"limit_{side}") if name in cpu)
