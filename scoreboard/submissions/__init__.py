"""The submission path's use cases: start an action, submit one score or many, undo one."""

import asyncio
from collections.abc import Sequence

import msgspec

from scoreboard import periods
from scoreboard.audit import Audit
from scoreboard.boards import Boards
from scoreboard.clock import rfc3339
from scoreboard.errors import (
    ActionTokenInvalid,
    ActionTokenUsed,
    NotFound,
    Overloaded,
    ScoreboardError,
)
from scoreboard.pipeline import Done, Judged, Pipeline, Rank
from scoreboard.storage.base import Storage
from scoreboard.submissions.answers import batch_item_out, first_result, rejection, score_out
from scoreboard.submissions.judge import Judge, Refused
from scoreboard.tokens import ActionTokens, Claims
from scoreboard.wire import ActionStarted, BatchItem, BatchItemOut, ScoreOut, StartAction, Void, VoidOut

__all__ = ["Judge", "Refused", "Submissions"]


class Submissions:
    """Carries judged submissions through the pipeline and answers for them."""

    def __init__(
        self,
        boards: Boards,
        judge: Judge,
        actions: ActionTokens,
        pipeline: Pipeline,
        rank: Rank,
        storage: Storage,
        audit: Audit,
    ) -> None:
        self._boards = boards
        self._judge = judge
        self._actions = actions
        self._pipeline = pipeline
        self._rank = rank
        self._storage = storage
        self._audit = audit

    def start(self, request: StartAction, claims: Claims) -> ActionStarted:
        """A one-time token for an action of the player. Raises NotFound for an unknown board or action."""
        rule = self._boards.get(request.board).settings.actions.get(request.action)
        if rule is None:
            raise NotFound(f"The board {request.board!r} has no action {request.action!r}.")
        token, expires_at = self._actions.issue(claims.player_id, request.board, request.action, rule.ttl_s)
        return ActionStarted(
            action_token=token,
            action=request.action,
            expires_at=rfc3339(expires_at),
            min_duration_ms=rule.min_duration_ms,
            max_score=rule.max_score,
        )

    async def submit(self, judged: Judged) -> ScoreOut:
        """Commit, rank and publish a judged submission; answers once it is durable.

        Raises ActionTokenUsed where another use was first, the error of a rejection, OutcomeUnknown or Unavailable.
        """
        try:
            future = self._pipeline.put(judged)
        except Overloaded:
            await self._judge.release(judged)
            raise
        done = await future
        if done.outcome.mismatch:
            raise ActionTokenInvalid("This action id belongs to another submission.")
        if done.outcome.repeat:
            raise ActionTokenUsed(result=first_result(done.outcome, done.placing))
        if (fault := rejection(done.outcome)) is not None:
            raise fault
        submission = judged.submission
        return score_out(done.outcome, await self._rank.own(submission.periods[0], submission.player_id, done.placing))

    async def submit_batch(
        self, items: Sequence[BatchItem], judged: Sequence[Judged | Refused]
    ) -> tuple[BatchItemOut, ...]:
        """Carry each judged item; items commit independently, those of one player in order.

        Raises Overloaded where the batch does not fit into the queue; then nothing is done.
        """
        if not self._pipeline.has_room(len(judged)):
            raise Overloaded("Too many writes are waiting.", retry_after_s=1)
        carried = [one if isinstance(one, Refused) else self._pipeline.put(one) for one in judged]
        results = [one.fault if isinstance(one, Refused) else await _result(one) for one in carried]
        return tuple(batch_item_out(item, result) for item, result in zip(items, results, strict=True))

    async def void(self, request: Void, actor: str) -> VoidOut:
        """Take a submission out of the standings, by an official's decision. Raises NotFound where there is none."""
        item = await self._storage.submission(request.submission_id)
        if item is None:
            raise NotFound("There is no such submission.")
        board = self._boards.get(item.board)
        detail = {"board": board.id, "player_id": item.player_id, "reason": request.reason}
        entry = self._audit.entry("submission.void", actor, item.id, **detail)
        within = periods.board_periods(board, item.accepted_at)
        voided = await self._audit.within(
            [entry],
            lambda entries: self._storage.void(board, item.id, within, entries),
            written=lambda voided: voided is not None and voided.done,
        )
        if voided is None:
            raise NotFound("There is no such submission.")
        await self._rank.project(voided.changes, (), voided.outbox_id)
        placing = await self._rank.place(within[0], item.player_id) if within else None
        standing = None if placing is None or placing.position is None else msgspec.structs.asdict(placing)
        return VoidOut(submission_id=item.id, board=board.id, player_id=item.player_id, standing=standing)


async def _result(future: "asyncio.Future[Done]") -> Done | ScoreboardError:
    try:
        return await future
    except ScoreboardError as fault:
        return fault
