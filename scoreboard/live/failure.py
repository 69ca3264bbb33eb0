"""The one place that turns an error into a WebSocket message."""

from typing import Any

from msgspec import UNSET, UnsetType

from scoreboard.clock import MILLISECOND, SECOND
from scoreboard.errors import Quota, ScoreboardError
from scoreboard.wire import Pushed

MessageId = int | str


class Failure(Pushed, tag="error", frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong with the message `id`, or with a subscription that the server ended."""

    id: MessageId | UnsetType = UNSET
    code: str
    title: str
    temporary: bool
    detail: str | UnsetType = UNSET
    retry_after_ms: int | UnsetType = UNSET
    result: dict[str, Any] | UnsetType = UNSET
    quota: Quota | UnsetType = UNSET
    request_id: str | UnsetType = UNSET
    subscription: str | UnsetType = UNSET


def failure(
    error: ScoreboardError,
    message_id: MessageId | UnsetType = UNSET,
    *,
    request_id: str | UnsetType = UNSET,
    subscription: str | UnsetType = UNSET,
) -> Failure:
    """An error as its message."""
    wait_s = error.retry_after_s
    return Failure(
        id=message_id,
        code=error.code,
        title=error.title,
        temporary=error.temporary,
        detail=error.detail or UNSET,
        retry_after_ms=UNSET if wait_s is None else int(wait_s * SECOND) // MILLISECOND + 1,
        result=UNSET if error.result is None else error.result,
        quota=UNSET if error.quota is None else error.quota,
        request_id=request_id,
        subscription=subscription,
    )
