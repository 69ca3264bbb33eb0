"""Standings folded from a history: what a board's new window begins with."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from scoreboard.errors import ScoreOutOfRange
from scoreboard.fold import Counted, Standing, fold
from scoreboard.model import BoardSettings
from scoreboard.periods import period_at


class CountedRow(NamedTuple):
    """A counted submission and its player with their status."""

    player_id: str
    status: str
    accepted_at: int
    id: str
    score: int
    tiebreakers: tuple[int, ...]


class Refolded(NamedTuple):
    """A player's standing in a period."""

    player_id: str
    status: str
    period: str
    standing: Standing


def refold(settings: BoardSettings, window: str, rows: Iterable[CountedRow]) -> Iterator[Refolded]:
    """The standings of a window. `rows` come player by player, each in fold order, so periods do too.

    Raises ScoreOutOfRange where a sum is, and BadRequest for a submission in a year that has no periods.
    """

    def standing_of(row: CountedRow) -> tuple[str, str, str | None]:
        return row.player_id, row.status, period_at(settings, window, row.accepted_at)

    for (player_id, status, period), some in groupby(rows, standing_of):
        if period is None:  # outside the season
            continue
        try:
            standing = fold(settings, (Counted(row.accepted_at, row.id, row.score, row.tiebreakers) for row in some))
        except ScoreOutOfRange:
            raise ScoreOutOfRange(f"In {window} {period} the sum of {player_id} would be beyond 2^53-1.") from None
        if standing is not None:
            yield Refolded(player_id, status, period, standing)


async def players_of(pages: AsyncIterable[list[CountedRow]]) -> AsyncIterator[list[CountedRow]]:
    """Pages of rows as pages that end with a player's last row."""
    held: list[CountedRow] = []
    async for page in pages:
        held += page
        last = held[-1].player_id
        whole = [row for row in held if row.player_id != last]
        if whole:
            yield whole
            held = held[len(whole) :]
    if held:
        yield held
