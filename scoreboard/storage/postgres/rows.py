"""Rows as values, and values as what a statement takes."""

from collections.abc import Sequence
from typing import Any

import msgspec

from scoreboard.model import BoardPeriod, Projection


def encode(value: object) -> str:
    """A value as JSON text, for a statement that takes many at once."""
    return msgspec.json.encode(value).decode()


def projection(row: Sequence[Any]) -> Projection:
    """A standing: board, window, period, player, revision, order key, name and its revision."""
    board, window, period, player_id, revision, key, name, name_revision = row
    return Projection(
        BoardPeriod(board, window, period),
        player_id,
        revision,
        None if key is None else bytes(key),
        name,
        name_revision,
    )
