"""The command `replay`: a recorded contest into a running server, and is the end as it was?"""

import asyncio
import signal
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from scoreboard.client import Client
from scoreboard.contest import Contest, Difference, Place, Unusable, load
from scoreboard.errors import ScoreboardError
from scoreboard.replay import Outcome, Replay

SHOWN_DIFFERENCES = 30
INTERRUPTED = 130


@click.command("replay")
@click.argument("log", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="Where the server is.")
@click.option(
    "--key", envvar="SCOREBOARD_KEY", help="An API key with the scopes exchange, write, import, moderate, admin."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data"),
    show_default=True,
    help="The server's data folder: its admin.key is used where no --key is given.",
)
@click.option("--speed", type=click.FloatRange(min=0), default=0.0, help="Times as fast as recorded; 0: no waiting.")
@click.option(
    "--expect",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Official standings to compare with; standings.json beside the log unless told.",
)
@click.option(
    "--scores-only/--full-order",
    default=None,
    help="Let players equal in score stand in any order; the default for logs called *-dynamic.ndjson.",
)
@click.option("--suffix", default="", help="Added to the boards' ids and titles, for another replay into one server.")
@click.option(
    "--resume", is_flag=True, help="Go on with an interrupted replay of this log by the same key. Within 30 days."
)
def replay(
    log: Path,
    url: str,
    key: str | None,
    data: Path,
    speed: float,
    expect: Path | None,
    scores_only: bool | None,
    suffix: str,
    resume: bool,
) -> None:
    """Replay a recorded contest and compare the final standings.

    LOG is an .ndjson file of events. The boards are made by their ranking rule; retractions.ndjson beside the log is
    applied too. Ends with 0 if every board is as the official standings say, 1 with a table of what differs if not.
    """
    try:
        contest = load(log, expect)
        only_scores = log.stem.endswith("-dynamic") if scores_only is None else scores_only
        outcome = asyncio.run(_replay(contest, url, key or _local_key(data), speed, suffix, resume, only_scores))
    except (Unusable, ScoreboardError) as fault:
        raise click.ClickException(str(fault)) from fault
    _report(contest, outcome)


async def _replay(
    contest: Contest, url: str, key: str, speed: float, suffix: str, resume: bool, scores_only: bool
) -> Outcome:
    async with Client(url, key=key, attempts=1) as caller:
        await caller.boards()  # a wrong address or key is told at once, not after the patience for an outage
    stop = asyncio.Event()
    _stop_on_interrupt(stop)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(escape(contest.name), total=len(contest.events))
        async with Client(url, key=key) as client:
            return await Replay(
                client,
                contest,
                speed=speed,
                suffix=suffix,
                resume=resume,
                scores_only=scores_only,
                stop=stop,
                progress=lambda count: bar.advance(task, count),
            ).run()


def _stop_on_interrupt(stop: asyncio.Event) -> None:
    """The first Ctrl-C lets the batch on its way finish; a second one does not wait."""
    loop = asyncio.get_running_loop()

    def stop_gently() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, stop_gently)


def _local_key(data: Path) -> str:
    path = data / "admin.key"
    try:
        return path.read_text().strip()
    except OSError as fault:
        raise Unusable(f"{path}: {fault.strerror}; give --key, or --data with the server's data folder") from fault


def _report(contest: Contest, outcome: Outcome) -> None:
    if outcome.nameless:
        click.echo(f"{outcome.nameless} names were refused by the server; these players appear by id", err=True)
    if not outcome.is_complete:
        click.echo(
            f"stopped after {outcome.events} of {len(contest.events)} events; the same command with --resume goes on",
            err=True,
        )
        raise SystemExit(INTERRUPTED)
    if outcome.differences:
        _show(outcome.differences)
        raise SystemExit(1)
    click.echo(_summary(contest, outcome))


def _summary(contest: Contest, outcome: Outcome) -> str:
    rate = outcome.events / max(outcome.seconds, 0.001)
    took = f"{outcome.events} events in {outcome.seconds:.2f} s ({rate:.0f}/s)"
    retracted = f", {outcome.retractions} retracted" if outcome.retractions else ""
    boards = ", ".join(official.board for official in contest.officials)
    end = "identical" if contest.is_judged else "not compared: there are no official standings beside the log"
    return f"{contest.name}: {took}{retracted}; {boards}: {end}"


def _show(found: tuple[Difference, ...]) -> None:
    table = Table(title="Standings differ", title_justify="left")
    for heading in ("board", "place", "expected", "got"):
        table.add_column(heading, overflow="fold")
    for one in found[:SHOWN_DIFFERENCES]:
        place = one.expected or one.got
        table.add_row(one.board, str(place.rank if place else ""), _text(one.expected), _text(one.got))
    console = Console()
    console.print(table)
    more = len(found) - SHOWN_DIFFERENCES
    console.print(f"{len(found)} places differ" + (f", {more} of them not shown" if more > 0 else ""))


def _text(place: Place | None) -> str:
    return (
        "nobody"
        if place is None
        else escape(f"{place.rank}. {place.name or place.player} ({place.player}) {place.score}")
    )
