"""The audit trail in tests: something to write it with, and what it says beside its own upkeep."""

from scoreboard.audit import Audit
from scoreboard.clock import Clock
from scoreboard.model import AuditEntry
from scoreboard.storage.base import Storage
from scoreboard.tokens import Keyring

SECRET = b"a secret of the tests that is long enough"


def audit_on(storage: Storage, clock: Clock, secret: bytes = SECRET) -> Audit:
    """A new writer of the trail."""
    return Audit(storage, clock, Keyring.from_secrets(secret))


async def told(storage: Storage) -> list[AuditEntry]:
    """What was done, oldest first, without what the trail tells of itself."""
    entries = await storage.audit(None, 1_000)
    return [entry for entry in reversed(entries) if not entry.act.startswith("audit.")]
