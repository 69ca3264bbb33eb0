"""Judge: what a client claims becomes a submission, or is refused. There is no other way to the commit."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from scoreboard import periods
from scoreboard.accounts import Accounts
from scoreboard.admission.base import Admission, Admissions, Knock
from scoreboard.anticheat import JUST, Claimed, Referee
from scoreboard.boards import Boards
from scoreboard.clock import DAY, HOUR, Clock, from_datetime, uuid7
from scoreboard.errors import (
    ActionTokenInvalid,
    ActionTokenUsed,
    BadRequest,
    Forbidden,
    IdempotencyMismatch,
    PeriodClosed,
    PlayerBanned,
    RateLimited,
    ScoreboardError,
    ScoreOutOfRange,
    Unauthenticated,
)
from scoreboard.limits import network_of
from scoreboard.model import ApiKey, Board, BoardPeriod, Submission
from scoreboard.names import clean_name
from scoreboard.pipeline import Judged, Rank
from scoreboard.storage.base import Storage
from scoreboard.submissions.answers import first_result
from scoreboard.tokens import ActionClaims, ActionTokens, Claims
from scoreboard.wire import BatchItem, ScoreUpdate

MAX_METADATA_BYTES = 2048
KEPT_AFTER_EXPIRY = HOUR
"""How long a token's action id is kept beyond its expiry, for clocks that differ."""
BATCH_IDS_KEPT = 30 * DAY
"""How long the item ids of API keys are kept."""


class Refused(Struct, frozen=True):
    """An item of a batch that the judge did not let through."""

    fault: ScoreboardError


