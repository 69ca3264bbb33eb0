"""A chain of audit entries: each is sealed over the one before it, with a key that the database does not hold.

An entry's hash is an HMAC over its number, what it says and the hash before it, so that who can write to the database
but does not know the secret can neither change an entry nor make one, take one out or put two into another order. The
detail is covered through a keyed digest of its own: it can be taken out for good when its subject is erased, and the
chain still holds. After B. Schneier and J. Kelsey, "Secure Audit Logs to Support Computer Forensics", ACM TISSEC 2(2),
1999, but for their key that is replaced after each entry: here the secret stays on the servers that write.
"""

import hmac
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from scoreboard.clock import uuid7
from scoreboard.model import AuditEntry

START = bytes(32)
"""What stands for the hash before the first entry."""


class Chain:
    """The chain of one writer. Its id begins with the time, so that later chains sort after, and names the secret."""

    def __init__(self, kid: str, key: bytes, at: int) -> None:
        self.id = f"{uuid7(at)}.{kid}"
        self.number = 0
        self._key = key
        self._hash = START
        self._at = 0

    def seal(self, entries: Iterable[AuditEntry]) -> tuple[AuditEntry, ...]:
        """Entries as the next of the chain, whose time never goes back; they are not part of it yet."""
        sealed: list[AuditEntry] = []
        number, previous, at = self.number, self._hash, self._at
        for entry in entries:
            number, at = number + 1, max(at, entry.at)
            placed = replace(entry, at=at, chain=self.id, number=number, previous=previous)
            placed = replace(placed, digest=digest_of(self._key, placed))
            previous = hash_of(self._key, placed)
            sealed.append(replace(placed, hash=previous))
        return tuple(sealed)

    def extend(self, sealed: Sequence[AuditEntry]) -> None:
        """They are stored: the chain goes on after them."""
        last = sealed[-1]
        self.number, self._hash, self._at = last.number, last.hash, last.at

    @property
    def hash(self) -> bytes:
        """The hash of the last entry."""
        return self._hash


def kid_of(chain: str) -> str:
    """Which secret a chain was written under."""
    return chain.rpartition(".")[2]


def digest_of(key: bytes, entry: AuditEntry) -> bytes:
    """The keyed digest of an entry's detail; it differs for equal details, and nobody can guess one by it."""
    return _mac(key, ["detail", entry.chain, entry.number, entry.detail])


def hash_of(key: bytes, entry: AuditEntry) -> bytes:
    """What an entry's hash must be."""
    return _mac(
        key,
        [
            "entry",
            entry.previous.hex(),
            entry.chain,
            entry.number,
            entry.at,
            entry.actor,
            entry.act,
            entry.subject,
            entry.digest.hex(),
        ],
    )


def _mac(key: bytes, facts: Sequence[object]) -> bytes:
    return hmac.digest(key, msgspec.json.encode(facts), "sha256")
