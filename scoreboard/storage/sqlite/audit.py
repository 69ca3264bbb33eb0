"""The trail of who did what, in SQLite."""

import sqlite3
from collections.abc import Sequence

from msgspec.structs import astuple

from scoreboard.model import MAX_SCORE, AuditEntry
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import fetch, write_rows

_END_OF_TIME = MAX_SCORE


class SqliteAudit(Part):
    """`scoreboard.storage.base.Audit`."""

    async def add_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append entries."""
        await self._database.write(lambda connection: append(connection, entries))

    async def audit(self, before: int | None, limit: int) -> tuple[AuditEntry, ...]:
        """Entries older than the instant, newest first."""
        parameters = {"before": _END_OF_TIME if before is None else before, "limit": limit}
        rows = await self._database.read(lambda connection: fetch(connection, "audit", parameters))
        return tuple(AuditEntry(*row) for row in rows)


def append(connection: sqlite3.Connection, entries: Sequence[AuditEntry]) -> None:
    """Append entries to the trail, inside a transaction."""
    write_rows(connection, "add_audit", [astuple(entry) for entry in entries])
