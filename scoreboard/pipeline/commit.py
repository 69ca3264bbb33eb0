"""Commit: a batch of judged submissions becomes durable in one transaction."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from scoreboard.admission.base import Admissions
from scoreboard.clock import Clock
from scoreboard.errors import OutcomeUnknown
from scoreboard.model import Board, Committed, Submission
from scoreboard.storage.base import Committal, Storage

UNSTORED = frozenset({"player_banned", "score_out_of_range", "not_found", "unavailable", "period_closed"})
"""Rejections of the transaction itself: nothing was kept, so the action id stays free."""


class Judged(Struct, frozen=True):
    """A submission that has been before the rules, and its board. Only the judge makes these."""

    board: Board
    submission: Submission


class Commit:
    """Writes batches to the system of record and tells the admission state what became of each action id."""

    def __init__(self, storage: Storage, admissions: Admissions, clock: Clock, timeout_s: float) -> None:
        self._storage = storage
        self._admissions = admissions
        self._clock = clock
        self._timeout_s = timeout_s

    async def __call__(self, batch: Sequence[Judged]) -> Committal:
        """One transaction for the batch.

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
        await self._admissions.settle(
            [
                (submission, outcome if _is_stored(outcome) else None)
                for submission, outcome in zip(submissions, committal.outcomes, strict=True)
            ]
        )
        return committal


def _is_stored(outcome: Committed) -> bool:
    return outcome.code not in UNSTORED and not outcome.mismatch
