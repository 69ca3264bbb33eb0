"""What webhooks ask of the system of record: who is told of what, and what is still to be told.

As in `scoreboard.storage.base`, each method is one transaction. What moderators do, and what is held, is queued for the
webhooks that ask for it by the transaction that does it; the database itself sees to that.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from scoreboard.events import Arrears, Delivery, Outcome, Parcel, Webhook
from scoreboard.model import AuditEntry, Board, BoardPeriod


class Webhooks(Protocol):
    """Webhooks, and their deliveries until some time after they are done."""

    async def webhooks(self) -> tuple[Webhook, ...]:
        """All webhooks, oldest first."""

    async def add_webhook(self, webhook: Webhook, most: int, entries: Sequence[AuditEntry]) -> bool:
        """Store a webhook, and audit entries; False, and nothing stored, where there are `most` already."""

    async def change_webhook(self, webhook: Webhook, entries: Sequence[AuditEntry]) -> bool:
        """Replace what a webhook asks for, and where it leads; False, and nothing stored, where there is none."""

    async def rotate_webhook(self, webhook_id: str, secret: str, until: int, entries: Sequence[AuditEntry]) -> bool:
        """Sign with another secret, `until` then the one before too; False, and nothing stored, where none is."""

    async def delete_webhook(self, webhook_id: str, entries: Sequence[AuditEntry]) -> bool:
        """Forget a webhook and its deliveries; False, and nothing stored, where there is none."""

    async def unfinalized(self, periods: Sequence[BoardPeriod]) -> tuple[BoardPeriod, ...]:
        """Those of the periods that nobody was told the end of."""

    async def finalize(self, board: Board, period: BoardPeriod, ends_at: int, now: int, data: str) -> bool:
        """Queue `period.finalized` for those who ask for it and did so when the period ended; False where that is done.

        Raises Unavailable where the stored board has another `revision` by now.
        """

    async def queue_test(self, webhook_id: str, now: int) -> None:
        """Queue a test for one webhook."""

    async def take_deliveries(self, now: int, until: int, busy: Collection[str], each: int) -> tuple[Parcel, ...]:
        """What is due by now, at most `each` of a webhook, those that are `busy` left out: the caller's until then."""

    async def settle_delivery(self, outcome: Outcome) -> None:
        """Note what came of a delivery, unless it is done, or failed and was taken by another since."""

    async def deliveries(self, webhook_id: str, limit: int) -> tuple[Delivery, ...]:
        """A webhook's newest deliveries, newest first."""

    async def arrears(self) -> Mapping[str, Arrears]:
        """How the deliveries of the webhooks fare; a webhook without any may be missing."""

    async def forget_deliveries(self, before: int, finalized_before: int) -> None:
        """Forget what was done before an instant, or waits since then for a webhook that is off or gone.

        Also which periods were finalized before another.
        """

    async def names(self, player_ids: Collection[str]) -> Mapping[str, str]:
        """The names of those players who are known."""
