"""The command `cheatlab`: who would be held by the rules, and who would get away?"""

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scoreboard.cheatlab import CHEATS, Findings, Laboratory, Suspect, findings, recordings, report, tried
from scoreboard.cheatlab.laboratory import ACTION, BOARD, CROWD
from scoreboard.config import load_settings
from scoreboard.contest import Unusable
from scoreboard.errors import ConfigError
from scoreboard.model import Board, BoardSettings

Trial = Callable[[], Iterable[Suspect]]


@click.command("cheatlab")
@click.argument("logs", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "--players",
    type=click.IntRange(0),
    default=200,
    show_default=True,
    help=f"Honest players to generate, besides {CROWD} around each cheat.",
)
@click.option("--runs", type=click.IntRange(0), default=20, show_default=True, help="Cheats to generate of each kind.")
@click.option("--only", multiple=True, type=click.Choice(list(CHEATS)), help="Only this kind of cheat; repeatable.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same players.")
@click.option("--config", type=click.Path(path_type=Path), help="Take boards from this configuration file.")
@click.option("--board", help="The board of the configuration to play on; the first unless told.")
@click.option("--action", help="The action of that board; the first unless told.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the findings here too."
)
@click.option(
    "--svg", "svg_file", type=click.Path(path_type=Path, dir_okay=False), help="Write what is shown here too."
)
@click.option("--cost", is_flag=True, help="Measure what the rules cost instead.")
def cheatlab(
    logs: Sequence[Path],
    players: int,
    runs: int,
    only: Sequence[str],
    seed: int,
    config: Path | None,
    board: str | None,
    action: str | None,
    json_file: Path | None,
    svg_file: Path | None,
    cost: bool,
) -> None:
    """Put play through the rules and show whom they object to.

    LOGS are contest logs, logs of clicks, or folders of them; everybody in them counts as honest. Without any, honest
    players and cheats are generated. Nothing is sent to a server: change the rules in a copy of your configuration and
    see what it does before players do.
    """
    boards = {} if config is None else load_settings(config, os.environ).boards
    if logs:
        trials = _recorded(logs, boards)
    else:
        laboratory = Laboratory(*_chosen(boards, board, action), seed)
        if cost:
            click.echo(f"{laboratory.cost_us(max(players, 1)):.1f} us for each submission")
            return
        trials = [*laboratory.cheats(runs, only or tuple(CHEATS)), *laboratory.honest(players)]
    found = findings(_run(trials))
    _show(found, json_file, svg_file)


def _recorded(logs: Sequence[Path], boards: dict[str, BoardSettings]) -> list[Trial]:
    trials: list[Trial] = []
    try:
        for log in logs:
            for one in recordings(log, boards):
                board = Board(one.board, one.settings, 1, 0, 0)
                trials.append(partial(tried, board, "", one.attempts))
    except Unusable as fault:
        raise click.ClickException(str(fault)) from fault
    return trials


def _chosen(boards: dict[str, BoardSettings], board: str | None, action: str | None) -> tuple[BoardSettings, str]:
    """The board and the action to play. Raises ConfigError."""
    if not boards:
        if board or action:
            raise ConfigError("--board and --action go with --config")
        return BOARD, ACTION
    name = board or next(iter(boards))
    if name not in boards:
        raise ConfigError(f"--board: the configuration has no board {name!r}")
    actions = boards[name].actions
    chosen = action or next(iter(actions), None)
    if chosen is None or chosen not in actions:
        raise ConfigError(f"--action: the board {name!r} has no action {chosen or 'at all'}")
    return boards[name], chosen


def _run(trials: Sequence[Trial]) -> list[Suspect]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    suspects: list[Suspect] = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("trials", total=len(trials))
        for trial in trials:
            suspects += trial()
            bar.advance(task)
    return suspects


def _show(found: Findings, json_file: Path | None, svg_file: Path | None) -> None:
    console = Console(record=svg_file is not None)
    for part in report(found):
        console.print(part)
    if svg_file is not None:
        console.save_svg(str(svg_file), title="scoreboard cheatlab")
    if json_file is not None:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
