"""Held submissions, for those who decide them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from scoreboard.clock import MILLISECOND, rfc3339
from scoreboard.model import BoardId, Evidence, HistoryItem, Label, PlayerId
from scoreboard.oversight import Note, Review, ReviewState
from scoreboard.wire.base import Deadline, Input, Limit, Output, SubmissionId, Text


class ReviewList(Input, frozen=True, kw_only=True):
    """Reviews in the order of their submissions, those after the submission `after`."""

    state: ReviewState | None = None
    board: BoardId | None = None
    player_id: PlayerId | None = None
    rule: Label | None = None
    after: SubmissionId | None = None
    limit: Limit = 50


class ReviewRef(Input, frozen=True, kw_only=True):
    submission_id: SubmissionId


class ClaimReview(ReviewRef, frozen=True, kw_only=True):
    lease_s: Annotated[int, Meta(ge=10, le=3_600)] = 300


class ApproveReview(ReviewRef, frozen=True, kw_only=True):
    reason: Text = ""


class RejectReview(ReviewRef, frozen=True, kw_only=True):
    """`ban` bans the player with it: until `banned_until`, for ever unless told."""

    reason: Text = ""
    ban: Annotated[bool, Meta(examples=[True])] = False
    banned_until: Deadline | None = None


class NoteReview(ReviewRef, frozen=True, kw_only=True):
    text: Annotated[str, Meta(min_length=1, max_length=2000, examples=["Asked for a video."])]


class DecideReviews(Input, frozen=True, kw_only=True):
    """One decision on many; `ban` and `banned_until` as in a rejection."""

    submission_ids: Annotated[tuple[SubmissionId, ...], Meta(min_length=1, max_length=100)]
    decision: Literal["approve", "reject"]
    reason: Text = ""
    ban: bool = False
    banned_until: Deadline | None = None


class NoteOut(Output, frozen=True, kw_only=True):
    at: str
    by: str
    text: str


class ReviewOut(Output, frozen=True, kw_only=True):
    submission_id: str
    board: str
    player_id: str
    player_name: str
    player_status: str
    action: str | None
    score: int
    tiebreakers: tuple[int, ...]
    metadata: Any
    address: str
    at: str
    evidence: tuple[Evidence, ...]
    rules_revision: int
    state: ReviewState
    claimed_by: str | None
    lease_until: str | None
    decided_by: str | None
    decided_at: str | None
    reason: str | None
    notes: tuple[NoteOut, ...]


class ReviewsOut(Output, frozen=True, kw_only=True):
    """A page; `next` is what to ask for `after`, None at the end. `open` counts all that wait, up to 10,000."""

    reviews: tuple[ReviewOut, ...]
    next: str | None
    open: int


class PointOut(Output, frozen=True, kw_only=True):
    """One of a player's submissions; `interval_ms` is the time since the one before, None for the first shown."""

    submission_id: str
    action: str | None
    score: int
    at: str
    state: str
    interval_ms: int | None


class SampleOut(Output, frozen=True, kw_only=True):
    """What others did on the board of late: scores, and times between two submissions of one player, both sorted."""

    scores: tuple[int, ...]
    intervals_ms: tuple[int, ...]


class ReviewFileOut(Output, frozen=True, kw_only=True):
    """A review, the player's newest submissions on the board, oldest first, and what to compare them with."""

    review: ReviewOut
    recent: tuple[PointOut, ...]
    sample: SampleOut


class DecidedOut(Output, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one review; `code` and `title` where it could not be decided."""

    submission_id: str
    state: str
    code: str | UnsetType = UNSET
    title: str | UnsetType = UNSET


class DecisionsOut(Output, frozen=True, kw_only=True):
    reviews: tuple[DecidedOut, ...]


def review_out(review: Review) -> ReviewOut:
    """A review as shown."""
    item = review.submission
    return ReviewOut(
        submission_id=item.id,
        board=item.board,
        player_id=item.player_id,
        player_name=review.player_name,
        player_status=review.player_status,
        action=item.action,
        score=item.score,
        tiebreakers=item.tiebreakers,
        metadata=None if item.metadata is None else msgspec.json.decode(item.metadata),
        address=review.address,
        at=rfc3339(item.accepted_at),
        evidence=review.evidence,
        rules_revision=review.rules_revision,
        state=review.state,
        claimed_by=review.claimed_by,
        lease_until=None if review.lease_until is None else rfc3339(review.lease_until),
        decided_by=review.decided_by,
        decided_at=None if review.decided_at is None else rfc3339(review.decided_at),
        reason=review.reason,
        notes=tuple(_note_out(note) for note in review.notes),
    )


def points_out(newest_first: Sequence[HistoryItem]) -> tuple[PointOut, ...]:
    """A player's submissions, oldest first, with the times between them."""
    items = newest_first[::-1]
    before: list[HistoryItem | None] = [None, *items[:-1]]
    return tuple(
        PointOut(
            submission_id=item.id,
            action=item.action,
            score=item.score,
            at=rfc3339(item.accepted_at),
            state=item.state,
            interval_ms=None if last is None else (item.accepted_at - last.accepted_at) // MILLISECOND,
        )
        for last, item in zip(before, items, strict=True)
    )


def _note_out(note: Note) -> NoteOut:
    return NoteOut(at=rfc3339(note.at), by=note.by, text=note.text)
