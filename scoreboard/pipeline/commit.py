"""Commit: a batch of judged submissions becomes durable in one transaction."""

import asyncio
import logging
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from scoreboard.admission.base import Admissions
from scoreboard.boards import Boards
from scoreboard.clock import Clock
from scoreboard.errors import OutcomeUnknown, ScoreboardError, Unavailable
from scoreboard.model import Board, Committed, Submission
from scoreboard.storage.base import Committal, Storage

log = logging.getLogger(__name__)

UNSTORED = frozenset(
    {"player_banned", "score_out_of_range", "not_found", "unavailable", "outcome_unknown", "period_closed"}
)
"""Rejections of the transaction itself: nothing was kept, as far as is known, so the action id stays free."""

TRIES_AGAIN = 3
"""How often a board may be frozen or revealed while a submission to it is on its way."""


class Judged(Struct, frozen=True):
    """A submission that has been before the rules, and its board. Only the judge makes these."""

    board: Board
    submission: Submission


class Commit:
    """Writes batches to the system of record and tells the admission state what became of each action id."""

    def __init__(
        self, storage: Storage, admissions: Admissions, boards: Boards, clock: Clock, timeout_s: float
    ) -> None:
        self._storage = storage
        self._admissions = admissions
        self._boards = boards
        self._clock = clock
        self._timeout_s = timeout_s

    async def __call__(self, batch: Sequence[Judged]) -> Committal:
        """One transaction for the batch, and one more for those whose board was frozen or revealed just then.

        Raises Unavailable where nothing was written, and OutcomeUnknown where that is not known, also after
        `timeout_s` seconds.
        """
        boards = [judged.board for judged in batch]
        submissions = [judged.submission for judged in batch]
        try:
            async with asyncio.timeout(self._timeout_s):
                committal = await self._storage.commit(boards, submissions, self._clock.now())
        except BaseException as fault:
            await self._admissions.settle([(submission, None) for submission in submissions])
            if isinstance(fault, TimeoutError):
                raise OutcomeUnknown(retry_after_s=1) from fault
            raise
        for _ in range(TRIES_AGAIN):
            if Unavailable.code not in [outcome.code for outcome in committal.outcomes]:
                break
            committal = await self._again(batch, committal)
        await self._admissions.settle(
            [
                (submission, outcome if _is_stored(outcome) else None)
                for submission, outcome in zip(submissions, committal.outcomes, strict=True)
            ]
        )
        return committal

    async def _again(self, batch: Sequence[Judged], committal: Committal) -> Committal:
        """The outcomes, with another one for each submission that was refused and is judged by the same settings."""
        try:
            await self._boards.freeze_due()
            await self._boards.refresh()
        except Exception as fault:  # whatever it is, the others are committed: these stay refused, and may come again
            _report(fault)
            return committal
        late = self._late(batch, committal)
        if not late:
            return committal
        try:
            async with asyncio.timeout(self._timeout_s):
                again = await self._storage.commit(
                    list(late.values()), [batch[index].submission for index in late], self._clock.now()
                )
        except Exception as fault:  # as above
            _report(fault)
            if isinstance(fault, ScoreboardError) and not isinstance(fault, OutcomeUnknown):
                return committal
            unknown = [replace(committal.outcomes[index], code=OutcomeUnknown.code) for index in late]
            again = Committal(tuple(unknown), None)
        found = dict(zip(late, again.outcomes, strict=True))
        outcomes = tuple([found.get(index, outcome) for index, outcome in enumerate(committal.outcomes)])
        # Of two rows in the outbox one is left to the sweeper.
        return Committal(outcomes, again.outbox_id if committal.outbox_id is None else committal.outbox_id)

    def _late(self, batch: Sequence[Judged], committal: Committal) -> dict[int, Board]:
        """The boards, as they are now, of those that were refused, by their places in the batch."""
        late = {}
        for index, (judged, outcome) in enumerate(zip(batch, committal.outcomes, strict=True)):
            if outcome.code == Unavailable.code:
                board = self._boards.renewed(judged.board)
                if board is not None:
                    late[index] = board
        return late


def _report(fault: Exception) -> None:
    """Log what nobody foresaw; the answers do not tell of it."""
    if not isinstance(fault, ScoreboardError | TimeoutError):
        log.error("a second commit failed", exc_info=fault)


def _is_stored(outcome: Committed) -> bool:
    return outcome.code not in UNSTORED and not outcome.mismatch
