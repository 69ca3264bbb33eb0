"""The command `watch`: a board in the terminal, live, or as lines where the output is no terminal."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from io import TextIOWrapper
from itertools import count
from math import ceil

import click
from msgspec import Struct
from rich.console import Console
from rich.live import Live as RichLive
from rich.text import Text

from scoreboard.cli.address import SERVER, checked_url
from scoreboard.client import BoardView, Client, Live
from scoreboard.client.backoff import pause_s
from scoreboard.clock import SECOND, SystemClock
from scoreboard.errors import ScoreboardError
from scoreboard.tasks import Tasks
from scoreboard.watch import Frame, Marks, frozen_text, lines, plain
from scoreboard.wire import BoardOut

TICK_S = 0.2


class Wanted(Struct, frozen=True):
    """Which board, where, and as whom."""

    board: str
    url: str
    window: str | None
    limit: int
    token: str | None
    once: bool


@click.command("watch")
@click.argument("board", default="main")
@click.option("--url", default=SERVER, show_default=True, callback=checked_url, help="Where the server is.")
@click.option("--window", help="all, day, week, month or a season; the board's first unless told.")
@click.option("--limit", type=click.IntRange(1, 100), default=100, show_default=True, help="Rows at most.")
@click.option("--token", envvar="SCOREBOARD_TOKEN", help="An access token, for boards that are not public.")
@click.option("--once", is_flag=True, help="Print the board as it is now and end.")
def watch(board: str, url: str, window: str | None, limit: int, token: str | None, once: bool) -> None:
    """Watch a board live in the terminal. Ctrl-C ends it, with status 0.

    Where the output is no terminal, every change is a line: time, version, rank, name, score and change (+n, -n, new or
    left), separated by tabs; trouble with the connection goes to stderr, and that the board is frozen or revealed.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ▲ shows ?
    console = Console()
    wanted = Wanted(board, url, window, limit, token, once)
    has_screen = sys.stdout.isatty() and not console.is_dumb_terminal
    show = _show_screen(wanted, console) if has_screen else _follow(wanted, Lines())
    try:
        asyncio.run(_until_terminated(show))
    except ScoreboardError as fault:
        raise click.ClickException(_sentence(fault)) from fault
    except (KeyboardInterrupt, asyncio.CancelledError):
        return


async def _until_terminated(work: Coroutine[None, None, None]) -> None:
    """SIGTERM ends it as Ctrl-C does, so that the terminal is left clean."""
    task = asyncio.create_task(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await task


async def _show_screen(wanted: Wanted, console: Console) -> None:
    screen, tasks = Screen(wanted.url), Tasks()
    if wanted.once:
        await _follow(wanted, screen)
        screen.told("once", 0)
        console.print(screen.content(sys.maxsize))
        return
    with RichLive(console=console, screen=True, auto_refresh=False) as terminal:
        tasks.start(screen.draw(terminal), "screen")
        try:
            await _follow(wanted, screen)
        finally:
            await tasks.cancel()


async def _follow(wanted: Wanted, display: "Screen | Lines") -> None:
    """Show the board until the server refuses; a server that is away is tried again and again."""
    for attempt in count():
        try:
            async with Client(wanted.url, token=wanted.token, attempts=1) as client:
                board = await client.board(wanted.board)
            async with Live(wanted.url, token=lambda: wanted.token, told=display.told) as live:
                await live.subscribe(wanted.board, window=wanted.window, limit=min(wanted.limit, board.live_limit))
                async for update in live:
                    if isinstance(update, BoardView):
                        display.show(board, update)
                    if wanted.once:
                        return
        except ScoreboardError as fault:
            if wanted.once or not fault.temporary:
                raise
            pause = pause_s(attempt, fault.retry_after_s)
            display.told("connecting", pause, _sentence(fault))
            await asyncio.sleep(pause)


def _sentence(fault: ScoreboardError) -> str:
    return plain(" ".join(str(fault).split()))


class Lines:
    """Changes as lines on stdout, each out at once, and trouble with the connection on stderr."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._view: BoardView | None = None
        self._state = "active"

    def told(self, state: str, retry_in_s: float, reason: str = "") -> None:
        """The connection is in this state; if it is lost, for how long and why."""
        if (state, self._state) != ("active", "active"):
            click.echo(_status(state, retry_in_s, reason), err=True)
        self._state = state

    def show(self, board: BoardOut, view: BoardView) -> None:
        """The board has changed."""
        now, frozen_at = self._clock.now(), self._view.frozen_at if self._view else None
        if view.frozen_at != frozen_at:
            click.echo(frozen_text(view.frozen_at, now) if view.frozen_at else "revealed", err=True)
        for line in lines(board, self._view, view, now):
            click.echo(line)
        self._view = view


class Screen:
    """The board on the whole terminal, drawn again when it, the connection or the terminal's size has changed."""

    def __init__(self, url: str) -> None:
        self._clock = SystemClock()
        self._marks = Marks()
        self._shown: tuple[BoardOut, BoardView] | None = None
        self._changed_at = 0
        self._link = ("connecting", 0, url)

    def told(self, state: str, retry_in_s: float, reason: str = "") -> None:
        """The connection is in this state; if it is lost, for how long and why."""
        self._link = (state, self._clock.now() + int(retry_in_s * SECOND), reason)

    def show(self, board: BoardOut, view: BoardView) -> None:
        """The board has changed."""
        self._changed_at = self._clock.now()
        self._marks.add(self._shown[1] if self._shown else None, view, self._changed_at)
        self._shown = board, view

    def content(self, height: int) -> Frame | Text:
        """What is to be seen now, in at most that many lines."""
        now = self._clock.now()
        state, retry_at, reason = self._link
        status = _status(state, (retry_at - now) / SECOND, reason)
        if self._shown is None:
            return Text(status)
        return Frame(*self._shown, self._changed_at, status, self._marks.fade(now), now, height)

    async def draw(self, terminal: RichLive) -> None:
        """Draw until cancelled. Nothing is written while nothing changes."""
        drawn: object = None
        while True:
            content = self.content(terminal.console.height)
            signature = (content.signature if isinstance(content, Frame) else content.plain), terminal.console.size
            if signature != drawn:
                terminal.update(content, refresh=True)
                drawn = signature
            await asyncio.sleep(TICK_S)


def _status(state: str, retry_in_s: float, reason: str) -> str:
    word = "live" if state == "active" else state
    pause = f" in {ceil(retry_in_s)} s" if retry_in_s > 0 else ""
    return f"{word}{pause}" + (f": {reason}" if reason else "")
