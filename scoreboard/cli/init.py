"""The command `init`: makes the database's tables."""

import asyncio
import os
from pathlib import Path

import click

from scoreboard.config import load_settings, with_options
from scoreboard.maintenance import initialise


@click.command("init")
@click.option("--data", metavar="DIR", help="Folder of the database and of generated secrets.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file; $SCOREBOARD_CONFIG unless told.")
def init(data: str | None, config: Path | None) -> None:
    """Make the database's tables, or bring them up to date.

    The server does it by itself at its start; here it can be done before, by a user with the right to.
    """
    settings = with_options(load_settings(config, os.environ), data=data)
    asyncio.run(initialise(settings))
    click.echo("ok", err=True)
