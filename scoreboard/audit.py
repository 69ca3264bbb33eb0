"""The trail of who did what to whom."""

import msgspec

from scoreboard.clock import Clock
from scoreboard.model import AuditEntry
from scoreboard.storage.base import Storage


class Audit:
    """Writes entries; `detail` is for what helps to understand them, never for secrets."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def note(self, act: str, actor: str, subject: str, **detail: str) -> None:
        """Append an entry: `actor` and `subject` are ids, or empty for nobody known."""
        text = msgspec.json.encode({name: storable(value) for name, value in detail.items()}).decode()
        await self._storage.add_audit([AuditEntry(self._clock.now(), actor, act, subject, text)])


def storable(text: str) -> str:
    """Text from outside without the lone surrogates that stand for undecodable bytes, of a header for example."""
    return text.encode("utf-8", "replace").decode()
