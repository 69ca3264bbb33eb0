"""What happens that others may be told of, whom to tell, and how the telling fares: as frozen values."""

from typing import Literal, NamedTuple, get_args

from msgspec import Struct

EventName = Literal[
    "period.finalized",
    "submission.held",
    "submission.approved",
    "submission.rejected",
    "submission.voided",
    "player.banned",
    "player.hidden",
    "player.lifted",
    "player.erased",
]
EVENTS: tuple[EventName, ...] = get_args(EventName)
"""Everything that can be asked for."""

TEST = "webhook.test"
"""The event that an admin sends by hand, to see whether it arrives."""

DeliveryState = Literal["pending", "delivered", "failed"]

MAX_WEBHOOKS = 100
"""How many webhooks there may be."""


class Webhook(Struct, frozen=True):
    """An address that is told of events, of one `board` or of all.

    The ends of periods, if it asks for them now, it has asked for `since`. `previous_secret` signs beside the `secret`
    until `previous_until`.
    """

    id: str
    url: str
    events: tuple[EventName, ...]
    board: str | None
    enabled: bool
    since: int
    secret: str
    previous_secret: str | None
    previous_until: int | None
    created_at: int


class Delivery(Struct, frozen=True):
    """An event for a webhook: how often it was tried, when it will be again, and what came of the last time.

    `status` is that of an answer, None where there was none.
    """

    id: str
    event: str
    at: int
    state: DeliveryState
    attempts: int
    due_at: int
    status: int | None
    error: str | None


class Parcel(Struct, frozen=True):
    """A delivery to be tried now, and where to; `data` is JSON, `secrets` are those that sign it."""

    id: str
    webhook_id: str
    event: str
    at: int
    data: str
    attempts: int
    url: str
    secrets: tuple[str, ...]


class Outcome(Struct, frozen=True):
    """What came of the `attempts`-th try of a delivery; a pending one is tried again at `due_at`."""

    id: str
    attempts: int
    state: DeliveryState
    due_at: int
    status: int | None = None
    error: str | None = None


class Arrears(NamedTuple):
    """How many deliveries of a webhook wait, and how many were given up of late."""

    pending: int = 0
    failed: int = 0
