"""Taken action ids: one row each, with the answer that its first use was given."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from scoreboard.model import Committed, Status, Submission


class Taken(NamedTuple):
    """A row of `actions`, in the order of its columns; `fingerprint` is hexadecimal."""

    action_id: str
    submission_id: str
    board: str
    player_id: str
    status: Status
    code: str | None
    score: int | None
    previous: int | None
    applied: int
    fingerprint: str | None
    kept_until: int


def take(item: Submission, outcome: Committed) -> Taken:
    """The row that a submission leaves."""
    return Taken(
        item.action_id,
        outcome.submission_id,
        outcome.board,
        outcome.player_id,
        outcome.status,
        outcome.code,
        outcome.score,
        outcome.previous,
        int(outcome.applied),
        _hexadecimal(item.fingerprint),
        item.kept_until,
    )


def repeated(first: Taken, item: Submission | None = None) -> Committed:
    """The answer to a later use of the action id, by `item`: that of the first one."""
    return Committed(
        first.status,
        first.submission_id,
        first.board,
        first.player_id,
        bool(first.applied),
        first.score,
        first.previous,
        first.code,
        repeat=True,
        mismatch=item is not None and _differs(first, item),
    )


def decode_taken(text: str) -> Iterable[Taken]:
    """Rows from the JSON array of a statement."""
    return _rows.decode(text)


_rows = msgspec.json.Decoder(list[Taken])


def _differs(first: Taken, item: Submission) -> bool:
    if (first.player_id, first.board) != (item.player_id, item.board):
        return True
    fingerprint = _hexadecimal(item.fingerprint)
    return None not in (first.fingerprint, fingerprint) and first.fingerprint != fingerprint


def _hexadecimal(fingerprint: bytes | None) -> str | None:
    return None if fingerprint is None else fingerprint.hex()
