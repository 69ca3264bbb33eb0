"""API keys of backends: made once, shown once, looked up by their digest."""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path

from scoreboard.audit import Audit
from scoreboard.clock import SECOND, Clock
from scoreboard.errors import ConfigError, Unauthenticated
from scoreboard.model import SCOPES, ApiKey, Scope
from scoreboard.secrets import load_secret, write_once
from scoreboard.storage.base import Storage

CACHED_FOR = 10 * SECOND
"""How long another process may still take a key that was revoked."""

MAX_KEY_CHARACTERS = 128
MAX_CACHED = 1_000
LOCAL_NAME = "local"


class Keys:
    """Creates, verifies and revokes. At most `max_cached` verified keys are remembered, each for ten seconds; the
    oldest is dropped for a new one."""

    def __init__(self, storage: Storage, clock: Clock, audit: Audit, max_cached: int = MAX_CACHED) -> None:
        self._storage = storage
        self._clock = clock
        self._audit = audit
        self._max_cached = max_cached
        self._cache: dict[str, tuple[ApiKey, int]] = {}
        self._revocations = 0

    async def create(self, name: str, scopes: Sequence[Scope], actor: str = "") -> tuple[ApiKey, str]:
        """A new key and its text, which nobody can be told again; `actor` is who asked for it."""
        text = _new_text()
        return await self._store(text, name, scopes, actor), text

    def known(self, text: str | None) -> ApiKey | None:
        """The key with this text if it was verified a moment ago, without waiting."""
        cached = self._cache.get(text) if text is not None else None
        return cached[0] if cached is not None and self._clock.now() < cached[1] else None

    async def verify(self, text: str) -> ApiKey:
        """The key with this text. Raises Unauthenticated for one that is unknown or revoked."""
        known = self.known(text)
        if known is not None:
            return known
        if not text.startswith("sk_") or not text.isascii() or len(text) > MAX_KEY_CHARACTERS:
            raise Unauthenticated("The API key is not valid")
        return await self._look_up(text)

    async def revoke(self, key_id: str, actor: str = "") -> bool:
        """End a key, in this process at once; False where there is none."""
        found = await self._audit.within(
            [self._audit.entry("key.revoke", actor, key_id)],
            lambda entries: self._storage.revoke_key(key_id, self._clock.now(), entries),
            written=bool,
        )
        self._revocations += 1
        self._cache = {text: entry for text, entry in self._cache.items() if entry[0].id != key_id}
        return found

    async def all(self) -> tuple[ApiKey, ...]:
        """Every key, revoked ones too, oldest first."""
        return await self._storage.keys()

    async def ensure_local(self, path: Path) -> str:
        """The text of the key with all scopes in a file (mode 0600), made at first use: for commands on this machine.

        A database that does not know the file's key is told. Raises ConfigError where the file holds something else.
        """
        text = await asyncio.to_thread(_read_or_write, path)
        if not text.startswith("sk_") or "." not in text:
            raise ConfigError(f"{path} does not hold an API key")
        if await self._storage.key(_digest(text)) is None:
            await self._store(text, LOCAL_NAME, SCOPES, LOCAL_NAME)
        return text

    async def _store(self, text: str, name: str, scopes: Sequence[Scope], actor: str) -> ApiKey:
        key_id = text.removeprefix("sk_").partition(".")[0]
        key = ApiKey(key_id, name, _digest(text), tuple(dict.fromkeys(scopes)), self._clock.now())
        entry = self._audit.entry("key.create", actor, key_id, name=name, scopes=list(key.scopes))
        await self._audit.within([entry], lambda entries: self._storage.add_key(key, entries))
        return key

    async def _look_up(self, text: str) -> ApiKey:
        revocations = self._revocations
        self._cache.pop(text, None)
        key = await self._storage.key(_digest(text))
        if key is None or key.revoked_at is not None:
            raise Unauthenticated("The API key is not valid")
        if revocations == self._revocations:  # else this answer may be from before a revocation
            self._remember(text, key)
        return key

    def _remember(self, text: str, key: ApiKey) -> None:
        if len(self._cache) >= self._max_cached:
            self._cache.pop(next(iter(self._cache), ""), None)
        self._cache[text] = (key, self._clock.now() + CACHED_FOR)


def _new_text() -> str:
    return f"sk_{secrets.token_hex(6)}.{secrets.token_urlsafe(32)}"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _read_or_write(path: Path) -> str:
    write_once(path, _new_text())
    return load_secret(path).decode("utf-8", "replace")
