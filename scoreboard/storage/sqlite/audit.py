"""The trail of who did what, in SQLite."""

import sqlite3
from collections.abc import Sequence

from msgspec.structs import astuple

from scoreboard.model import MAX_SCORE, AuditEntry
from scoreboard.oversight import EVERYTHING, AuditFilter, Head, Position
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import execute, fetch, write_rows

SWEEP_ROWS = 1_000
"""Entries forgotten in one transaction."""

_END_OF_TIME: Position = (MAX_SCORE, "", 0)


class SqliteAudit(Part):
    """`scoreboard.storage.oversight.Audit`."""

    async def add_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append entries."""
        await self._database.write(lambda connection: append(connection, entries))

    async def audit(
        self, before: Position | None, limit: int, wanted: AuditFilter = EVERYTHING
    ) -> tuple[AuditEntry, ...]:
        """Entries before a position, newest first."""
        at, chain, number = before or _END_OF_TIME
        parameters = {
            "at": at,
            "chain": chain,
            "number": number,
            "since": -MAX_SCORE if wanted.since is None else wanted.since,
            "actor": wanted.actor,
            "act": wanted.act,
            "subject": wanted.subject,
            "limit": limit,
        }
        name = "audit" if wanted.subject is None else "audit_of"
        rows = await self._database.read(lambda connection: fetch(connection, name, parameters))
        return tuple(AuditEntry(*row) for row in rows)

    async def audit_heads(self, limit: int) -> tuple[Head, ...]:
        """The last entry of each chain, the newest chains first."""
        rows = await self._database.read(lambda connection: fetch(connection, "audit_heads", {"limit": limit}))
        return tuple(Head(*row) for row in rows)

    async def audit_kept(self, since: int) -> dict[str, int]:
        """Of each chain with older entries: the number of its first from the instant on, or that its next will have."""
        rows = await self._database.read(lambda connection: fetch(connection, "audit_kept", {"since": since}))
        return dict(rows)

    async def forget_audit(self, before: int) -> None:
        """Delete the entries before the beginning of a month, in bounded steps."""
        parameters = {"before": before, "limit": SWEEP_ROWS}
        swept = SWEEP_ROWS
        while swept == SWEEP_ROWS:
            swept = await self._database.write(lambda connection: execute(connection, "sweep_audit", parameters))

    async def audit_chain(self, chain: str, after: int, limit: int) -> tuple[AuditEntry, ...]:
        """A chain's entries by number, those after a number."""
        parameters = {"chain": chain, "after": after, "limit": limit}
        rows = await self._database.read(lambda connection: fetch(connection, "audit_chain", parameters))
        return tuple(AuditEntry(*row) for row in rows)


def append(connection: sqlite3.Connection, entries: Sequence[AuditEntry]) -> None:
    """Append entries to the trail, inside a transaction."""
    write_rows(connection, "add_audit", [astuple(entry) for entry in entries])
