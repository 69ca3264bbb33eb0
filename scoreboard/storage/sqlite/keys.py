"""API keys in SQLite."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from scoreboard.model import ApiKey, AuditEntry, Scope
from scoreboard.storage.sqlite.audit import append
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import encode, execute, fetch


class SqliteKeys(Part):
    """`scoreboard.storage.base.Keys`."""

    async def add_key(self, key: ApiKey, entries: Sequence[AuditEntry] = ()) -> None:
        """Store a key, and audit entries."""
        parameters = {
            "id": key.id,
            "name": key.name,
            "digest": key.digest,
            "scopes": encode(key.scopes),
            "created_at": key.created_at,
            "revoked_at": key.revoked_at,
        }

        def add(connection: sqlite3.Connection) -> None:
            execute(connection, "add_key", parameters)
            append(connection, entries)

        await self._database.write(add)

    async def key(self, digest: bytes) -> ApiKey | None:
        """The key with this SHA-256, revoked ones too."""
        rows = await self._database.read(lambda connection: fetch(connection, "key", {"digest": digest}))
        return _from_row(rows[0]) if rows else None

    async def keys(self) -> tuple[ApiKey, ...]:
        """All keys, oldest first."""
        rows = await self._database.read(lambda connection: fetch(connection, "keys"))
        return tuple(_from_row(row) for row in rows)

    async def revoke_key(self, key_id: str, now: int, entries: Sequence[AuditEntry] = ()) -> bool:
        """End a key, and store audit entries; False, and nothing stored, where there is none."""

        def revoke(connection: sqlite3.Connection) -> bool:
            if not execute(connection, "revoke_key", {"id": key_id, "now": now}):
                return False
            append(connection, entries)
            return True

        return await self._database.write(revoke)


_scopes = msgspec.json.Decoder(tuple[Scope, ...])


def _from_row(row: Sequence[Any]) -> ApiKey:
    key_id, name, digest, scopes, created_at, revoked_at = row
    return ApiKey(key_id, name, digest, _scopes.decode(scopes), created_at, revoked_at)
