"""Webhooks, as admins set them up, and what is sent to them."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from scoreboard.clock import rfc3339
from scoreboard.events import Arrears, Delivery, DeliveryState, EventName, Webhook
from scoreboard.model import BoardId, Row
from scoreboard.wire.base import Input, Limit, Output

Address = Annotated[
    str,
    Meta(min_length=1, max_length=2048, pattern=r"^https?://[!-~]+\Z", examples=["https://game.example/scoreboard"]),
]
Events = Annotated[tuple[EventName, ...], Meta(min_length=1, max_length=32, examples=[["period.finalized"]])]


class NewWebhook(Input, frozen=True, kw_only=True):
    """Where to send which events; those of one board, where a board is told."""

    url: Address
    events: Events
    board: BoardId | None = None


class WebhookRef(Input, frozen=True, kw_only=True):
    webhook_id: Annotated[str, Meta(max_length=64, examples=["4b1d0c9a52e7"])]


class ChangeWebhook(WebhookRef, frozen=True, kw_only=True):
    """All of it anew; one that is not `enabled` is told nothing."""

    url: Address
    events: Events
    board: BoardId | None = None
    enabled: bool = True


class DeliveryList(WebhookRef, frozen=True, kw_only=True):
    limit: Limit = 50


class WebhookOut(Output, frozen=True, kw_only=True, omit_defaults=True):
    """A webhook, with how many deliveries wait and how many were given up of late; its secret is shown once."""

    id: str
    url: str
    events: tuple[EventName, ...]
    board: str | None
    enabled: bool
    created_at: str
    pending: int
    failed: int
    secret: str | UnsetType = UNSET


class WebhooksOut(Output, frozen=True, kw_only=True):
    webhooks: tuple[WebhookOut, ...]


class DeliveryOut(Output, frozen=True, kw_only=True):
    """An event for a webhook: its id is the header `webhook-id`, `status` that of the last answer.

    `next_at` is when it will be tried again, None once it is done.
    """

    id: str
    event: str
    at: str
    state: DeliveryState
    attempts: int
    next_at: str | None
    status: int | None
    error: str | None


class DeliveriesOut(Output, frozen=True, kw_only=True):
    deliveries: tuple[DeliveryOut, ...]


class PeriodTold(Output, frozen=True, kw_only=True):
    """A period that is over, and who led it; `total` counts all who are on it."""

    board: str
    window: str
    period: str
    start: str
    end: str
    total: int
    rows: tuple[Row, ...]


class SubmissionTold(Output, frozen=True, kw_only=True):
    """A submission, `at` the time that it counts at, and `by` whom it was decided."""

    submission_id: str
    board: str
    player_id: str
    score: int
    at: str
    by: str | None


class PlayerTold(Output, frozen=True, kw_only=True):
    """A player, `until` when a ban lasts (None: for ever), and `by` whom it was done; nobody where a ban has ended."""

    player_id: str
    until: str | None
    by: str | None


class TrialTold(Output, frozen=True, kw_only=True):
    """Nothing; it has arrived."""


_TOLD: dict[str, type[Output]] = {
    "period": PeriodTold,
    "submission": SubmissionTold,
    "player": PlayerTold,
    "webhook": TrialTold,
}


def told(event: str) -> type[Output]:
    """What the `data` of an event is."""
    return _TOLD[event.partition(".")[0]]


def webhook_out(webhook: Webhook, arrears: Arrears, secret: str | UnsetType = UNSET) -> WebhookOut:
    """A webhook as shown."""
    return WebhookOut(
        id=webhook.id,
        url=webhook.url,
        events=webhook.events,
        board=webhook.board,
        enabled=webhook.enabled,
        created_at=rfc3339(webhook.created_at),
        pending=arrears.pending,
        failed=arrears.failed,
        secret=secret,
    )


def delivery_out(delivery: Delivery) -> DeliveryOut:
    """A delivery as shown."""
    return DeliveryOut(
        id=delivery.id,
        event=delivery.event,
        at=rfc3339(delivery.at),
        state=delivery.state,
        attempts=delivery.attempts,
        next_at=rfc3339(delivery.due_at) if delivery.state == "pending" else None,
        status=delivery.status,
        error=delivery.error,
    )
