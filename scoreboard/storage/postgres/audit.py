"""The trail of who did what, in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict, astuple, replace

from scoreboard.model import MAX_SCORE, AuditEntry
from scoreboard.oversight import EVERYTHING, AuditFilter, Head, Position
from scoreboard.storage.postgres.database import Transaction
from scoreboard.storage.postgres.part import Part
from scoreboard.storage.postgres.rows import encode

SWEEP_ROWS = 1_000
"""Entries forgotten in one transaction."""

_END_OF_TIME: Position = (MAX_SCORE, "", 0)


class PostgresAudit(Part):
    """`scoreboard.storage.oversight.Audit`."""

    async def add_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append entries."""
        await self._database.execute("add_audit", entries=_encoded(entries))

    async def audit(
        self, before: Position | None, limit: int, wanted: AuditFilter = EVERYTHING
    ) -> tuple[AuditEntry, ...]:
        """Entries before a position, newest first."""
        at, chain, number = before or _END_OF_TIME
        asked = asdict(replace(wanted, since=-MAX_SCORE if wanted.since is None else wanted.since))
        name = "audit" if wanted.subject is None else "audit_of"
        rows = await self._database.read(name, at=at, chain=chain, number=number, limit=limit, **asked)
        return tuple(_from_row(row) for row in rows)

    async def audit_heads(self, limit: int) -> tuple[Head, ...]:
        """The last entry of each chain, the newest chains first."""
        rows = await self._database.read("audit_heads", limit=limit)
        return tuple(Head(chain, number, bytes(hashed), act) for chain, number, hashed, act in rows)

    async def audit_kept(self, since: int) -> dict[str, int]:
        """Of each chain with older entries: the number of its first from the instant on, or that its next will have."""
        return dict(await self._database.read("audit_kept", since=since))

    async def forget_audit(self, before: int) -> None:
        """Delete the entries before the beginning of a month: whole tables, and the rest in bounded steps."""
        await self._database.write("drop_audit", before=before)
        swept = SWEEP_ROWS
        while swept == SWEEP_ROWS:
            swept = await self._database.execute("sweep_audit", before=before, limit=SWEEP_ROWS)

    async def audit_chain(self, chain: str, after: int, limit: int) -> tuple[AuditEntry, ...]:
        """A chain's entries by number, those after a number."""
        rows = await self._database.read("audit_chain", chain=chain, after=after, limit=limit)
        return tuple(_from_row(row) for row in rows)


async def append(transaction: Transaction, entries: Sequence[AuditEntry]) -> None:
    """Append entries to the trail, inside a transaction."""
    if entries:
        await transaction.execute("add_audit", entries=_encoded(entries))


def _encoded(entries: Sequence[AuditEntry]) -> str:
    return encode([[_plain(value) for value in astuple(entry)] for entry in entries])


def _plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value


def _from_row(row: Sequence[Any]) -> AuditEntry:
    return AuditEntry(*row[:7], *map(bytes, row[7:]))
