"""API keys in SQLite."""

from collections.abc import Sequence
from typing import Any

import msgspec

from scoreboard.model import ApiKey, Scope
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import encode, execute, fetch


class SqliteKeys(Part):
    """`scoreboard.storage.base.Keys`."""

    async def add_key(self, key: ApiKey) -> None:
        """Store a key."""
        parameters = {
            "id": key.id,
            "name": key.name,
            "digest": key.digest,
            "scopes": encode(key.scopes),
            "created_at": key.created_at,
            "revoked_at": key.revoked_at,
        }
        await self._database.write(lambda connection: execute(connection, "add_key", parameters))

    async def key(self, digest: bytes) -> ApiKey | None:
        """The key with this SHA-256, revoked ones too."""
        rows = await self._database.read(lambda connection: fetch(connection, "key", {"digest": digest}))
        return _from_row(rows[0]) if rows else None

    async def keys(self) -> tuple[ApiKey, ...]:
        """All keys, oldest first."""
        rows = await self._database.read(lambda connection: fetch(connection, "keys"))
        return tuple(_from_row(row) for row in rows)

    async def revoke_key(self, key_id: str, now: int) -> bool:
        """End a key; False where there is none."""
        parameters = {"id": key_id, "now": now}
        return await self._database.write(lambda connection: execute(connection, "revoke_key", parameters)) == 1


_scopes = msgspec.json.Decoder(tuple[Scope, ...])


def _from_row(row: Sequence[Any]) -> ApiKey:
    key_id, name, digest, scopes, created_at, revoked_at = row
    return ApiKey(key_id, name, digest, _scopes.decode(scopes), created_at, revoked_at)
