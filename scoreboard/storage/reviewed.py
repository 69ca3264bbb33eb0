"""A review as every backend reads it: a submission, and beside it a row whose columns stand in one order."""

from collections.abc import Sequence
from typing import Any

import msgspec

from scoreboard.model import Evidence, HistoryItem
from scoreboard.oversight import Note, Review

_evidence = msgspec.json.Decoder(tuple[Evidence, ...])
_notes = msgspec.json.Decoder(tuple[Note, ...])


def review(item: HistoryItem, beside: Sequence[Any]) -> Review:
    """The review of a submission: address, name and status of its player, evidence, what was decided, and notes."""
    address, name, status, evidence, *decided, notes = beside
    decoded: list[Any] = [*decided, _notes.decode(notes)]
    return Review(item, address, name, status, _evidence.decode(evidence), *decoded)
