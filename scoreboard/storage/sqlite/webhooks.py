"""Webhooks and their deliveries in SQLite."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import asdict

from scoreboard.events import Arrears, Delivery, EventName, Outcome, Parcel, Webhook
from scoreboard.model import AuditEntry, Board, BoardPeriod
from scoreboard.storage.sqlite.audit import append
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import encode, execute, fetch
from scoreboard.storage.sqlite.submissions import SWEEP_ROWS, check_revision


class SqliteWebhooks(Part):
    """`scoreboard.storage.webhooks.Webhooks`."""

    async def webhooks(self) -> tuple[Webhook, ...]:
        """All webhooks, oldest first."""
        rows = await self._database.read(lambda connection: fetch(connection, "webhooks"))
        return tuple(_webhook(row) for row in rows)

    async def add_webhook(self, webhook: Webhook, most: int, entries: Sequence[AuditEntry]) -> bool:
        """Store a webhook, and audit entries; False, and nothing stored, where there are `most` already."""
        return await self._audited("add_webhook", {**_parameters(webhook), "most": most}, entries)

    async def change_webhook(self, webhook: Webhook, entries: Sequence[AuditEntry]) -> bool:
        """Replace what a webhook asks for, and where it leads; False, and nothing stored, where there is none."""
        return await self._audited("change_webhook", _parameters(webhook), entries)

    async def rotate_webhook(self, webhook_id: str, secret: str, until: int, entries: Sequence[AuditEntry]) -> bool:
        """Sign with another secret, `until` then the one before too; False, and nothing stored, where none is."""
        return await self._audited("rotate_webhook", {"id": webhook_id, "secret": secret, "until": until}, entries)

    async def delete_webhook(self, webhook_id: str, entries: Sequence[AuditEntry]) -> bool:
        """Forget a webhook and its deliveries; False, and nothing stored, where there is none."""

        def delete(connection: sqlite3.Connection) -> bool:
            if not execute(connection, "delete_webhook", {"id": webhook_id}):
                return False
            execute(connection, "delete_deliveries", {"id": webhook_id})
            append(connection, entries)
            return True

        return await self._database.write(delete)

    async def unfinalized(self, periods: Sequence[BoardPeriod]) -> tuple[BoardPeriod, ...]:
        """Those of the periods that nobody was told the end of."""
        parameters = {"periods": encode(periods)}
        rows = await self._database.read(lambda connection: fetch(connection, "unfinalized", parameters))
        return tuple(BoardPeriod(*row) for row in rows)

    async def finalize(self, board: Board, period: BoardPeriod, ends_at: int, now: int, data: str) -> bool:
        """Queue `period.finalized` for those who asked for it when the period ended; False where that is done."""

        def tell(connection: sqlite3.Connection) -> bool:
            check_revision(connection, board)
            if not execute(connection, "claim_finalized", {**period._asdict(), "now": now}):
                return False
            told = {"board": board.id, "ends_at": ends_at, "now": now, "data": data}
            execute(connection, "tell_finalized", told)
            return True

        return await self._database.write(tell)

    async def queue_test(self, webhook_id: str, now: int) -> None:
        """Queue a test for one webhook."""
        parameters = {"id": webhook_id, "now": now}
        await self._database.write(lambda connection: execute(connection, "queue_test", parameters))

    async def take_deliveries(self, now: int, until: int, busy: Collection[str], each: int) -> tuple[Parcel, ...]:
        """What is due by now, at most `each` of a webhook, those that are `busy` left out: the caller's until then."""
        # Most often there is nothing, and a write would wait in line with the scores to find that out.
        [(any_due,)] = await self._database.read(lambda connection: fetch(connection, "any_due", {"now": now}))
        if not any_due:
            return ()
        parameters = {"now": now, "until": until, "busy": encode(tuple(busy)), "each": each}
        rows = await self._database.write(lambda connection: fetch(connection, "take_deliveries", parameters))
        return tuple(_parcel(row) for row in rows)

    async def settle_delivery(self, outcome: Outcome) -> None:
        """Note what came of a delivery, unless it is done, or failed and was taken by another since."""
        await self._database.write(lambda connection: execute(connection, "settle_delivery", asdict(outcome)))

    async def deliveries(self, webhook_id: str, limit: int) -> tuple[Delivery, ...]:
        """A webhook's newest deliveries, newest first."""
        parameters = {"webhook_id": webhook_id, "limit": limit}
        rows = await self._database.read(lambda connection: fetch(connection, "deliveries", parameters))
        return tuple(Delivery(*row) for row in rows)

    async def arrears(self) -> Mapping[str, Arrears]:
        """How the deliveries of the webhooks fare; a webhook without any may be missing."""
        rows = await self._database.read(lambda connection: fetch(connection, "arrears"))
        return {webhook_id: Arrears(*counts) for webhook_id, *counts in rows}

    async def forget_deliveries(self, before: int, finalized_before: int) -> None:
        """Forget deliveries that are done, and which periods were finalized, before an instant; in bounded steps."""
        for name, instant in (("forget_deliveries", before), ("forget_finalized", finalized_before)):
            await self._forget(name, {"before": instant, "limit": SWEEP_ROWS})

    async def names(self, player_ids: Collection[str]) -> Mapping[str, str]:
        """The names of those players who are known."""
        parameters = {"ids": encode(tuple(player_ids))}
        return dict(await self._database.read(lambda connection: fetch(connection, "names", parameters)))

    async def _audited(self, name: str, parameters: Mapping[str, object], entries: Sequence[AuditEntry]) -> bool:
        def write(connection: sqlite3.Connection) -> bool:
            if not execute(connection, name, parameters):
                return False
            append(connection, entries)
            return True

        return await self._database.write(write)

    async def _forget(self, name: str, parameters: Mapping[str, object]) -> None:
        swept = SWEEP_ROWS
        while swept == SWEEP_ROWS:
            swept = await self._database.write(lambda connection: execute(connection, name, parameters))


_events = msgspec.json.Decoder(tuple[EventName, ...])


def _parameters(webhook: Webhook) -> dict[str, object]:
    return {**asdict(webhook), "events": encode(webhook.events)}


def _webhook(row: Sequence[Any]) -> Webhook:
    webhook_id, url, events, board, enabled, *rest = row
    return Webhook(webhook_id, url, _events.decode(events), board, bool(enabled), *rest)


def _parcel(row: Sequence[Any]) -> Parcel:
    *fields, secret, previous = row
    secrets = (secret,) if previous is None else (secret, previous)
    return Parcel(*(*fields, secrets))
