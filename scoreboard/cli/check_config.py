"""The command `check-config`: can the server start with this configuration, and what does it come to?"""

import os
from pathlib import Path

import click
import msgspec

from scoreboard.config import check_production, load_settings, without_secrets


@click.command("check-config")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file; $SCOREBOARD_CONFIG unless told.")
def check_config(config: Path | None) -> None:
    """Check the configuration and print the settings in effect.

    Secrets are named by their files and never shown, nor are passwords in URLs.
    """
    settings = load_settings(config, os.environ)
    check_production(settings)
    click.echo("ok", err=True)
    click.echo(msgspec.yaml.encode(without_secrets(settings), order=None).decode(), nl=False)
