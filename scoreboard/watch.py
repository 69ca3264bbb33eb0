"""A live board for a terminal: what changed lately, as rows to look at or as plain lines. Pure, the time is passed in.

Names and titles are text of strangers: nothing in them is taken for markup or reaches the terminal as a control.
"""

from collections.abc import Iterator, Mapping
from unicodedata import bidirectional

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from scoreboard.client import BoardView
from scoreboard.clock import SECOND, from_rfc3339, rfc3339, to_datetime
from scoreboard.wire import BoardOut, Row

FADE_US = 3 * SECOND
DIM_US = 2 * SECOND
WIDEST = 100
"""Cells beyond which the eye would lose the line between a name and its score."""

MOVE_CELLS = 5
LEAST_NAME_CELLS = 8
"""Below this, gains make room for names."""

_LEFT_TO_RIGHT = "\u200e"
_JOINERS_AND_TAGS = frozenset("\u200c\u200d") | frozenset(map(chr, range(0xE0020, 0xE0080)))


class Mark(Struct, frozen=True):
    """What happened to a row until `at`: places climbed (negative: fallen), score gained, or that it is new."""

    climbed: int
    gained: int
    is_new: bool
    at: int


class Marks:
    """The marks of a board's rows, each until it has faded; what happens to a row meanwhile adds up."""

    def __init__(self) -> None:
        self._marks: dict[str, Mark] = {}

    def add(self, old: BoardView | None, new: BoardView, at: int) -> None:
        """Mark what changed from `old` to `new`; another period begins unmarked."""
        self.fade(at)
        before = _rows(old, new)
        if before is None:
            self._marks.clear()
            return
        for row in new.rows:
            was, mark = before.get(row.player_id), self._marks.get(row.player_id, Mark(0, 0, False, at))
            if was is None:
                self._marks[row.player_id] = Mark(0, 0, True, at)
            elif (was.position, was.score) != (row.position, row.score):
                climbed, gained = was.position - row.position, row.score - was.score
                self._marks[row.player_id] = Mark(mark.climbed + climbed, mark.gained + gained, mark.is_new, at)

    def fade(self, now: int) -> Mapping[str, Mark]:
        """The marks still to be seen, by player."""
        self._marks = {player: mark for player, mark in self._marks.items() if now - mark.at < FADE_US}
        return self._marks


class Frame(Struct, frozen=True):
    """A board at one moment, for rich to draw as wide as there is room and with at most `height` lines."""

    board: BoardOut
    view: BoardView
    changed_at: int
    status: str
    marks: Mapping[str, Mark]
    now: int
    height: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._heading()
        yield Text()
        yield from self._rows(self.view.rows[: max(self.height - 3, 0)], min(options.max_width, WIDEST))
        yield self._footer()

    @property
    def signature(self) -> object:
        """Equal for frames that look alike."""
        return self.view, self.status, [(player, self._is_dim(mark)) for player, mark in self.marks.items()]

    def _heading(self) -> Text:
        period = self.view.window if self.view.period == self.view.window else f"{self.view.window} {self.view.period}"
        frozen = "" if self.view.frozen_at is None else f"  {frozen_text(self.view.frozen_at, self.now)}"
        title = plain(self.board.title or self.board.board)
        return _line((title, "bold"), (f"  {plain(period)}", "dim"), (frozen, "bold cyan"))

    def _footer(self) -> Text:
        players = f"{self.view.total:,} player" + ("s" if self.view.total != 1 else "")
        changed = f"{to_datetime(self.changed_at).astimezone():%H:%M:%S}"
        state = (self.status, "green" if self.status == "live" else "bold yellow")
        return _line(state, (f" · {players} · {changed} · version {self.view.version}", "dim"))

    def _rows(self, rows: tuple[Row, ...], width: int) -> Iterator[Text]:
        if not self.view.rows:
            yield _line(("No scores yet.", "dim"))
        scores = [score_text(row.score, self.board.decimals) for row in rows]
        score_cells = max(map(len, scores), default=0)
        rank_cells = max((len(str(row.rank)) for row in rows), default=0)
        room = width - rank_cells - MOVE_CELLS - score_cells - 2
        gain_cells = max(score_cells, 3) + 3
        has_gains = room - gain_cells >= LEAST_NAME_CELLS
        name_cells = max(room - gain_cells if has_gains else room, 1)
        for row, score in zip(rows, scores, strict=True):
            mark = self.marks.get(row.player_id, Mark(0, 0, False, self.now))
            style = "bold yellow" if row.rank == 1 else ""
            yield _line(
                (f"{row.rank:>{rank_cells}} ", style or "dim"),
                self._move(mark),
                (f"{_fitted(plain(row.name), name_cells)} ", style),
                (f"{score:>{score_cells}}", style or "bold"),
                self._gain(mark) if has_gains else ("", ""),
            )

    def _move(self, mark: Mark) -> tuple[str, str]:
        if mark.is_new:
            return " new ", self._faded(mark, "cyan")
        if not mark.climbed:
            return " " * MOVE_CELLS, ""
        sign, style = ("▲", "green") if mark.climbed > 0 else ("▼", "red")
        return f" {sign}{abs(mark.climbed):<{MOVE_CELLS - 2}}", self._faded(mark, style)

    def _gain(self, mark: Mark) -> tuple[str, str]:
        is_better = (mark.gained > 0) == (self.board.order == "desc")
        return f"  {gain_text(mark.gained, self.board.decimals)}", self._faded(mark, "green" if is_better else "red")

    def _faded(self, mark: Mark, style: str) -> str:
        return f"{style} dim" if self._is_dim(mark) else f"{style} bold"

    def _is_dim(self, mark: Mark) -> bool:
        return self.now - mark.at >= DIM_US


