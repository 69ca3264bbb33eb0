"""The review queue: held submissions are looked at by one moderator at a time and decided once."""

from collections.abc import Sequence
from itertools import pairwise

from scoreboard import periods
from scoreboard.audit import Audit
from scoreboard.boards import Boards
from scoreboard.clock import MILLISECOND, SECOND, Clock
from scoreboard.errors import Conflict, NotFound, ScoreboardError
from scoreboard.model import HistoryItem
from scoreboard.oversight import MAX_NOTES, Ban, Decision, Note, Review, ReviewFilter
from scoreboard.pipeline import Rank
from scoreboard.reviews.official import Official, future
from scoreboard.reviews.players import Moderation
from scoreboard.storage.base import Storage
from scoreboard.wire import (
    ApproveReview,
    ClaimReview,
    DecidedOut,
    DecideReviews,
    NoteReview,
    RejectReview,
    ReviewFileOut,
    ReviewList,
    ReviewOut,
    ReviewRef,
    ReviewsOut,
    SampleOut,
    points_out,
    review_out,
)

RECENT = 100
"""The player's submissions shown with a review."""

SAMPLE_LOOKED_AT = 20_000
SAMPLE = 500
"""Submissions to compare them with: so many of the board, among so many of all boards."""


class ReviewQueue:
    """Lists, claims and decides. Of two decisions on one case the second is told of a conflict."""

    def __init__(
        self, storage: Storage, boards: Boards, moderation: Moderation, rank: Rank, audit: Audit, clock: Clock
    ) -> None:
        self._storage = storage
        self._boards = boards
        self._moderation = moderation
        self._rank = rank
        self._audit = audit
        self._clock = clock

    async def list(self, asked: ReviewList) -> ReviewsOut:
        """A page of reviews, the oldest submission first, and how many wait."""
        wanted = ReviewFilter(asked.state, asked.board, asked.player_id, asked.rule)
        found = await self._storage.reviews(wanted, asked.after, asked.limit + 1)
        shown = found[: asked.limit]
        return ReviewsOut(
            reviews=tuple(review_out(review) for review in shown),
            next=shown[-1].submission.id if len(found) > asked.limit else None,
            open=await self._storage.open_reviews(),
        )

    async def get(self, asked: ReviewRef) -> ReviewFileOut:
        """One review with what to judge it by. Raises NotFound."""
        review = await self._get(asked.submission_id)
        item = review.submission
        recent = await self._storage.history(item.board, item.player_id, None, RECENT)
        sample = await self._storage.board_sample(item.board, SAMPLE_LOOKED_AT, SAMPLE)
        return ReviewFileOut(review=review_out(review), recent=points_out(recent), sample=_sample_out(sample))

    async def claim(self, asked: ClaimReview, official: Official) -> ReviewOut:
        """Take a review for a while, or for longer. Raises NotFound, and Conflict where it is not to be had."""
        now = self._clock.now()
        until = now + asked.lease_s * SECOND
        claimed = await self._storage.claim_review(asked.submission_id, official.name, now, until)
        review = await self._get(asked.submission_id)
        if not claimed:
            taken = review.state == "open"
            raise Conflict("Another moderator has claimed this review." if taken else "This review was decided.")
        return review_out(review)

    async def release(self, asked: ReviewRef, official: Official) -> ReviewOut:
        """Give a claim back. Raises NotFound, and Conflict where it is not one's own."""
        released = await self._storage.release_review(asked.submission_id, official.name)
        review = await self._get(asked.submission_id)
        if not released:
            raise Conflict("You have not claimed this review.")
        return review_out(review)

    async def note(self, asked: NoteReview, official: Official) -> ReviewOut:
        """Write a note on a review. Raises NotFound, and Conflict where it has too many."""
        note = Note(self._clock.now(), official.name, asked.text)
        added = await self._audit.within(
            [self._audit.entry("review.note", official.name, asked.submission_id)],
            lambda entries: self._storage.note_review(asked.submission_id, note, entries),
            written=bool,
        )
        review = await self._get(asked.submission_id)
        if not added:
            raise Conflict(f"A review takes {MAX_NOTES} notes.")
        return review_out(review)

    async def approve(self, asked: ApproveReview, official: Official) -> ReviewOut:
        """Count the submission at its own time and in its own period, which may be over.

        Raises NotFound, Conflict where it was decided or claimed by another, ScoreOutOfRange.
        """
        item = (await self._get(asked.submission_id)).submission
        board = self._boards.get(item.board)
        decision = self._decision(asked.submission_id, official, asked.reason)
        within = periods.board_periods(board, item.accepted_at)
        decided = await self._audit.within(
            [self._audit.entry("review.approve", official.name, item.id, **_told(item, asked.reason))],
            lambda entries: self._storage.approve(board, within, decision, entries),
        )
        await self._rank.project(decided.changes, (), decided.outbox_id)
        return review_out(await self._get(item.id))

    async def reject(self, asked: RejectReview, official: Official) -> ReviewOut:
        """Drop the submission, and ban its player if told.

        Raises NotFound, Conflict where it was decided or claimed by another, Forbidden for a ban that is not theirs to
        speak, BadRequest for one that ends in the past.
        """
        item = (await self._get(asked.submission_id)).submission
        decision = self._decision(asked.submission_id, official, asked.reason)
        acts = [self._audit.entry("review.reject", official.name, item.id, **_told(item, asked.reason))]
        ban = None
        if asked.ban:
            await self._moderation.check(item.player_id, official)
            ban = Ban(future(asked.banned_until, "banned_until", decision.at))
            acts.append(self._moderation.ban_entry(item.player_id, official, asked.reason, asked.banned_until, item.id))
        decided = await self._audit.within(acts, lambda entries: self._storage.reject(decision, ban, entries))
        if ban is not None:
            await self._moderation.enforce(item.player_id, "banned", decided)
        return review_out(await self._get(item.id))

    async def decide(self, asked: DecideReviews, official: Official) -> tuple[DecidedOut, ...]:
        """The same decision on many; each succeeds or fails by itself."""
        return tuple([await self._decide(each, asked, official) for each in dict.fromkeys(asked.submission_ids)])

    async def _decide(self, submission_id: str, asked: DecideReviews, official: Official) -> DecidedOut:
        try:
            if asked.decision == "approve":
                review = await self.approve(ApproveReview(submission_id=submission_id, reason=asked.reason), official)
            else:
                rejection = RejectReview(
                    submission_id=submission_id, reason=asked.reason, ban=asked.ban, banned_until=asked.banned_until
                )
                review = await self.reject(rejection, official)
        except ScoreboardError as fault:
            return DecidedOut(
                submission_id=submission_id, state="failed", code=fault.code, title=fault.detail or fault.title
            )
        return DecidedOut(submission_id=submission_id, state=review.state)

    async def _get(self, submission_id: str) -> Review:
        review = await self._storage.review(submission_id)
        if review is None:
            raise NotFound("There is no such review.")
        return review

    def _decision(self, submission_id: str, official: Official, reason: str) -> Decision:
        return Decision(submission_id, official.name, self._clock.now(), reason)


def _told(item: HistoryItem, reason: str) -> dict[str, object]:
    return {"board": item.board, "player_id": item.player_id, "score": item.score, "reason": reason}


def _sample_out(items: Sequence[HistoryItem]) -> SampleOut:
    times: dict[str, list[int]] = {}
    for item in items:  # the newest first
        times.setdefault(item.player_id, []).append(item.accepted_at)
    intervals = [later - earlier for each in times.values() for later, earlier in pairwise(each)]
    return SampleOut(
        scores=tuple(sorted(item.score for item in items)),
        intervals_ms=tuple(sorted(interval // MILLISECOND for interval in intervals)),
    )
