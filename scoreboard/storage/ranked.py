"""The first rows of a period as the database has them, with their positions and ranks."""

from collections.abc import Sequence

from scoreboard.model import Board, Row
from scoreboard.order import order_keys


def ranked(board: Board, keyed: Sequence[tuple[bytes, str]]) -> tuple[Row, ...]:
    """Rows from the order keys and names of a period's first standings, best first."""
    keys = order_keys(board.settings)
    rows: list[Row] = []
    for position, (key, name) in enumerate(keyed, start=1):
        rank = rank_below(board, rows[-1] if rows else None, key, position)
        score, tiebreakers, achieved_at, player_id = keys.decode(key)
        rows.append(Row(position, rank, player_id, name, score, tiebreakers, achieved_at, key))
    return tuple(rows)


def rank_below(board: Board, above: Row | None, key: bytes, position: int) -> int:
    """The rank of what stands below a row, None for the first."""
    keys = order_keys(board.settings)
    if above is None or board.settings.rank == "unique":
        return position
    if keys.group(above.key) == keys.group(key):
        return above.rank
    return above.rank + 1 if board.settings.rank == "dense" else position