def lines(board: BoardOut, old: BoardView | None, new: BoardView, at: int) -> Iterator[str]:
    """A line per row that changed: time, version, rank, name, score and change, tab-separated.

    The change is +n, -n, `new`, `left`, or empty; a row that others have only moved has no line. At first, and in a new
    period, that is every row.
    """
    before = _rows(old, new)
    for row in new.rows:
        was = (before or {}).get(row.player_id)
        if was is None:
            yield _fields(board, new, row, at, "" if before is None else "new")
        elif replace(was, position=row.position, rank=row.rank) != row:
            yield _fields(board, new, row, at, gain_text(row.score - was.score, board.decimals))
    shown = {row.player_id for row in new.rows}
    for row in (before or {}).values():
        if row.player_id not in shown:
            yield _fields(board, new, row, at, "left")


def frozen_text(frozen_at: str, now: int) -> str:
    """Since when a board is frozen, in the time of this place; with the day where that is another one."""
    since, today = to_datetime(from_rfc3339(frozen_at)).astimezone(), to_datetime(now).astimezone()
    return f"frozen since {since:%H:%M}" if since.date() == today.date() else f"frozen since {since:%Y-%m-%d %H:%M}"


def score_text(score: int, decimals: int) -> str:
    """A score with its board's decimals; exact, as no division is made."""
    digits = str(abs(score)).rjust(decimals + 1, "0")
    whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    return ("-" if score < 0 else "") + f"{int(whole):,}" + (f".{fraction}" if fraction else "")


def gain_text(gain: int, decimals: int) -> str:
    """The same with its sign, also if that is a plus; nothing for nothing."""
    return ("+" if gain > 0 else "") + score_text(gain, decimals) if gain else ""


def plain(text: str) -> str:
    """Text that a terminal shows and does not obey; what cannot be shown is �."""
    return "".join(one if one.isprintable() or one in _JOINERS_AND_TAGS else "\ufffd" for one in text)


def _rows(old: BoardView | None, new: BoardView) -> dict[str, Row] | None:
    return None if old is None or old.period != new.period else {row.player_id: row for row in old.rows}


def _fields(board: BoardOut, view: BoardView, row: Row, at: int, change: str) -> str:
    score = score_text(row.score, board.decimals)
    fields = (rfc3339(at), str(view.version), str(row.rank), plain(row.name), _ungrouped(score), _ungrouped(change))
    return "\t".join(fields)


def _ungrouped(number: str) -> str:
    return number.replace(",", "")


def _fitted(name: str, cells: int) -> str:
    cut = name if cell_len(name) <= cells else f"{set_cell_size(name, cells - 1)}…"
    padded = set_cell_size(cut, cells)
    # Fenced, or a terminal that orders by direction takes the score after a right-to-left name into it.
    is_rtl = any(bidirectional(one) in ("R", "AL", "AN") for one in name)
    return f"{_LEFT_TO_RIGHT}{padded}{_LEFT_TO_RIGHT}" if is_rtl else padded


def _line(*parts: tuple[str, str]) -> Text:
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")
