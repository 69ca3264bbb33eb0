"""A flat profile of the server's processes while scores come in: py-spy's samples added up by function."""

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from rich.markup import escape
from rich.table import Table

from scoreboard.bench.processes import BenchError, Process
from scoreboard.bench.rounds import Load, Plan, http_load
from scoreboard.bench.run import on_load_core
from scoreboard.bench.scenarios import CONNECTIONS, FEW
from scoreboard.bench.stores import Stores
from scoreboard.bench.world import World, world

SHOWN = 25
SAMPLES_PER_S = 200
LEAST_S = 10.0
WARM_UP_S = 1.0

WAITING = (
    "PyThread_acquire_lock_timed ",
    "pthread_cond_wait ",
    "pthread_cond_timedwait ",
    "epoll_pwait ",
    "epoll_wait ",
)
"""A stack with one of these uses no CPU but waits, for the interpreter lock for example: with native frames py-spy
takes such threads for busy ones."""

FRAME_OF_ALL = ("click/", "runpy", "asyncio/runners.py", "threading.py", "scoreboard/cli/", "scoreboard/__main__.py")
"""Where every stack begins: of no interest among the inclusive times, and neither is the interpreter in C."""


async def profile(plan: Plan, make: Callable[[Path], Stores]) -> list[Table]:
    """What a submission costs each process; the functions by their own time and by that of all they call."""
    seconds = max(plan.seconds, LEAST_S)
    with on_load_core(), tempfile.TemporaryDirectory(prefix="scoreboard-bench-") as name:
        folder = Path(name)
        async with world(make(folder), FEW, plan.signed_in) as ours:
            load = await http_load(ours.server, ours.scores(), CONNECTIONS)
            await load.round(WARM_UP_S)
            costs = await _costs(ours, load, plan.seconds)
            tables = [_cost_table(costs)]
            for process in (ours.server, *ours.server.helpers()):
                tables += await _tables(process, load, seconds, folder / process.name)
    return tables


async def _tables(process: Process, load: Load, seconds: float, output: Path) -> list[Table]:
    recording = asyncio.create_task(_record(process, seconds, output))
    # py-spy takes a moment to attach; the load lasts as long as it records.
    sample = None
    while not recording.done():
        sample = await load.round(1.0)
    found = count(await recording)
    total = sum(found.own.values())
    rate = "" if sample is None else f" at {sample.per_s:,.0f}/s under the profiler"
    return [
        _table(f"The {process.name}: own time{rate}, {total:,} samples", found.own, total),
        _table("Own time of Python functions with the C that they call", found.with_c, total),
        _table("Inclusive time of Python functions", found.inclusive, total),
    ]


async def _costs(ours: World, load: Load, seconds: float) -> dict[str, float]:
    """Microseconds of CPU that each process spends on a submission."""
    before = _used(ours)
    sample = await load.round(seconds)
    done = len(sample.latencies)
    return {name: (used - before.get(name, 0.0)) / done * 1e6 for name, used in _used(ours).items()}


def _used(ours: World) -> dict[str, float]:
    """CPU time of each process so far, in seconds."""
    used = {ours.server.name: ours.server.own_cpu_s()}
    return used | {process.name: process.cpu_s() for process in (*ours.server.helpers(), *ours.store.beside)}


class Counts(NamedTuple):
    """Samples by function: at the end of a stack, the last in Python on it, and anywhere on it."""

    own: Counter[str]
    with_c: Counter[str]
    inclusive: Counter[str]


def count(stacks: Iterable[tuple[list[str], int]]) -> Counts:
    """Add up the stacks of threads that did not wait."""
    found = Counts(Counter(), Counter(), Counter())
    for frames, samples in stacks:
        if any(frame.startswith(WAITING) for frame in frames):
            continue
        python = [frame for frame in frames if _is_python(frame)]
        found.own[frames[-1]] += samples
        found.with_c[python[-1] if python else "(no Python function)"] += samples
        for function in set(python):
            found.inclusive[function] += samples
    return found


def _is_python(function: str) -> bool:
    return function.endswith((".py)", ".pyx)")) and not any(part in function for part in FRAME_OF_ALL)


async def _record(process: Process, seconds: float, output: Path) -> list[tuple[list[str], int]]:
    """The stacks of the process's busy threads, and in how many samples each was seen."""
    spy = Path(sys.executable).with_name("py-spy")
    if not spy.exists():
        raise BenchError("py-spy is not installed: pip install scoreboard[bench]")
    arguments = ["record", "--pid", process.pid, "--duration", round(seconds), "--rate", SAMPLES_PER_S]
    arguments += ["--format", "raw", "--native", "--nolineno", "--output", output]
    running = await asyncio.create_subprocess_exec(
        spy, *map(str, arguments), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, said = await running.communicate()
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    if running.returncode:
        raise BenchError(f"py-spy failed (it needs root, or ptrace allowed):\n{said.decode(errors='replace')}")
    return [_stack(line) for line in (await asyncio.to_thread(output.read_text)).splitlines()]


def _stack(line: str) -> tuple[list[str], int]:
    frames, _, samples = line.rpartition(" ")
    return frames.split(";"), int(samples)


def _cost_table(costs: Mapping[str, float]) -> Table:
    shown = Table(title="CPU for each submission", title_justify="left")
    shown.add_column("µs", justify="right")
    shown.add_column("process")
    for name, microseconds in costs.items():
        shown.add_row(f"{microseconds:.1f}", name)
    return shown


def _table(title: str, functions: Counter[str], total: int) -> Table:
    shown = Table(title=title, title_justify="left")
    shown.add_column("share", justify="right")
    shown.add_column("function", overflow="fold")
    for function, samples in functions.most_common(SHOWN):
        shown.add_row(f"{samples / total:.1%}", escape(function))
    return shown