class Judge:
    """Checks tokens, asks for admission and puts each claim before the rules."""

    def __init__(
        self,
        boards: Boards,
        accounts: Accounts,
        actions: ActionTokens,
        admissions: Admissions,
        rank: Rank,
        storage: Storage,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._boards = boards
        self._accounts = accounts
        self._actions = actions
        self._admissions = admissions
        self._rank = rank
        self._clock = clock
        self._referee = Referee()

    async def claim(self, claim: ScoreUpdate, claims: Claims, address: str) -> Judged:
        """Judge one score of a signed-in player.

        Raises NotFound, BadRequest, ActionTokenInvalid, ActionTokenExpired, ActionTokenUsed (with the first outcome),
        ScoreOutOfRange, PeriodClosed, Unauthenticated, PlayerBanned or RateLimited; none of them changes anything.
        """
        now = self._clock.now()
        board = self._boards.get(claim.board)
        action = self._actions.verify(claim.action_token, now, player_id=claims.player_id, board=claim.board)
        if action.action not in board.settings.actions:
            raise ActionTokenInvalid("The board has no such action any more.")
        metadata = _metadata(claim.metadata)
        _check_fit(board, claim.score, claim.tiebreakers)
        admission, at, within = await self._admit(claims, board, action, claim.score, now)
        judgement = self._referee.judge(
            board,
            Claimed(
                claims.player_id,
                action.action,
                claim.score,
                at,
                action.issued_at,
                admission.history,
                claims.born_at,
                network_of(address),
                admission.again,
            ),
        )
        submission = Submission(
            id=uuid7(at),
            action_id=action.jti,
            kept_until=action.expires_at + KEPT_AFTER_EXPIRY,
            player_id=claims.player_id,
            board=board.id,
            score=claim.score,
            tiebreakers=_padded(board, claim.tiebreakers),
            accepted_at=at,
            periods=within,
            status=judgement.verdict,
            code=judgement.code,
            action=action.action,
            metadata=metadata,
            evidence=judgement.evidence,
            address=address,
        )
        return Judged(board, submission)

    async def _admit(
        self, claims: Claims, board: Board, action: ActionClaims, score: int, at: int
    ) -> tuple[Admission, int, tuple[BoardPeriod, ...]]:
        """Ask until the answer is a decision; returns it with the instant it was made, and the periods open then."""
        while True:
            within = _open_periods(board, at)  # first: a closed season must leave no reservation behind
            knock = Knock(
                action_id=action.jti,
                player_id=claims.player_id,
                session_id=claims.session_id,
                board=board.id,
                action=action.action,
                at=at,
                kept_until=action.expires_at,
                score=score,
            )
            admission = await self._admissions.admit(knock)
            if admission.session == "unknown":
                await self._accounts.live(claims)
            elif admission.reserved == "in flight":
                await self._admissions.wait(knock)
            else:
                if not admission.granted:
                    await self._refuse(admission, knock)
                return admission, at, within
            at = self._clock.now()

    async def release(self, judged: Judged) -> None:
        """The submission was not taken after all: its action id may be tried again."""
        await self._admissions.settle([(judged.submission, None)])

    async def _refuse(self, admission: Admission, knock: Knock) -> None:
        if admission.session == "revoked":
            raise Unauthenticated("This session has ended.")
        if admission.session == "banned":
            raise PlayerBanned
        if admission.reserved == "done":
            outcome = admission.outcome or await self._storage.outcome(knock.action_id)
            if outcome is not None:
                placing = await self._rank.place_now(outcome.board, outcome.player_id)
                raise ActionTokenUsed(result=first_result(outcome, placing))
        if admission.retry_after_s is not None:
            raise RateLimited(
                "Too many scores from this player.",
                retry_after_s=admission.retry_after_s,
                quota=self._admissions.quota,
            )

    async def batch(
        self, items: Sequence[BatchItem], key: ApiKey, address: str, idempotency_key: str | None
    ) -> tuple[Judged | Refused, ...]:
        """Judge each item of a backend's batch; one that is refused does not stop the others.

        What is imported happened elsewhere and long ago: it is not put before the rules.

        Raises IdempotencyMismatch where another batch came under the same idempotency key before.
        """
        if idempotency_key is not None:
            claim = f"{key.id}/b/{idempotency_key}"
            if not await self._storage.claim(claim, _digest(items), self._clock.now() + BATCH_IDS_KEPT):
                raise IdempotencyMismatch
        identities = _identities(items, key, idempotency_key)
        return tuple(self._item(item, key, address, identity) for item, identity in zip(items, identities, strict=True))

    def _item(
        self, item: BatchItem, key: ApiKey, address: str, identity: tuple[str | None, bytes | None]
    ) -> Judged | Refused:
        action_id, fingerprint = identity
        try:
            board = self._boards.get(item.board)
            _check_fit(board, item.score, item.tiebreakers)
            now = self._clock.now()
            at = _counted_at(item, key, now)
            submission_id = uuid7(now)
            judgement = JUST if item.at is not None else self._referee.vouched(board, item.player_id, item.score, now)
            submission = Submission(
                id=submission_id,
                action_id=action_id or submission_id,
                kept_until=now + BATCH_IDS_KEPT,
                player_id=item.player_id,
                board=board.id,
                score=item.score,
                tiebreakers=_padded(board, item.tiebreakers),
                accepted_at=at,
                periods=_open_periods(board, at),
                status=judgement.verdict,
                code=judgement.code,
                metadata=_metadata(item.metadata),
                evidence=judgement.evidence,
                fingerprint=fingerprint,
                creates_player=not item.player_id.startswith("p_"),
                player_name=None if item.name is None else clean_name(item.name),
                address=address,
            )
        except ScoreboardError as fault:
            return Refused(fault)
        return Judged(board, submission)


def _check_fit(board: Board, score: int, tiebreakers: Sequence[int]) -> None:
    settings = board.settings
    if len(tiebreakers) > len(settings.tiebreakers):
        raise BadRequest(f"This board has {len(settings.tiebreakers)} tie columns, not {len(tiebreakers)}.")
    if not settings.min_score <= score <= settings.max_score:
        raise ScoreOutOfRange(f"This board takes scores from {settings.min_score} to {settings.max_score}.")


def _metadata(metadata: Mapping[str, str | int | float | bool | None] | None) -> str | None:
    if metadata is None:
        return None
    text = msgspec.json.encode(metadata)
    if len(text) > MAX_METADATA_BYTES:
        raise BadRequest(f"`metadata` is larger than {MAX_METADATA_BYTES} bytes.")
    return text.decode()


def _padded(board: Board, tiebreakers: Sequence[int]) -> tuple[int, ...]:
    return (*tiebreakers, *([0] * (len(board.settings.tiebreakers) - len(tiebreakers))))


def _open_periods(board: Board, at: int) -> tuple[BoardPeriod, ...]:
    within = periods.board_periods(board, at)
    if not within:
        raise PeriodClosed("No window of this board is open at that time.")
    return within


def _counted_at(item: BatchItem, key: ApiKey, now: int) -> int:
    """The instant an item counts at: now, or the one that an importing key gives."""
    if item.at is None:
        return now
    if "import" not in key.scopes:
        raise Forbidden("`at` needs an API key with the scope `import`.")
    try:
        moment = datetime.fromisoformat(item.at)
    except ValueError:
        raise BadRequest("`at` is not an RFC 3339 time.") from None
    if moment.tzinfo is None:
        raise BadRequest("`at` has no time zone.")
    at = from_datetime(moment)
    if at < 0:
        raise BadRequest("`at` lies before 1970.")
    if at > now:
        raise BadRequest("`at` lies in the future.")
    return at


def _identities(
    items: Sequence[BatchItem], key: ApiKey, idempotency_key: str | None
) -> list[tuple[str | None, bytes | None]]:
    """For each item its action id (None where it cannot be repeated safely) and the digest of what was asked."""
    if idempotency_key is not None:  # whose claim has told already that the whole batch is the same
        return [(f"{key.id}/b/{idempotency_key}/{index}", None) for index in range(len(items))]
    return [(None, None) if item.id is None else (f"{key.id}/i/{item.id}", _digest(item)) for item in items]


def _digest(asked: BatchItem | Sequence[BatchItem]) -> bytes:
    return hashlib.sha256(msgspec.json.encode(asked)).digest()
