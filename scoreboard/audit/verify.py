"""Finds out whether the audit trail is whole: what was edited, taken out, put elsewhere or cut off, and where.

Every entry can be checked by itself, because its hash is keyed; every entry names the one before it; and the last
entries of each chain are written down in others and in the log. What the retention has let go is written down too: it
is no gap.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from scoreboard.audit.chain import START, digest_of, hash_of, kid_of
from scoreboard.audit.trail import ANCHOR, ERASE, OPEN, PRUNE
from scoreboard.model import AuditEntry
from scoreboard.oversight import AuditFilter
from scoreboard.storage.base import Storage
from scoreboard.tokens import Keyring

PAGE = 1_000
MAX_CHAINS = 1_000_000
MAX_MOVED = 200
"""Entries of one chain that do not fit for each of which its former place is sought."""


class Finding(NamedTuple):
    """Something that is not as it was written; `number` is where in the chain."""

    chain: str
    number: int
    what: str


class Anchor(NamedTuple):
    """What somebody wrote down of a chain: the hash of its entry of a number. `where` tells who."""

    number: int
    hash: str
    where: str


class Verified(NamedTuple):
    """What was looked at, and what was found."""

    chains: int
    entries: int
    findings: tuple[Finding, ...]


Progress = Callable[[int, int], None]
"""Told how many of how many chains have been looked at."""


async def verify(
    storage: Storage,
    keyring: Keyring,
    pinned: Mapping[str, Anchor] | None = None,
    progress: Progress = lambda *_: None,
) -> Verified:
    """Check every chain; `pinned` is what the log says of some. It can be done while servers write."""
    known = await _read_known(storage, keyring)
    for chain, anchor in (pinned or {}).items():
        known.anchors[chain].append(anchor)
    chains = sorted(head.chain for head in await storage.audit_heads(MAX_CHAINS))
    findings: list[Finding] = []
    entries = 0
    for looked_at, chain in enumerate(chains, start=1):
        check = _Check(chain, _key(keyring, chain), known)
        entries += await _read_chain(storage, chain, check)
        findings += check.findings()
        progress(looked_at, len(chains))
    for chain in sorted(known.anchors.keys() - set(chains)):
        findings += _Check(chain, None, known).findings()
    return Verified(len(chains), entries, tuple(findings))


class _Known:
    """What entries tell of other entries."""

    def __init__(self) -> None:
        self.anchors: dict[str, list[Anchor]] = defaultdict(list)
        self.first: dict[str, int] = {}
        """The first number of each chain that the retention has not let go."""
        self.erased: set[str] = set()

    def learn(self, entry: AuditEntry) -> None:
        if entry.act == ERASE:
            self.erased.add(entry.subject)
        elif entry.act in (OPEN, ANCHOR):
            for chain, head in _detail(entry, "heads").items():
                number, _, hashed = head.partition(":")
                where = f"entry {entry.number} of {entry.chain}"
                self.anchors[chain].append(Anchor(int(number), hashed, where))
        elif entry.act == PRUNE:
            for chain, first in _detail(entry, "first").items():
                self.first[chain] = max(self.first.get(chain, 1), int(first))


class _Check:
    """One chain, looked at entry by entry."""

    def __init__(self, chain: str, key: bytes | None, known: _Known) -> None:
        self._chain = chain
        self._key = key
        self._known = known
        self._first = known.first.get(chain, 1)
        self._last: AuditEntry | None = None
        self._missing: list[tuple[int, int]] = []
        self._misfits: list[AuditEntry] = []
        self._found: list[Finding] = []
        self._anchors: dict[int, list[Anchor]] = defaultdict(list)
        for anchor in known.anchors.get(chain, ()):
            self._anchors[anchor.number].append(anchor)

    def look(self, entry: AuditEntry) -> None:
        """The next entry by number."""
        before = 0 if self._last is None else self._last.number
        if entry.number <= before:
            self._add(entry.number, "is there twice")
        elif entry.number > before + 1:
            self._miss(before + 1, entry.number - 1)
        if self._key is None or not _is_authentic(self._key, entry):
            self._misfits.append(entry)
        elif entry.number == before + 1 and self._follows_other(entry):
            self._add(entry.number, f"does not follow entry {before}")
        self._look_at_detail(entry)
        for anchor in self._anchors.pop(entry.number, ()):
            if anchor.hash != entry.hash.hex():
                self._add(entry.number, f"is another than the one {anchor.where} tells of")
        self._last = entry

    def _follows_other(self, entry: AuditEntry) -> bool:
        """Whether the entry before is not the one that it was sealed over, though that is whole itself."""
        if self._last is None:
            return entry.previous != START
        return entry.previous != self._last.hash and self._last not in self._misfits[-1:]

    def findings(self) -> list[Finding]:
        """What was found, once all entries were looked at."""
        if self._key is None and self._last is not None:
            return [Finding(self._chain, 0, "was written under a secret that is not among those configured")]
        places = self._sort_out_misfits()
        for first, last in self._missing:
            if any(number not in places for number in range(first, last + 1)):
                self._add(first, "is missing" if first == last else f"to {last} are missing")
        self._look_at_end()
        return sorted(self._found)

    def _miss(self, first: int, last: int) -> None:
        first = max(first, self._first)
        if first <= last:
            self._missing.append((first, last))

    def _look_at_detail(self, entry: AuditEntry) -> None:
        if entry.detail is None and entry.subject not in self._known.erased:
            self._add(entry.number, f"has lost its detail, though {entry.subject!r} was not erased")

    def _sort_out_misfits(self) -> set[int]:
        """Tell what became of entries that are not what was written there; the places that they were written at."""
        numbers = {entry.number for entry in self._misfits}
        for first, last in self._missing:
            numbers.update(range(first, min(last, first + MAX_MOVED) + 1))
        places: set[int] = set()
        for entry in self._misfits[:MAX_MOVED]:
            place = self._place_of(entry, numbers)
            if place is None:
                self._add(entry.number, "was edited")
            else:
                places.add(place)
                self._add(entry.number, f"was written as entry {place}")
        if len(self._misfits) > MAX_MOVED:
            self._add(self._misfits[MAX_MOVED].number, "and further ones were edited")
        return places

    def _place_of(self, entry: AuditEntry, numbers: set[int]) -> int | None:
        if self._key is None:
            return None
        for number in sorted(numbers - {entry.number}):
            if _is_authentic(self._key, replace(entry, number=number)):
                return number
        return None

    def _look_at_end(self) -> None:
        end = 0 if self._last is None else self._last.number
        beyond = [anchor for number, some in self._anchors.items() for anchor in some if number > end]
        beyond = [anchor for anchor in beyond if anchor.number >= self._first]
        if beyond:
            furthest = max(beyond)
            self._add(end + 1, f"to at least {furthest.number} are cut off: {furthest.where} tells of them")

    def _add(self, number: int, what: str) -> None:
        self._found.append(Finding(self._chain, number, what))


async def _read_known(storage: Storage, keyring: Keyring) -> _Known:
    """What authentic entries tell of others."""
    known = _Known()
    for wanted in (AuditFilter(act="audit"), AuditFilter(act=ERASE)):
        before = None
        while entries := await storage.audit(before, PAGE, wanted):
            for entry in entries:
                key = _key(keyring, entry.chain)
                if key is not None and _is_authentic(key, entry):
                    known.learn(entry)
            before = (entries[-1].at, entries[-1].chain, entries[-1].number)
    return known


async def _read_chain(storage: Storage, chain: str, check: _Check) -> int:
    count, after = 0, 0
    while entries := await storage.audit_chain(chain, after, PAGE):
        for entry in entries:
            check.look(entry)
        count += len(entries)
        after = entries[-1].number
    return count


def _key(keyring: Keyring, chain: str) -> bytes | None:
    kid = kid_of(chain)
    return next((keys.audit for keys in keyring.all if keys.kid == kid), None)


def _is_authentic(key: bytes, entry: AuditEntry) -> bool:
    if entry.detail is not None and entry.digest != digest_of(key, entry):
        return False
    return entry.hash == hash_of(key, entry)


def _detail(entry: AuditEntry, name: str) -> dict[str, str]:
    found: dict[str, str] = msgspec.json.decode(entry.detail or "{}").get(name, {})
    return found
