"""A recorded contest: its score log, its retractions, its official standings, and whether a board agrees with them.

A log is `FILE.ndjson`, one event per line: `{"t_ms", "player", "name", "board", "score", "op"}`, other fields are
context. Beside it may lie `standings.json` (`boards[]`: `board`, `title`, `rule {op, order, tie}`, `standings[]` with
`rank, player, name, score`) and `retractions.ndjson` (`t_ms, player, board, score, event_t_ms`).
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from scoreboard.model import BoardId, BoardSettings, Operator, Order, PlayerId, Score
from scoreboard.wire import Row

T = TypeVar("T")
Tie = Literal["earliest", "shared"]
Milliseconds = Annotated[int, Meta(ge=0, le=10**13)]


class Unusable(Exception):
    """A file cannot be replayed; the text is one clear line."""


class Event(Struct, frozen=True):
    """One score, `t_ms` milliseconds after the contest began."""

    t_ms: Milliseconds
    player: PlayerId
    board: BoardId
    score: Score
    op: Operator
    name: str = ""


class Retraction(Struct, frozen=True):
    """Officials withdrew, at `t_ms`, the score that the event at `event_t_ms` brought."""

    t_ms: Milliseconds
    player: PlayerId
    board: BoardId
    score: Score
    event_t_ms: Milliseconds
    reason: str = ""


class Rule(Struct, frozen=True):
    """How the contest ranked: `earliest` gives everyone a place of their own, `shared` lets equal scores share one."""

    op: Operator
    order: Order = "desc"
    tie: Tie = "earliest"


class Place(Struct, frozen=True):
    """One line of official standings."""

    rank: int
    player: str
    score: int
    name: str = ""


class Official(Struct, frozen=True):
    """One board's official standings, best first; whoever is not in them never scored and is not on the board."""

    board: BoardId
    rule: Rule
    title: str = ""
    standings: tuple[Place, ...] = ()

    @property
    def settings(self) -> BoardSettings:
        """The board that ranks by this rule."""
        return BoardSettings(
            title=self.title[:128],
            order=self.rule.order,
            operator=self.rule.op,
            rank="unique" if self.rule.tie == "earliest" else "competition",
        )


class Contest(Struct, frozen=True):
    """A log in order of time (within equal times, of the file) with all that belongs to it; `digest` names the file.

    `officials` has an entry for each board of the log; `is_judged` tells whether their standings are known.
    """

    name: str
    digest: str
    events: tuple[Event, ...]
    retractions: tuple[Retraction, ...]
    officials: tuple[Official, ...]
    is_judged: bool


class Difference(Struct, frozen=True):
    """A place of a board that is not as it officially was; None where there is nobody."""

    board: str
    expected: Place | None
    got: Place | None


class _OfficialFile(Struct, frozen=True):
    boards: tuple[Official, ...]


def load(log: Path, expect: Path | None = None) -> Contest:
    """Read a log and what lies beside it; `expect` names other official standings. Raises Unusable."""
    raw = _read(log)
    events = sorted(_lines(log, raw, Event), key=lambda event: event.t_ms)
    if not events:
        raise Unusable(f"{log}: there are no events in it")
    standings = expect or log.with_name("standings.json")
    known = _officials(standings) if expect is not None or standings.exists() else {}
    withdrawn = log.with_name("retractions.ndjson")
    retractions = tuple(_lines(withdrawn, _read(withdrawn), Retraction)) if withdrawn.exists() else ()
    boards = {event.board: event.op for event in events}
    _check_operators(log, events)
    if known and (strangers := sorted(boards.keys() - known.keys())):
        raise Unusable(f"{standings}: board {strangers[0]!r} of the log is not in it")
    return Contest(
        log.name,
        sha256(raw).hexdigest()[:16],
        tuple(events),
        tuple(sorted((one for one in retractions if one.board in boards), key=lambda one: one.t_ms)),
        tuple(known.get(board) or Official(board, Rule(op)) for board, op in boards.items()),
        bool(known),
    )


def differences(official: Official, rows: Sequence[Row], *, scores_only: bool = False) -> tuple[Difference, ...]:
    """Where a board's rows, best first, are not the official standings; empty where they agree.

    Players equal in score and time may stand in any order, and so may those who share a place; with `scores_only` all
    that are equal in score.
    """
    expected = sorted(official.standings, key=lambda place: place.rank)
    got = [_as_place(row, official.rule.tie) for row in rows]
    by_score = scores_only or official.rule.tie == "shared"
    found: list[Difference] = []
    start = 0
    for _, equals in groupby(rows, _score if by_score else _score_and_time):
        end = start + len(tuple(equals))
        found += _mismatches(official.board, expected[start:end], got[start:end])
        start = end
    return (*found, *_mismatches(official.board, expected[start:], []))


def _score(row: Row) -> tuple[int, str]:
    return row.score, ""


def _score_and_time(row: Row) -> tuple[int, str]:
    return row.score, row.achieved_at


def _as_place(row: Row, tie: Tie) -> Place:
    return Place(row.position if tie == "earliest" else row.rank, row.player_id, row.score, row.name)


def _mismatches(board: str, expected: Sequence[Place], got: Sequence[Place]) -> Iterator[Difference]:
    """What differs between two stretches of a board within which the order does not matter."""
    if [place.rank for place in expected] != [place.rank for place in got]:
        yield from _pairs(board, expected, got)
        return
    wanted = {(place.player, place.score) for place in expected}
    had = {(place.player, place.score) for place in got}
    yield from _pairs(
        board,
        [place for place in expected if (place.player, place.score) not in had],
        [place for place in got if (place.player, place.score) not in wanted],
    )


def _pairs(board: str, expected: Sequence[Place], got: Sequence[Place]) -> Iterator[Difference]:
    return (Difference(board, right, ours) for right, ours in zip_longest(expected, got))


def _officials(path: Path) -> dict[str, Official]:
    try:
        return {official.board: official for official in msgspec.json.decode(_read(path), type=_OfficialFile).boards}
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Unusable(f"{path}: {fault}") from fault


def _check_operators(log: Path, events: Sequence[Event]) -> None:
    first: dict[str, Event] = {}
    for event in events:
        if first.setdefault(event.board, event).op != event.op:
            raise Unusable(f"{log}: board {event.board!r} has both {first[event.board].op!r} and {event.op!r} events")


def _lines(path: Path, raw: bytes, kind: type[T]) -> Iterator[T]:
    decoder = msgspec.json.Decoder(kind)
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            raise Unusable(f"{path}, line {number}: {fault}") from fault


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise Unusable(f"{path}: {fault.strerror}") from fault
