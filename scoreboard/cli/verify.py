"""The command `verify`: is the ranking in Redis what the database says?"""

import asyncio
import os
from pathlib import Path

import click

from scoreboard.config import load_settings
from scoreboard.errors import NotFound
from scoreboard.maintenance import verify as compare
from scoreboard.model import BoardPeriod
from scoreboard.pipeline import Drift

SHOWN = 10


@click.command("verify")
@click.argument("boards", nargs=-1)
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file; $SCOREBOARD_CONFIG unless told.")
def verify(boards: tuple[str, ...], config: Path | None) -> None:
    """Compare the ranking of BOARDS, or of all, with the database.

    Each standing is looked at. It can be done while servers run. Ends with status 1 where anything differs; `rebuild`
    mends that.
    """
    try:
        differing = asyncio.run(compare(load_settings(config, os.environ), boards, _report))
    except NotFound as fault:
        raise click.ClickException(str(fault)) from None
    if differing:
        raise click.ClickException(f"{differing} standings differ")


def _report(period: BoardPeriod, drift: Drift | None) -> None:
    name = f"{period.board} {period.window} {period.period}"
    if drift is None:
        click.echo(f"{name}: not ranked yet")
    elif drift:
        players = ", ".join(drift.players[:SHOWN]) + (" ..." if len(drift.players) > SHOWN else "")
        click.echo(f"{name}: {len(drift.players)} of {drift.compared} differ, {drift.surplus} too many: {players}")
    else:
        click.echo(f"{name}: {drift.compared} ok")
