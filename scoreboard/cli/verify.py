"""The command `verify`: is every ranking what the standings say, and every standing what the history says?"""

import asyncio
import os
from pathlib import Path
from typing import cast, get_args

import click

from scoreboard.config import is_scaled_out, load_settings, with_options
from scoreboard.errors import NotFound
from scoreboard.maintenance import verify as compare
from scoreboard.model import BoardPeriod
from scoreboard.pipeline import Drift, Extent, Misfolded

SHOWN = 10


@click.command("verify")
@click.argument("boards", nargs=-1)
@click.option("--data", metavar="DIR", help="Folder of the database and of generated secrets.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file; $SCOREBOARD_CONFIG unless told.")
@click.option(
    "--history",
    type=click.Choice(get_args(Extent)),
    default="sample",
    show_default=True,
    help="Fold the histories of no, some or all standings anew, and compare.",
)
def verify(boards: tuple[str, ...], data: str | None, config: Path | None, history: str) -> None:
    """Compare rankings with standings, and those with the history.

    The rankings are those of BOARDS, or of all; standings and history are in the database. It can be done while
    servers run, and changes nothing. Ends with status 1 where anything differs. A ranking that does is mended by
    `rebuild`. The ranking of a server with a database file of its own is made anew at each start, and is not looked at.
    """
    settings, extent = with_options(load_settings(config, os.environ), data=data), cast("Extent", history)
    ranked = is_scaled_out(settings)
    if not ranked and extent == "none":
        raise click.UsageError("--history none: there is nothing else to compare")

    def report(period: BoardPeriod, drift: Drift | None, misfolded: Misfolded) -> None:
        told = [_ranking(drift)] if ranked else []
        told += [] if extent == "none" else [_history(misfolded)]
        click.echo(f"{period.board} {period.window} {period.period}: {'; '.join(told)}")

    try:
        differing = asyncio.run(compare(settings, boards, extent, report))
    except NotFound as fault:
        raise click.ClickException(str(fault)) from None
    if differing:
        raise click.ClickException(f"{differing} standings differ")


def _ranking(drift: Drift | None) -> str:
    if drift is None:
        return "not ranked yet"
    if drift:
        players = _named(drift.players, len(drift.players))
        return f"ranking: {len(drift.players)} of {drift.compared} differ, {drift.surplus} too many: {players}"
    return f"ranking: {drift.compared} ok"


def _history(found: Misfolded) -> str:
    if found.differing:
        players = _named(found.players, found.differing)
        return f"history: {found.differing} of {found.compared} differ: {players}"
    return f"history: {found.compared} ok"


def _named(players: tuple[str, ...], count: int) -> str:
    return ", ".join(players[:SHOWN]) + (" ..." if count > SHOWN else "")
