"""The command `scoreboard`: parses what was typed and calls what does the work."""

from importlib import import_module

import click

import scoreboard
from scoreboard.errors import ConfigError, Unavailable

COMMANDS = {
    "audit": "audit",
    "bench": "bench",
    "cheatlab": "cheatlab",
    "check-config": "check_config",
    "doctor": "doctor",
    "export": "export",
    "init": "init",
    "rebuild": "rebuild",
    "replay": "replay",
    "serve": "serve",
    "verify": "verify",
    "watch": "watch",
}
"""Each command and the module it is in, read when the command is used."""


class Commands(click.Group):
    """Finds its commands by `COMMANDS`, and tells what it cannot work with or reach as one line with status 1."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"scoreboard.cli.{COMMANDS[name]}"), COMMANDS[name])
        return command

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except (ConfigError, Unavailable) as fault:
            raise click.ClickException(str(fault)) from None


@click.group(cls=Commands)
@click.version_option(scoreboard.__version__, prog_name="scoreboard")
def main() -> None:
    """A self-hosted live scoreboard server."""
