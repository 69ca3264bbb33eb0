"""A whole run: the load pinned to its core, every scenario in a folder that is thrown away."""

import os
import resource
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scoreboard.bench.pressure import flood, overload
from scoreboard.bench.processes import BenchError, usable_cores
from scoreboard.bench.ranking import rank, rebuild
from scoreboard.bench.replicas import replicas
from scoreboard.bench.report import Line
from scoreboard.bench.rounds import Plan
from scoreboard.bench.scenarios import SCENARIOS, Scenario
from scoreboard.bench.stores import Stores

SPARE_FILES = 500

LINES: Mapping[str, Scenario] = {**SCENARIOS, "flood": flood, "overload": overload}
"""The lines of any server."""

SCALED: Mapping[str, Scenario] = {**LINES, "rank": rank, "rebuild": rebuild, "replicas": replicas}
"""The lines of servers on PostgreSQL and Redis."""


async def run(
    plan: Plan, make: Callable[[Path], Stores], scenarios: Mapping[str, Scenario], started: Callable[[str], None]
) -> list[Line]:
    """The lines of some scenarios; `make` gives each the stores in a folder, `started` is told as each begins."""
    lines: list[Line] = []
    with on_load_core(plan.sockets):
        for name, scenario in scenarios.items():
            started(name)
            with tempfile.TemporaryDirectory(prefix="scoreboard-bench-") as folder:
                lines += await scenario(make(Path(folder)), plan)
    return lines


@contextmanager
def on_load_core(sockets: int) -> Iterator[None]:
    """Run this process on the core of the load, with files enough for the sockets of two servers."""
    before = usable_cores()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * sockets + SPARE_FILES
    if most != resource.RLIM_INFINITY and most < wanted:
        raise BenchError(f"{sockets} sockets need {wanted} open files; this user may have {most} (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0]), most))
    os.sched_setaffinity(0, {max(usable_cores())})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
