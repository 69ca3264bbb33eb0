"""Actions, scores and batches of them."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from scoreboard.model import BoardId, Label, PlayerId, Score, Status
from scoreboard.wire.base import Flat, Input, Name, Output, Tiebreakers, Token

BATCH_ITEM = {"id": "evt-1", "player_id": "steam:7656", "board": "main", "score": 25}
"""One as an example."""


class StartAction(Input, frozen=True, kw_only=True):
    board: BoardId
    action: Annotated[Label, Meta(examples=["coin"])]


class ActionStarted(Output, frozen=True, kw_only=True):
    action_token: str
    action: str
    expires_at: str
    min_duration_ms: int
    max_score: int | None


class ScoreUpdate(Input, frozen=True, kw_only=True):
    board: BoardId
    action_token: Token
    score: Score
    tiebreakers: Tiebreakers = ()
    metadata: Flat | None = None


class BatchItem(Input, frozen=True, kw_only=True):
    player_id: PlayerId
    board: BoardId
    score: Score
    id: Annotated[str, Meta(min_length=1, max_length=128, examples=["evt-1"])] | None = None
    name: Name | None = None
    tiebreakers: Tiebreakers = ()
    metadata: Flat | None = None
    at: Annotated[str, Meta(max_length=40)] | None = None


class Batch(Input, frozen=True, kw_only=True):
    items: Annotated[tuple[BatchItem, ...], Meta(min_length=1, max_length=1000, examples=[[BATCH_ITEM]])]


class ScoreOut(Output, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a submission; a held or rejected one has no numbers."""

    status: Status
    submission_id: str
    board: str
    applied: bool | UnsetType = UNSET
    score: int | None | UnsetType = UNSET
    previous: int | None | UnsetType = UNSET
    position: int | None | UnsetType = UNSET
    rank: int | None | UnsetType = UNSET
    version: int | None | UnsetType = UNSET
    code: str | UnsetType = UNSET


class BatchItemOut(Output, frozen=True, kw_only=True, omit_defaults=True):
    """One item's outcome; `code` and `title` where it was rejected or could not be done."""

    id: str | UnsetType = UNSET
    player_id: str
    board: str
    status: Status
    submission_id: str | UnsetType = UNSET
    applied: bool | UnsetType = UNSET
    score: int | None | UnsetType = UNSET
    previous: int | None | UnsetType = UNSET
    position: int | None | UnsetType = UNSET
    rank: int | None | UnsetType = UNSET
    version: int | None | UnsetType = UNSET
    code: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    temporary: bool | UnsetType = UNSET


class BatchOut(Output, frozen=True, kw_only=True):
    items: tuple[BatchItemOut, ...]
