"""Webhooks and their deliveries in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec.structs import asdict

from scoreboard.events import Arrears, Delivery, Outcome, Parcel, Webhook
from scoreboard.model import AuditEntry, Board, BoardPeriod
from scoreboard.storage.postgres.audit import append
from scoreboard.storage.postgres.database import Transaction
from scoreboard.storage.postgres.part import Part
from scoreboard.storage.postgres.rows import encode
from scoreboard.storage.postgres.submissions import check_revision

SWEEP_ROWS = 1_000
"""Rows forgotten in one transaction."""


class PostgresWebhooks(Part):
    """`scoreboard.storage.webhooks.Webhooks`."""

    async def webhooks(self) -> tuple[Webhook, ...]:
        """All webhooks, oldest first."""
        return tuple(_webhook(row) for row in await self._database.read("webhooks"))

    async def add_webhook(self, webhook: Webhook, most: int, entries: Sequence[AuditEntry]) -> bool:
        """Store a webhook, and audit entries; False, and nothing stored, where there are `most` already."""
        return await self._audited(entries, "add_webhook", **_parameters(webhook), most=most)

    async def change_webhook(self, webhook: Webhook, entries: Sequence[AuditEntry]) -> bool:
        """Replace what a webhook asks for, and where it leads; False, and nothing stored, where there is none."""
        return await self._audited(entries, "change_webhook", **_parameters(webhook))

    async def rotate_webhook(self, webhook_id: str, secret: str, until: int, entries: Sequence[AuditEntry]) -> bool:
        """Sign with another secret, `until` then the one before too; False, and nothing stored, where none is."""
        return await self._audited(entries, "rotate_webhook", id=webhook_id, secret=secret, until=until)

    async def delete_webhook(self, webhook_id: str, entries: Sequence[AuditEntry]) -> bool:
        """Forget a webhook and its deliveries; False, and nothing stored, where there is none."""
        return await self._audited(entries, "delete_webhook", "delete_deliveries", id=webhook_id)

    async def unfinalized(self, periods: Sequence[BoardPeriod]) -> tuple[BoardPeriod, ...]:
        """Those of the periods that nobody was told the end of."""
        rows = await self._database.read("unfinalized", periods=encode(periods))
        return tuple(BoardPeriod(*row) for row in rows)

    async def finalize(self, board: Board, period: BoardPeriod, ends_at: int, now: int, data: str) -> bool:
        """Queue `period.finalized` for those who asked for it when the period ended; False where that is done."""

        async def tell(transaction: Transaction) -> bool:
            await check_revision(transaction, board)
            if not await transaction.execute("claim_finalized", **period._asdict(), now=now):
                return False
            await transaction.execute("tell_finalized", board=board.id, ends_at=ends_at, now=now, data=data)
            return True

        return await self._database.transact(tell)

    async def queue_test(self, webhook_id: str, now: int) -> None:
        """Queue a test for one webhook."""
        await self._database.execute("queue_test", id=webhook_id, now=now)

    async def take_deliveries(self, now: int, until: int, busy: Collection[str], each: int) -> tuple[Parcel, ...]:
        """What is due by now, at most `each` of a webhook, those that are `busy` left out: the caller's until then."""
        rows = await self._database.write("take_deliveries", now=now, until=until, busy=list(busy), each=each)
        return tuple(_parcel(row) for row in rows)

    async def settle_delivery(self, outcome: Outcome) -> None:
        """Note what came of a delivery, unless it is done, or failed and was taken by another since."""
        await self._database.execute("settle_delivery", **asdict(outcome))

    async def deliveries(self, webhook_id: str, limit: int) -> tuple[Delivery, ...]:
        """A webhook's newest deliveries, newest first."""
        rows = await self._database.read("deliveries", webhook_id=webhook_id, limit=limit)
        return tuple(Delivery(*row) for row in rows)

    async def arrears(self) -> Mapping[str, Arrears]:
        """How the deliveries of the webhooks fare; a webhook without any may be missing."""
        return {webhook_id: Arrears(*counts) for webhook_id, *counts in await self._database.read("arrears")}

    async def forget_deliveries(self, before: int, finalized_before: int) -> None:
        """Forget deliveries that are done, and which periods were finalized, before an instant; in bounded steps."""
        for name, instant in (("forget_deliveries", before), ("forget_finalized", finalized_before)):
            while await self._database.execute(name, before=instant, limit=SWEEP_ROWS) == SWEEP_ROWS:
                pass

    async def names(self, player_ids: Collection[str]) -> Mapping[str, str]:
        """The names of those players who are known."""
        return dict(await self._database.read("names", ids=list(player_ids)))

    async def _audited(self, entries: Sequence[AuditEntry], *names: str, **parameters: Any) -> bool:
        """Run statements and write the audit entries, unless the first one changes nothing."""

        async def write(transaction: Transaction) -> bool:
            first, *others = names
            if not await transaction.execute(first, **parameters):
                return False
            for name in others:
                await transaction.execute(name, **parameters)
            await append(transaction, entries)
            return True

        return await self._database.transact(write)


def _parameters(webhook: Webhook) -> dict[str, Any]:
    return {**asdict(webhook), "events": list(webhook.events)}


def _webhook(row: Sequence[Any]) -> Webhook:
    webhook_id, url, events, *rest = row
    return Webhook(webhook_id, url, tuple(events), *rest)


def _parcel(row: Sequence[Any]) -> Parcel:
    *fields, secret, previous = row
    secrets = (secret,) if previous is None else (secret, previous)
    return Parcel(*(*fields, secrets))
