"""The command `rebuild`: makes the ranking in Redis anew from the database."""

import asyncio
import os
from pathlib import Path

import click

from scoreboard.config import load_settings
from scoreboard.errors import NotFound
from scoreboard.maintenance import rebuild as make_anew


@click.command("rebuild")
@click.argument("boards", nargs=-1)
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file; $SCOREBOARD_CONFIG unless told.")
def rebuild(boards: tuple[str, ...], config: Path | None) -> None:
    """Make the ranking of BOARDS, or of all, anew.

    It is made from the database, and can be done while servers run: they show the old ranking until the new one is
    whole. Servers do it by themselves where they find it lost.
    """
    try:
        asyncio.run(
            make_anew(
                load_settings(config, os.environ),
                boards,
                lambda period: click.echo(f"{period.board} {period.window} {period.period}: made anew"),
            )
        )
    except NotFound as fault:
        raise click.ClickException(str(fault)) from None
