"""Rank: committed standings are projected to the ranking, which publishes what changed."""

import logging
from collections.abc import Sequence

from scoreboard.boards import Boards
from scoreboard.errors import Unavailable
from scoreboard.model import BoardPeriod, Placing, Projection
from scoreboard.pipeline.hidden import Hidden
from scoreboard.pipeline.outbox import Outbox
from scoreboard.pipeline.rebuild import Rebuilder
from scoreboard.ranking.base import NotLoaded, Ranking
from scoreboard.storage.base import Committal

log = logging.getLogger(__name__)

PATIENCE_S = 0.25
"""How long an answer waits for a ranking that has to be loaded first; without it, it tells no position."""


class Rank:
    """Projects what transactions moved and answers where the players stand."""

    def __init__(self, ranking: Ranking, rebuilder: Rebuilder, boards: Boards, outbox: Outbox, hidden: Hidden) -> None:
        self._ranking = ranking
        self._rebuilder = rebuilder
        self._boards = boards
        self._outbox = outbox
        self._hidden = hidden

    async def __call__(self, committal: Committal) -> list[Placing | None]:
        """Project a committed batch; where each of its players stands, None where that is not known."""
        changes: list[Projection] = []
        wanted: list[int] = []
        for outcome in committal.outcomes:
            if outcome.changes:
                wanted.append(len(changes))  # the board's first window, which is answered
                changes += outcome.changes
        placings = iter(await self.project(changes, wanted, committal.outbox_id))
        placed = [next(placings, None) if outcome.changes else None for outcome in committal.outcomes]
        if self._boards.frozen:  # what changed there is no more than a name
            frozen = self._boards.frozen
            return [None if each.board in frozen else one for each, one in zip(committal.outcomes, placed, strict=True)]
        return placed

    async def project(
        self, changes: Sequence[Projection], wanted: Sequence[int], outbox_id: int | None
    ) -> Sequence[Placing | None]:
        """Project standings of one transaction and note its outbox row as done; where the `wanted` of them stand.

        Empty where the ranking cannot be reached, which the outbox makes good.
        """
        if not changes:
            return ()
        try:
            placings = await self._outbox.project(changes, wanted, () if outbox_id is None else (outbox_id,))
            return placings if None not in placings else await self._placed(changes, wanted, placings)
        except Unavailable as fault:  # the scores are durable: whatever ails the ranking must not deny them
            log.debug("%d standings could not be ranked; the outbox keeps them: %s", len(changes), fault)
        except Exception:  # as above, and a fault of ours
            log.exception("%d standings could not be ranked; the outbox keeps them", len(changes))
        return ()

    async def _placed(
        self, changes: Sequence[Projection], wanted: Sequence[int], placings: Sequence[Placing | None]
    ) -> Sequence[Placing | None]:
        """Those that are missing too: the first score of a new day finds no ranking there yet. Load it, look again."""
        placed: list[Placing | None] = []
        for index, placing in zip(wanted, placings, strict=True):
            if placing is None:
                change = changes[index]
                await self._rebuilder.ensure_soon(change.period, PATIENCE_S)
                placing = await self.place(change.period, change.player_id)
            placed.append(placing)
        return placed

    async def place(self, period: BoardPeriod, player_id: str) -> Placing | None:
        """Where a player stands now; None where that cannot be told, or must not: on a frozen board."""
        if period.board in self._boards.frozen:
            return None
        try:
            (placing,) = await self._ranking.placings(period, [player_id])
        except (NotLoaded, Unavailable):
            return None
        return await self.own(period, player_id, placing)

    async def own(self, period: BoardPeriod, player_id: str, placing: Placing | None) -> Placing | None:
        """What the player with this placing is told: a hidden one, where they would stand; None on a frozen board."""
        if period.board in self._boards.frozen:
            return None
        if player_id not in self._hidden:
            return placing
        return await self._hidden.placing(period, player_id) or placing

    async def place_now(self, board_id: str, player_id: str) -> Placing | None:
        """Where a player stands in the current period of the board's first window."""
        current = self._boards.current(self._boards.get(board_id))
        return await self.place(current[0], player_id) if current else None
