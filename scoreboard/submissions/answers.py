"""What a submission's outcome is answered with."""

from collections.abc import Mapping

import msgspec
from msgspec import UNSET, UnsetType

from scoreboard.errors import (
    IdempotencyMismatch,
    NotFound,
    OutcomeUnknown,
    PeriodClosed,
    PlayerBanned,
    RuleRejected,
    ScoreboardError,
    ScoreOutOfRange,
    Unavailable,
)
from scoreboard.model import Committed, Placing
from scoreboard.pipeline import Done
from scoreboard.wire import BatchItem, BatchItemOut, ScoreOut

_REJECTIONS: Mapping[str, type[ScoreboardError]] = {
    error.code: error
    for error in (PlayerBanned, ScoreOutOfRange, NotFound, PeriodClosed, RuleRejected, Unavailable, OutcomeUnknown)
}


def rejection(outcome: Committed) -> ScoreboardError | None:
    """The error that a rejected outcome is answered with; None for any other."""
    if outcome.status != "rejected":
        return None
    return _REJECTIONS[outcome.code or RuleRejected.code]()


def score_out(outcome: Committed, placing: Placing | None) -> ScoreOut:
    """The answer to a submission; one that is held tells nothing of why."""
    if outcome.status != "accepted":
        return ScoreOut(status=outcome.status, submission_id=outcome.submission_id, board=outcome.board)
    return ScoreOut(
        status=outcome.status,
        applied=outcome.applied,
        submission_id=outcome.submission_id,
        board=outcome.board,
        score=outcome.score,
        previous=outcome.previous,
        position=placing.position if placing else None,
        rank=placing.rank if placing else None,
        version=placing.version if placing else None,
    )


def first_result(outcome: Committed, placing: Placing | None) -> dict[str, object]:
    """The stored outcome of a first use, as the `result` of the error that a repeat gets."""
    result: dict[str, object] = msgspec.to_builtins(score_out(outcome, placing))
    if outcome.code is not None:
        result["code"] = outcome.code
    return result


def batch_item_out(item: BatchItem, result: Done | ScoreboardError) -> BatchItemOut:
    """One item's outcome; what is an error for a single score is a rejected item here."""
    fault = _fault(result)
    if fault is not None:
        return _rejected_item(item, fault)
    assert isinstance(result, Done)
    shown = score_out(result.outcome, result.placing)
    return BatchItemOut(
        id=_id(item),
        player_id=item.player_id,
        board=item.board,
        status=shown.status,
        submission_id=shown.submission_id,
        applied=shown.applied,
        score=shown.score,
        previous=shown.previous,
        position=shown.position,
        rank=shown.rank,
        version=shown.version,
    )


def _fault(result: Done | ScoreboardError) -> ScoreboardError | None:
    if isinstance(result, ScoreboardError):
        return result
    return IdempotencyMismatch() if result.outcome.mismatch else rejection(result.outcome)


def _id(item: BatchItem) -> str | UnsetType:
    return UNSET if item.id is None else item.id


def _rejected_item(item: BatchItem, fault: ScoreboardError) -> BatchItemOut:
    return BatchItemOut(
        id=_id(item),
        player_id=item.player_id,
        board=item.board,
        status="rejected",
        code=fault.code,
        title=fault.detail or fault.title,
        temporary=fault.temporary,
    )
