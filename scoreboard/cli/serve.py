"""The command `serve`: runs the server."""

import os
from pathlib import Path

import click

from scoreboard.config import load_settings, with_options
from scoreboard.serving import run


@click.command("serve")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on; 0 picks a free one.")
@click.option("--data", metavar="DIR", help="Folder of the database and of generated secrets.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file; $SCOREBOARD_CONFIG unless told.")
def serve(host: str | None, port: int | None, data: str | None, config: Path | None) -> None:
    """Run the server until SIGTERM or Ctrl-C.

    Prints one line, "ready http://...", once it takes requests; everything else goes to stderr.
    """
    settings = with_options(load_settings(config, os.environ), host=host, port=port, data=data)
    run(settings, lambda url: click.echo(f"ready {url}"))
