"""The first rows of a period as the database has them, with their positions and ranks."""

from collections.abc import Sequence

from scoreboard.clock import rfc3339
from scoreboard.model import Board, BoardPeriod, Page, Row
from scoreboard.order import order_keys

Ranked = tuple[bytes, int]
"""An order key and its rank."""


def ranked(board: Board, period: BoardPeriod, total: int, keyed: Sequence[tuple[bytes, str]]) -> Page:
    """A page, marked stale, from the order keys and names of a period's first standings, best first."""
    decode = order_keys(board.settings).decode
    rows: list[Row] = []
    above: Ranked | None = None
    for position, (key, name) in enumerate(keyed, start=1):
        rank = rank_below(board, above, key, position)
        above = key, rank
        score, tiebreakers, achieved_at, player_id = decode(key)
        rows.append(Row(position, rank, player_id, name, score, rfc3339(achieved_at), tiebreakers))
    return Page(period, None, None, total, tuple(rows), tuple(key for key, _ in keyed), stale=True)


def rank_below(board: Board, above: Ranked | None, key: bytes, position: int) -> int:
    """The rank of what stands below something else, None for the first."""
    keys = order_keys(board.settings)
    if above is None or board.settings.rank == "unique":
        return position
    shared, rank = above
    if keys.group(shared) == keys.group(key):
        return rank
    return rank + 1 if board.settings.rank == "dense" else position
