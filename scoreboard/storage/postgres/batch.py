"""A batch of submissions as the database's function takes it, and its answers."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import msgspec
from msgspec import Struct

from scoreboard.model import (
    Board,
    BoardPeriod,
    BoardSettings,
    Committed,
    Evidence,
    Projection,
    Status,
    Submission,
)
from scoreboard.order import order_keys
from scoreboard.storage.spans import span


class _Item(Struct, frozen=True):
    """The fields of the type `batch_item`."""

    n: int
    id: str
    action_id: str
    kept_until: int
    player_id: str
    board: str
    revision: int
    operator: str
    signs: tuple[int, ...]
    score: int
    tiebreakers: tuple[int, ...]
    at: int
    windows: list[str]
    periods: list[str]
    since: list[int]
    until: list[int]
    status: str
    code: str | None
    action: str | None
    metadata: str | None
    evidence: str | None
    fingerprint: str | None
    creates: bool
    name: str | None
    address: str


class _Change(Struct, frozen=True, array_like=True):
    n: int
    board: str
    window: str
    period: str
    player_id: str
    revision: int
    key: str | None
    name: str
    name_revision: int


class _Answer(Struct, frozen=True, array_like=True):
    n: int
    status: Status
    code: str | None
    applied: bool
    score: int | None
    previous: int | None
    repeat: bool
    mismatch: bool | None
    submission_id: str


_answers = msgspec.json.Decoder(list[list[_Answer] | None])
_changes = msgspec.json.Decoder(list[list[_Change] | None])
_encoder = msgspec.json.Encoder()


def encode_batch(boards: Sequence[Board], batch: Sequence[Submission]) -> list[str]:
    """The batch in parts for `commit_batch`. Raises ValueError for two submissions of one player on one board."""
    if len({(item.board, item.player_id) for item in batch}) < len(batch):
        raise ValueError("a batch holds at most one submission per board and player")
    items = [_item(n, board, item) for n, (board, item) in enumerate(zip(boards, batch, strict=True))]
    return [_encoder.encode(part).decode() for part in _parts(items)]


def decode_outcomes(batch: Sequence[Submission], answers: str, changes: str) -> tuple[Committed, ...]:
    """One outcome per submission, in their order."""
    found = {answer.n: answer for some in _answers.decode(answers) for answer in some or ()}
    moved: dict[int, list[Projection]] = defaultdict(list)
    for some in _changes.decode(changes):
        for change in some or ():
            moved[change.n].append(_projection(change))
    return tuple([_committed(item, found[n], moved.get(n, ())) for n, item in enumerate(batch)])


def _item(n: int, board: Board, item: Submission) -> _Item:
    settings = board.settings
    limits = [_bounds_of(board.id, board.revision, settings, period) for period in item.periods]
    return _Item(
        n=n,
        id=item.id,
        action_id=item.action_id,
        kept_until=item.kept_until,
        player_id=item.player_id,
        board=item.board,
        revision=board.revision,
        operator=settings.operator,
        signs=order_keys(settings).signs,
        score=item.score,
        tiebreakers=item.tiebreakers,
        at=item.accepted_at,
        windows=[period.window for period in item.periods],
        periods=[period.period for period in item.periods],
        since=[since for since, _ in limits],
        until=[until for _, until in limits],
        status=item.status,
        code=item.code,
        action=item.action,
        metadata=item.metadata,
        evidence=_evidence(item.evidence),
        fingerprint=None if item.fingerprint is None else item.fingerprint.hex(),
        creates=item.creates_player,
        name=item.player_name if item.creates_player else None,
        address=item.address,
    )


def _parts(items: list[_Item]) -> list[list[_Item]]:
    """The items in order, split where one repeats an action id, or brings a player a second name."""
    parts: list[list[_Item]] = [[]]
    seen: set[tuple[str, str]] = set()
    for item in items:
        marks = {("action", item.action_id)} | ({("name", item.player_id)} if item.name is not None else set())
        if marks & seen:
            parts.append([])
            seen = set()
        parts[-1].append(item)
        seen |= marks
    return parts


_bounds_cache: dict[tuple[str, int, BoardPeriod], tuple[int, int]] = {}
MAX_BOUNDS = 10_000
"""Bounds of periods remembered; at that number all are forgotten and found again."""


def _bounds_of(board_id: str, revision: int, settings: BoardSettings, period: BoardPeriod) -> tuple[int, int]:
    """As `within`, which takes a calendar to find."""
    known = _bounds_cache.get((board_id, revision, period))
    if known is None:
        if len(_bounds_cache) >= MAX_BOUNDS:
            _bounds_cache.clear()
        known = _bounds_cache[board_id, revision, period] = span(settings, period)
    return known


def _evidence(evidence: tuple[Evidence, ...]) -> str | None:
    return _encoder.encode(evidence).decode() if evidence else None


@lru_cache(maxsize=4096)
def _period(board: str, window: str, period: str) -> BoardPeriod:
    return BoardPeriod(board, window, period)


def _committed(item: Submission, answer: _Answer, changes: Sequence[Projection]) -> Committed:
    return Committed(
        answer.status,
        answer.submission_id,
        item.board,
        item.player_id,
        answer.applied,
        answer.score,
        answer.previous,
        answer.code,
        answer.repeat,
        bool(answer.mismatch),
        tuple(changes),
    )


def _projection(change: _Change) -> Projection:
    return Projection(
        _period(change.board, change.window, change.period),
        change.player_id,
        change.revision,
        bytes.fromhex(change.key) if change.key else None,
        change.name,
        change.name_revision,
    )
