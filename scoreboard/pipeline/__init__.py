"""From a judged submission to a moved board: commit, rank, publish, in batches."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from scoreboard.metrics import Metrics
from scoreboard.model import Committed, Placing
from scoreboard.pipeline.auditor import Auditor
from scoreboard.pipeline.batcher import Batcher
from scoreboard.pipeline.commit import Commit, Judged
from scoreboard.pipeline.hidden import Hidden
from scoreboard.pipeline.history import Extent, Misfolded, compare_history
from scoreboard.pipeline.outbox import Outbox
from scoreboard.pipeline.publish import Publish
from scoreboard.pipeline.rank import Rank
from scoreboard.pipeline.rebuild import Rebuilder
from scoreboard.pipeline.retention import forget_old
from scoreboard.pipeline.verify import Drift, Verifier
from scoreboard.storage.base import Committal
from scoreboard.tasks import Tasks

__all__ = [
    "Auditor",
    "Batcher",
    "Commit",
    "CommitStep",
    "Done",
    "Drift",
    "Extent",
    "Hidden",
    "Judged",
    "Misfolded",
    "Outbox",
    "Pipeline",
    "Publish",
    "PublishStep",
    "Rank",
    "Rebuilder",
    "Verifier",
    "compare_history",
    "forget_old",
]

log = logging.getLogger(__name__)


CommitStep = Callable[[Sequence[Judged]], Awaitable[Committal]]
"""Makes a batch durable; `Commit` is one."""

PublishStep = Callable[[Committal], None]
"""Tells of a batch that is ranked; `Publish` is one."""


class Done(Struct, frozen=True):
    """A submission's outcome and where its player stands on the board's first window (None if not known)."""

    outcome: Committed
    placing: Placing | None


class Pipeline:
    """Carries judged submissions, at most one per board and player at a time; nobody is answered before the commit."""

    def __init__(
        self,
        commit: CommitStep,
        rank: Rank,
        publish: PublishStep,
        tasks: Tasks,
        metrics: Metrics,
        *,
        batch_max: int,
        queue_max: int,
    ) -> None:
        self._metrics = metrics
        self._commit = commit
        self._rank = rank
        self._publish = publish
        self._batcher: Batcher[Judged, Done] = Batcher(
            "submissions", self._carry, _board_and_player, tasks, batch_max=batch_max, queue_max=queue_max
        )
        self.put = self._batcher.put
        self.has_room = self._batcher.has_room
        self.drained = self._batcher.drained

    async def _carry(self, batch: list[Judged]) -> Awaitable[Sequence[Done]]:
        with self._metrics.commit_seconds.time():
            committal = await self._commit(batch)
        return self._finish(batch, committal)

    async def _finish(self, batch: list[Judged], committal: Committal) -> Sequence[Done]:
        """What follows the commit: whatever fails here, the scores are durable and are answered as such."""
        try:
            placings = await self._rank(committal)
            self._publish(committal)
            self._count(batch, committal)
            return [
                Done(outcome, await self._of_first_use(outcome) if outcome.repeat else placing)
                for outcome, placing in zip(committal.outcomes, placings, strict=True)
            ]
        except Exception:  # nobody may be told that a score failed which is in the database
            log.exception("%d scores were committed, but what follows failed", len(batch))
            return [Done(outcome, None) for outcome in committal.outcomes]

    async def _of_first_use(self, outcome: Committed) -> Placing | None:
        """Where the player stands whose action id came once more; nobody else is told."""
        return None if outcome.mismatch else await self._rank.place_now(outcome.board, outcome.player_id)

    def _count(self, batch: Sequence[Judged], committal: Committal) -> None:
        self._metrics.batch_rows.observe(len(committal.outcomes))
        statuses = Counter([outcome.status for outcome in committal.outcomes if not outcome.repeat])
        for status, count in statuses.items():
            self._metrics.submissions.labels(status).inc(count)
        objections = Counter(
            [
                (evidence.rule, evidence.enforcement)
                for judged, outcome in zip(batch, committal.outcomes, strict=True)
                if not outcome.repeat
                for evidence in judged.submission.evidence
            ]
        )
        for labels, count in objections.items():
            self._metrics.objections.labels(*labels).inc(count)


def _board_and_player(judged: Judged) -> tuple[str, str]:
    return judged.submission.board, judged.submission.player_id
