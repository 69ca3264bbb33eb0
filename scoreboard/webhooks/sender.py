"""Delivers what is due, at least once. What is taken is left alone by other servers for a while, and tried again by any
of them if it was not settled by then: a server may die at any instant.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Sequence
from itertools import groupby

from aiohttp import ClientSession

from scoreboard.clock import DAY, HOUR, MINUTE, SECOND, Clock
from scoreboard.errors import Unavailable
from scoreboard.events import Outcome, Parcel
from scoreboard.metrics import Metrics
from scoreboard.storage.base import Storage
from scoreboard.tasks import Tasks
from scoreboard.webhooks.bodies import body, players
from scoreboard.webhooks.post import Answer, open_session, post
from scoreboard.webhooks.signing import headers

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
AT_ONCE = 4
"""Deliveries to one webhook at a time, so that one that is slow holds up no other."""

LEASE = MINUTE
"""How long others leave alone what is being tried, which takes a quarter of that at most."""

PAUSES = (5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
"""After each try but the last, as the Standard Webhooks specification suggests; up to a fifth is added to each."""

JITTER = 0.2
FORGET_EVERY_S = 3_600.0
KEPT = 14 * DAY
FINALIZED_KEPT = 100 * DAY
"""How long deliveries are kept, and the periods that were finalized: longer than they are looked for."""

GONE = 410


class Sender:
    """Looks for what is due and delivers it; `private` addresses only if that is allowed."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        tasks: Tasks,
        metrics: Metrics,
        *,
        private: bool,
        pauses: Sequence[int] = PAUSES,
        lease: int = LEASE,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._tasks = tasks
        self._metrics = metrics
        self._private = private
        self._pauses = pauses
        self._lease = lease
        self._busy: set[str] = set()
        self._more = asyncio.Event()

    async def run(self) -> None:
        """Deliver for as long as the server runs."""
        async with open_session(private=self._private) as session:
            while True:
                try:
                    await self._look(session)
                except Unavailable as fault:
                    log.debug("webhooks are not told yet: %s", fault)
                except Exception:  # the next look tries again
                    log.exception("webhooks could not be told")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._more.wait()
                self._more.clear()

    async def keep_forgetting(self) -> None:
        """Forget what was delivered long ago, or given up, for as long as the server runs."""
        while True:
            try:
                now = self._clock.now()
                await self._storage.forget_deliveries(now - KEPT, now - FINALIZED_KEPT)
            except Unavailable as fault:
                log.debug("old deliveries are not forgotten yet: %s", fault)
            except Exception:  # the next time tries again
                log.exception("old deliveries could not be forgotten")
            await asyncio.sleep(FORGET_EVERY_S)

    async def _look(self, session: ClientSession) -> None:
        now = self._clock.now()
        taken = await self._storage.take_deliveries(now, now + self._lease, self._busy, AT_ONCE)
        ordered = sorted(taken, key=lambda parcel: (parcel.webhook_id, parcel.at))
        for webhook_id, parcels in groupby(ordered, key=lambda parcel: parcel.webhook_id):
            self._busy.add(webhook_id)
            self._tasks.start(self._deliver_all(session, webhook_id, tuple(parcels)), "webhook deliveries")

    async def _deliver_all(self, session: ClientSession, webhook_id: str, parcels: Sequence[Parcel]) -> None:
        try:
            await asyncio.gather(*(self._deliver(session, parcel) for parcel in parcels))
        finally:
            self._busy.discard(webhook_id)
            if len(parcels) == AT_ONCE:
                self._more.set()

    async def _deliver(self, session: ClientSession, parcel: Parcel) -> None:
        try:
            await self._try(session, parcel)
        except Unavailable as fault:  # it will be delivered once more
            log.debug("what came of a delivery could not be noted: %s", fault)

    async def _try(self, session: ClientSession, parcel: Parcel) -> None:
        wanted = players(parcel)
        content = body(parcel, await self._storage.names(wanted) if wanted else {})
        signed = headers(parcel.id, self._clock.now() // SECOND, content, parcel.secrets)
        outcome = self._outcome(parcel, await post(session, parcel.url, signed, content, private=self._private))
        await self._storage.settle_delivery(outcome)
        self._metrics.webhook_deliveries.labels("retried" if outcome.state == "pending" else outcome.state).inc()
        if outcome.state == "failed":
            log.warning("webhook %s was not told of %s: %s", parcel.webhook_id, parcel.event, outcome.error)

    def _outcome(self, parcel: Parcel, answer: Answer) -> Outcome:
        now = self._clock.now()
        if answer.error is None:
            return Outcome(parcel.id, parcel.attempts, "delivered", now, answer.status)
        if answer.status == GONE or parcel.attempts > len(self._pauses):
            return Outcome(parcel.id, parcel.attempts, "failed", now, *answer)
        pause = self._pauses[parcel.attempts - 1] * random.uniform(1, 1 + JITTER)
        return Outcome(parcel.id, parcel.attempts, "pending", now + int(pause), *answer)
