"""The command `bench`: measures the server beside what the machine can do at best."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
import uvloop
from rich.console import Console

from scoreboard.bench.embedded import EmbeddedStores
from scoreboard.bench.processes import BenchError
from scoreboard.bench.profile import profile
from scoreboard.bench.report import Line, table
from scoreboard.bench.rounds import Plan
from scoreboard.bench.run import LINES, SCALED, run
from scoreboard.bench.scenarios import Scenario
from scoreboard.bench.shared import shared_stores
from scoreboard.bench.stores import Stores

SOCKETS = 1_000
CROWD = 5_000
SIGNED_IN = 1_000
QUICK_PLAYERS = 100_000
FULL_PLAYERS = 1_000_000


@click.command("bench")
@click.option("--scaled", is_flag=True, help="Measure servers on PostgreSQL and Redis, started here unless named.")
@click.option("--database", "database_url", default="", metavar="URL", help="A PostgreSQL where databases can be made.")
@click.option("--redis", "redis_url", default="", metavar="URL", help="A Redis to use beside what else it holds.")
@click.option("--only", multiple=True, metavar="NAME", type=click.Choice(list(SCALED)), help="Only this; repeatable.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Measurements of each side.")
@click.option("--seconds", type=click.FloatRange(0.1), default=2.0, show_default=True, help="Length of a measurement.")
@click.option("--players", type=click.IntRange(1_000), help="Players of the large boards.")
@click.option("--full/--quick", default=False, help=f"{FULL_PLAYERS:,} players, or {QUICK_PLAYERS:,} (the default).")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures here too."
)
@click.option("--profile", "profiled", is_flag=True, help="Profile the server under `scores/update` instead.")
def bench(
    scaled: bool,
    database_url: str,
    redis_url: str,
    only: Sequence[str],
    rounds: int,
    seconds: float,
    players: int | None,
    full: bool,
    json_file: Path | None,
    profiled: bool,
) -> None:
    """Measure the server beside what the machine can do at best.

    Both take turns in the same run. The load keeps to one core; servers may use all. Databases are made in the folder
    for temporary files ($TMPDIR), which must be on a real disk for the writes to mean anything.
    """
    scenarios = _chosen(only, SCALED if scaled else LINES)
    if (database_url or redis_url) and not scaled:
        raise click.UsageError("--database and --redis go with --scaled")
    plan = Plan(rounds, seconds, players or (FULL_PLAYERS if full else QUICK_PLAYERS), SOCKETS, SIGNED_IN, CROWD)
    console = Console()
    try:
        with (
            _stores(scaled, database_url, redis_url) as stores,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop,
        ):
            if profiled:
                console.print(*loop.run(profile(plan, stores)), sep="\n")
            else:
                _report(console, loop.run(run(plan, stores, scenarios, _progress)), json_file)
    except BenchError as fault:
        raise click.ClickException(str(fault)) from fault


def _chosen(only: Sequence[str], scenarios: Mapping[str, Scenario]) -> Mapping[str, Scenario]:
    if missing := [name for name in only if name not in scenarios]:
        raise click.UsageError(f"{', '.join(missing)}: measured with --scaled only")
    return {name: scenarios[name] for name in only or scenarios}


@contextmanager
def _stores(scaled: bool, database_url: str, redis_url: str) -> Iterator[Callable[[Path], Stores]]:
    """How to make databases in a folder; the servers that they are on run until the block ends."""
    if not scaled:
        yield EmbeddedStores
        return
    with (
        tempfile.TemporaryDirectory(prefix="scoreboard-bench-") as folder,
        shared_stores(Path(folder), database_url, redis_url) as stores,
    ):
        yield stores.at


def _progress(name: str) -> None:
    click.echo(f"{name} ...", err=True)


def _report(console: Console, lines: Sequence[Line], json_file: Path | None) -> None:
    console.print(table(lines))
    if json_file is not None:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(lines)) + b"\n")
