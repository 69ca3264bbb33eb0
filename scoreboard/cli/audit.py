"""The command `audit`: is the trail of who did what whole?"""

import asyncio
import os
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from scoreboard.audit import Anchor, Verified
from scoreboard.config import Settings, load_settings, with_options
from scoreboard.maintenance import verify_audit

SHOWN = 100


@click.group("audit")
def audit() -> None:
    """The trail of who did what to whom."""


@audit.command("verify")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file; $SCOREBOARD_CONFIG unless told.")
@click.option("--data", metavar="DIR", help="Folder of the database and of generated secrets.")
@click.option(
    "--pin",
    "pins",
    multiple=True,
    metavar="CHAIN:NUMBER:HASH",
    help="What the log says of a chain. May be given several times.",
)
def verify(config: Path | None, data: str | None, pins: tuple[str, ...]) -> None:
    """Find whatever was edited, deleted, reordered or cut off.

    It can be done while servers run. Ends with status 1 where anything is not as it was written.
    """
    pinned = dict(map(_pin, pins))
    settings = with_options(load_settings(config, os.environ), data=data)
    verified = asyncio.run(_verify(settings, pinned))
    for finding in verified.findings[:SHOWN]:
        click.echo(f"{finding.chain} {finding.number} {finding.what}")
    if len(verified.findings) > SHOWN:
        click.echo(f"... and {len(verified.findings) - SHOWN} more")
    if verified.findings:
        raise click.ClickException(f"{len(verified.findings)} things are not as they were written")
    click.echo(f"{verified.entries} entries in {verified.chains} chains ok")


async def _verify(settings: Settings, pinned: dict[str, Anchor]) -> Verified:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("chains", total=None)
        return await verify_audit(settings, pinned, lambda done, total: shown.update(task, completed=done, total=total))


def _pin(text: str) -> tuple[str, Anchor]:
    chain, _, rest = text.partition(":")
    number, _, hashed = rest.partition(":")
    if not number.isdecimal() or not hashed:
        raise click.BadParameter(f"{text} is not CHAIN:NUMBER:HASH", param_hint="--pin")
    return chain, Anchor(int(number), hashed.lower(), "the log")
