"""Recorded play: logs of contests, as `contest` reads them, and of clicks, each click one action.

A log of clicks holds one session per line: `{"player", "session", "kind", "t_ms": [...]}`, the instants in milliseconds
since the session began; a `kind` other than `human` names a cheat. What is recorded counts as honest otherwise.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from scoreboard.cheatlab.attempt import HONEST, Attempt
from scoreboard.clock import HOUR, MILLISECOND, SECOND
from scoreboard.contest import Contest, Unusable, load
from scoreboard.model import BoardSettings

BEGINS = 1_577_836_800 * SECOND
CLICKS = "clicks"
HUMAN = "human"


class Recording(Struct, frozen=True):
    """The recorded attempts on one board."""

    name: str
    board: str
    settings: BoardSettings
    attempts: tuple[Attempt, ...]


class _Session(Struct, frozen=True):
    """One line of a log of clicks."""

    player: str
    session: str
    t_ms: tuple[int, ...]
    kind: str = HUMAN


_session = msgspec.json.Decoder(_Session)


def recordings(path: Path, boards: Mapping[str, BoardSettings]) -> Iterator[Recording]:
    """What a log, or a folder of logs, holds, board by board; in a folder what is no log of play is passed over.

    Boards that are not among `boards` are made as the log ranks. Raises Unusable.
    """
    if path.is_dir():
        logs = [log for log in sorted(path.rglob("*.ndjson")) if _first_line(log)]
        if not logs:
            raise Unusable(f"{path}: no logs of play are in it")
    elif _first_line(path) is None:
        raise Unusable(f"{path}: neither a log of a contest nor one of clicks")
    else:
        logs = [path]
    for log in logs:
        if _first_line(log) == CLICKS:
            yield _clicks(log, boards.get(CLICKS, BoardSettings(operator="sum")))
        else:
            yield from _contest(load(log), boards)


def _first_line(log: Path) -> str | None:
    """What kind of log this is by its first line; None where it is none."""
    try:
        with log.open("rb") as file:
            first = msgspec.json.decode(file.readline(10_000_000), type=dict[str, object])
    except OSError as fault:
        raise Unusable(f"{log}: {fault.strerror}") from fault
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if isinstance(first.get("t_ms"), list):
        return CLICKS
    return "contest" if {"t_ms", "player", "board", "score", "op"} <= first.keys() else None


def _clicks(log: Path, settings: BoardSettings) -> Recording:
    attempts: list[Attempt] = []
    for number, line in enumerate(log.read_bytes().splitlines(), 1):
        try:
            session = _session.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
            raise Unusable(f"{log}, line {number}: {fault}") from fault
        name = f"{session.player}/{session.session}"
        kind = HONEST if session.kind == HUMAN else session.kind
        attempts += _in_turn(name, kind, [(t_ms, 1) for t_ms in session.t_ms])
    return Recording(log.name, CLICKS, settings, tuple(attempts))


def _contest(contest: Contest, boards: Mapping[str, BoardSettings]) -> Iterator[Recording]:
    for official in contest.officials:
        of_player: dict[str, list[tuple[int, int]]] = {}
        for event in contest.events:
            if event.board == official.board:
                of_player.setdefault(event.player, []).append((event.t_ms, event.score))
        attempts = [one for player, scored in of_player.items() for one in _in_turn(player, HONEST, scored)]
        settings = boards.get(official.board, official.settings)
        yield Recording(contest.name, official.board, settings, tuple(attempts))


def _in_turn(player: str, kind: str, scored: list[tuple[int, int]]) -> Iterator[Attempt]:
    """A player's attempts. When each action began is not recorded: after the last one, as most do."""
    began = BEGINS - HOUR
    for t_ms, score in scored:
        at = BEGINS + t_ms * MILLISECOND
        yield Attempt(player, kind, player, score, at, began)
        began = at
