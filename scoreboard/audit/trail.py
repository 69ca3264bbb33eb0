"""Writes the audit trail: entries by themselves, many at a time, or in the transaction of what they tell of.

Each of the two has a chain of its own, and a lock: an entry is sealed over the one before it, which must be stored. So
a long transaction holds up others that are audited, but no sign-in.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from scoreboard.audit.chain import Chain
from scoreboard.clock import DAY, HOUR, Clock, rfc3339
from scoreboard.errors import OutcomeUnknown, ScoreboardError, Unavailable
from scoreboard.model import AuditEntry
from scoreboard.oversight import Head
from scoreboard.storage.base import Storage
from scoreboard.storage.retention import month_of
from scoreboard.tokens import Keyring

log = logging.getLogger(__name__)

MAX_TOGETHER = 256
"""Entries written at a time."""

ANCHORED_CHAINS = 100
"""Of so many chains, the newest, the last entries are anchored in another."""

FORGET_EVERY_S = 3_600.0
ANCHOR_EVERY_S = 60.0
ANCHOR_ALL_EVERY = HOUR
"""How often the last entries of others are anchored: where something was written, and where that was only an anchor."""

OPEN = "audit.open"
ANCHOR = "audit.anchor"
PRUNE = "audit.prune"
ERASE = "player.erase"
"""Acts that tell of other entries."""

T = TypeVar("T")


def by_player(player_id: str) -> str:
    """How the trail names a player who acts; nobody known for an empty id."""
    return player_id and f"player:{player_id}"


class _Lane:
    """A chain and the lock of who writes to it; a chain whose last write may have failed half-way is given up."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.chain: Chain | None = None


class Audit:
    """Writes entries; `detail` is for what helps to understand them, never for secrets."""

    def __init__(self, storage: Storage, clock: Clock, keyring: Keyring) -> None:
        self._storage = storage
        self._clock = clock
        self._keys = keyring.current
        self._notes = _Lane()
        self._acts = _Lane()
        self._waiting: list[AuditEntry] = []
        self._anchored: dict[str, int] = {}
        self._anchored_all_at = 0

    def entry(self, act: str, actor: str, subject: str, **detail: object) -> AuditEntry:
        """An entry of now: `actor` names who acts and `subject` is an id; both may be empty, for nobody known."""
        told = {name: storable(value) if isinstance(value, str) else value for name, value in detail.items()}
        return AuditEntry(self._clock.now(), actor, act, subject, msgspec.json.encode(told).decode())

    async def note(self, act: str, actor: str, subject: str, **detail: object) -> None:
        """Write an entry by itself, together with others that wait. Raises Unavailable, OutcomeUnknown."""
        entry = self.entry(act, actor, subject, **detail)
        self._waiting.append(entry)
        async with self._notes.lock:
            if any(each is entry for each in self._waiting):
                await self._write_waiting(entry)

    async def _write_waiting(self, own: AuditEntry) -> None:
        together, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
        if not any(each is own for each in together):
            self._waiting = [each for each in self._waiting if each is not own]
            together.append(own)
        try:
            await self._write(self._notes, together, self._storage.add_audit)
        except BaseException:  # this caller is told; the others try for themselves
            self._waiting = [each for each in together if each is not own] + self._waiting
            raise

    async def within(
        self,
        entries: Sequence[AuditEntry],
        write: Callable[[Sequence[AuditEntry]], Awaitable[T]],
        written: Callable[[T], bool] = lambda _: True,
    ) -> T:
        """Have `write` store the sealed entries in its own transaction; what it returns.

        `written` tells from that whether it stored them. Raises what `write` raises.
        """
        async with self._acts.lock:
            return await self._write(self._acts, entries, write, written)

    async def _write(
        self,
        lane: _Lane,
        entries: Sequence[AuditEntry],
        write: Callable[[Sequence[AuditEntry]], Awaitable[T]],
        written: Callable[[T], bool] = lambda _: True,
    ) -> T:
        chain, opening = lane.chain, list[AuditEntry]()
        if chain is None:
            chain = Chain(self._keys.kid, self._keys.audit, self._clock.now())
            heads = await self._storage.audit_heads(ANCHORED_CHAINS)
            opening.append(self.entry(OPEN, "", "", heads=_told(heads)))
        sealed = chain.seal([*opening, *entries])
        try:
            result = await write(sealed)
        except OutcomeUnknown:
            lane.chain = None
            raise
        except ScoreboardError:  # nothing was stored
            raise
        except BaseException:  # nobody knows what was
            lane.chain = None
            raise
        if written(result):
            chain.extend(sealed)
            lane.chain = chain
        return result

    async def anchor(self) -> None:
        """Write down the last entries of other chains if they have changed, and log where the own ones stand."""
        own = self._notes.chain
        heads = await self._storage.audit_heads(ANCHORED_CHAINS)
        changed = [head for head in heads if self._anchored.get(head.chain, 0) < head.number]
        others = [head for head in changed if own is None or head.chain != own.id]
        now = self._clock.now()
        everything = now - self._anchored_all_at >= ANCHOR_ALL_EVERY
        if not any(everything or head.act != ANCHOR for head in others):
            return
        await self.note(ANCHOR, "", "", heads=_told(others))
        self._anchored = {head.chain: head.number for head in heads}
        self._anchored_all_at = now if everything else self._anchored_all_at
        self.log_heads()

    async def forget(self, days: int) -> None:
        """Forget the months of so many days ago and older.

        The first entry of each chain that stays is written down before, so that what is gone is not missed.
        """
        before = month_of(self._clock.now() - days * DAY)
        if first := await self._storage.audit_kept(before):
            await self.note(PRUNE, "", "", before=rfc3339(before), first=first)
            await self._storage.forget_audit(before)

    async def keep_forgetting(self, days: int) -> None:
        """Forget what is too old, for as long as the server runs."""
        while True:
            try:
                await self.forget(days)
            except Unavailable as fault:
                log.debug("old audit entries are not forgotten yet: %s", fault)
            except Exception:  # the next time tries again
                log.exception("old audit entries could not be forgotten")
            await asyncio.sleep(FORGET_EVERY_S)

    def log_heads(self) -> None:
        """Tell the log where the own chains stand: what the database cannot deny later."""
        for lane in (self._notes, self._acts):
            if lane.chain is not None:
                log.info("audit chain %s has %d entries: %s", lane.chain.id, lane.chain.number, lane.chain.hash.hex())

    async def keep_anchored(self) -> None:
        """Anchor other chains for as long as the server runs."""
        while True:
            await asyncio.sleep(ANCHOR_EVERY_S)
            try:
                await self.anchor()
            except Unavailable as fault:
                log.debug("the audit chains could not be anchored: %s", fault)
            except Exception:  # the next time tries again
                log.exception("the audit chains could not be anchored")


def storable(text: str) -> str:
    """Text from outside without the lone surrogates that stand for undecodable bytes, of a header for example."""
    return text.encode("utf-8", "replace").decode()


def _told(heads: Sequence[Head]) -> dict[str, str]:
    return {head.chain: f"{head.number}:{head.hash.hex()}" for head in heads}
