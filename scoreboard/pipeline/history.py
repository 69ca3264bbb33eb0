"""Standings compared with the histories they are made of, many players or some, while scores come in."""

from collections.abc import AsyncIterator, Sequence
from typing import Literal

from msgspec import Struct

from scoreboard.model import Board, BoardPeriod
from scoreboard.storage.base import Refolded, Storage

Extent = Literal["none", "sample", "all"]
"""How many standings of a period are compared."""

PAGE = 50
"""Standings compared by one statement, and out of how many where a sample is."""

SAMPLED = 1_000
NAMED = 10


class Misfolded(Struct, frozen=True):
    """Of `compared` standings `differing` are not what their history comes to: those of `players`, and perhaps more."""

    compared: int = 0
    differing: int = 0
    players: tuple[str, ...] = ()


async def compare_history(storage: Storage, board: Board, period: BoardPeriod, extent: Extent) -> Misfolded:
    """Fold the histories of a period's standings anew and compare; nothing is changed. Raises Unavailable.

    A sample is `PAGE` standings of each `SAMPLED`. Standing and history are read at one moment, so what differs does.
    """
    compared, differing, players = 0, 0, list[str]()
    async for page in _pages(storage, board, period, extent):
        wrong = [each.player_id for each in page if not each.agrees]
        compared, differing = compared + len(page), differing + len(wrong)
        players += wrong[: NAMED - len(players)]
    return Misfolded(compared, differing, tuple(players))


async def _pages(
    storage: Storage, board: Board, period: BoardPeriod, extent: Extent
) -> AsyncIterator[Sequence[Refolded]]:
    after: str | None = None
    while extent != "none" and (page := await storage.refolded(board, period, after, PAGE)):
        yield page
        after = page[-1].player_id
        if extent == "sample" and (skipped := await storage.standings_of(period, after, SAMPLED - PAGE)):
            after = skipped[-1].player_id
