"""The command `doctor`: is everything the server depends on as it should be?"""

import asyncio
import os
from pathlib import Path

import click

from scoreboard.config import Settings, load_settings, with_options
from scoreboard.doctor import examine


@click.command("doctor")
@click.option("--data", metavar="DIR", help="Folder of the database and of generated secrets.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file; $SCOREBOARD_CONFIG unless told.")
def doctor(data: str | None, config: Path | None) -> None:
    """Tell whether all that the server depends on is in order.

    Looks at the configuration, the databases, Redis, the servers that run, and all their clocks. Changes
    nothing, and can be done while servers run. Ends with status 1 where anything is bad.
    """
    settings = with_options(load_settings(config, os.environ), data=data)
    bad = asyncio.run(_tell(settings))
    if bad:
        raise click.ClickException(f"{bad} of these must be mended" if bad > 1 else "this must be mended")


async def _tell(settings: Settings) -> int:
    bad = 0
    async for state, part, text in examine(settings):
        click.echo(f"{state:<5}{part}: {text}")
        bad += state == "bad"
    return bad
