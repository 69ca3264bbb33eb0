"""The command `export`: a whole board as a file."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

import click

from scoreboard.cli.address import SERVER, checked_url
from scoreboard.client import Client
from scoreboard.errors import ScoreboardError

Write = Callable[[bytes], object]

ATTEMPTS = 3
"""Whoever waits for the command rather hears soon that there is no server."""

UNKNOWN = "whether the board moved while it was read is not known: the server did not answer that"
MOVED = "the board moved while it was read: who moved may be missing, or there twice"


@click.command("export")
@click.argument("board")
@click.option("--url", default=SERVER, show_default=True, callback=checked_url, help="Where the server is.")
@click.option("--window", help="all, day, week, month or a season; the board's first unless told.")
@click.option("--period", help="For example 2026-W48; the current one unless told.")
@click.option("--format", "kind", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to this file; stdout unless told.")
@click.option("--token", envvar="SCOREBOARD_TOKEN", help="An access token, for boards that are not public.")
def export(
    board: str,
    url: str,
    window: str | None,
    period: str | None,
    kind: Literal["csv", "json"],
    output: Path | None,
    token: str | None,
) -> None:
    """Write the whole of BOARD, best first, as CSV or JSON.

    A file is there when it is whole. Where the board moved meanwhile, stderr says so.
    """

    async def fetch(write: Write) -> bool | None:
        async with Client(url, token=token, attempts=ATTEMPTS) as client:
            return await client.export(board, write, window=window, period=period, kind=kind)

    try:
        if output is None:
            stood_still = asyncio.run(fetch(sys.stdout.buffer.write))
        else:
            with _whole(output) as file:
                stood_still = asyncio.run(fetch(file.write))
    except ScoreboardError as fault:
        raise click.ClickException(" ".join(str(fault).split())) from fault
    except OSError as fault:
        raise click.ClickException(f"{output or 'stdout'}: {fault.strerror}") from None
    if not stood_still:
        click.echo(UNKNOWN if stood_still is None else MOVED, err=True)


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file that is at its place once it is whole, and nowhere if it never is; a pipe or device is written to."""
    if path.exists() and not path.is_file():
        with path.open("wb") as pipe:
            yield pipe
        return
    path = path.resolve()  # a link leads to the new file, too
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
