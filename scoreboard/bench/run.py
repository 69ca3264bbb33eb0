"""A whole run: the load pinned to its core, every scenario in a folder that is thrown away."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scoreboard.bench.pressure import flood, overload
from scoreboard.bench.processes import load_core, usable_cores
from scoreboard.bench.ranking import rank, rebuild
from scoreboard.bench.replicas import replicas
from scoreboard.bench.report import Line
from scoreboard.bench.rounds import Plan
from scoreboard.bench.scenarios import SCENARIOS, Scenario
from scoreboard.bench.stalled import stalled
from scoreboard.bench.stores import Stores
from scoreboard.files import allow_all_files

LINES: Mapping[str, Scenario] = {**SCENARIOS, "flood": flood, "overload": overload, "stalled": stalled}
"""The lines of any server."""

SCALED: Mapping[str, Scenario] = {**LINES, "rank": rank, "rebuild": rebuild, "replicas": replicas}
"""The lines of servers on PostgreSQL and Redis."""


async def run(
    plan: Plan, make: Callable[[Path], Stores], scenarios: Mapping[str, Scenario], started: Callable[[str], None]
) -> list[Line]:
    """The lines of some scenarios; `make` gives each the stores in a folder, `started` is told as each begins."""
    lines: list[Line] = []
    with on_load_core():
        for name, scenario in scenarios.items():
            started(name)
            with tempfile.TemporaryDirectory(prefix="scoreboard-bench-") as folder:
                lines += await scenario(make(Path(folder)), plan)
    return lines


@contextmanager
def on_load_core() -> Iterator[None]:
    """Run this process on the core of the load, with as many files as it may have."""
    before = usable_cores()
    allow_all_files()
    os.sched_setaffinity(0, load_core())
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
