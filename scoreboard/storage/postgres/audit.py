"""The trail of who did what, in PostgreSQL."""

from collections.abc import Sequence

from msgspec.structs import astuple

from scoreboard.model import AuditEntry
from scoreboard.storage.postgres.database import Transaction
from scoreboard.storage.postgres.part import Part
from scoreboard.storage.postgres.rows import encode


class PostgresAudit(Part):
    """`scoreboard.storage.base.Audit`."""

    async def add_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append entries."""
        await self._database.execute("add_audit", entries=encode([astuple(entry) for entry in entries]))

    async def audit(self, before: int | None, limit: int) -> tuple[AuditEntry, ...]:
        """Entries older than the instant, newest first."""
        return tuple(AuditEntry(*row) for row in await self._database.read("audit", before=before, limit=limit))


async def append(transaction: Transaction, entries: Sequence[AuditEntry]) -> None:
    """Append entries to the trail, inside a transaction."""
    if entries:
        await transaction.execute("add_audit", entries=encode([astuple(entry) for entry in entries]))
