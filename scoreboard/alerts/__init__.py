"""Alerts: what goes wrong with the server is logged, counted and told to whoever looks after it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from scoreboard.alerts.rules import Facts, Notice, Watchman
from scoreboard.alerts.webhook import Webhook
from scoreboard.clock import SECOND, Clock
from scoreboard.config import AlertSettings
from scoreboard.metrics import Metrics

__all__ = ["Alerts", "Claim", "Facts", "Webhook"]

log = logging.getLogger(__name__)

LEVELS = {"raised": logging.ERROR, "still": logging.WARNING, "recovered": logging.WARNING}

Claim = Callable[[str, float], Awaitable[bool]]
"""Whether this server is to tell of a cause, and no other one for so many seconds."""


class Alerts:
    """Looks at the facts now and then. `where` names this server; several that watch the same claim what they tell."""

    def __init__(
        self,
        settings: AlertSettings,
        facts: Callable[[], Awaitable[Facts]],
        webhook: Webhook | None,
        claim: Claim,
        clock: Clock,
        metrics: Metrics,
        where: str,
    ) -> None:
        self._settings = settings
        self._facts = facts
        self._webhook = webhook
        self._claim = claim
        self._clock = clock
        self._metrics = metrics
        self._where = where
        self._watchman = Watchman(settings, clock.now())
        self._known: set[str] = set()

    async def run(self) -> None:
        """Look for as long as the server runs."""
        while True:
            await asyncio.sleep(self._settings.look_s)
            try:
                await self.look()
            except Exception:  # the watch goes on
                log.exception("the server could not be looked after")

    async def look(self) -> None:
        """Look once."""
        facts = await self._facts()
        for notice in self._watchman.look(self._clock.now(), facts):
            await self._tell(notice)
        active = self._watchman.active
        self._known |= active
        for cause in self._known:
            self._metrics.alerts_active.labels(cause).set(cause in active)

    async def _tell(self, notice: Notice) -> None:
        line = _line(notice)
        log.log(LEVELS[notice.kind], "alert: %s", line)
        if notice.kind == "raised":
            self._metrics.alerts.labels(notice.cause).inc()
        if self._webhook is None:
            return
        if notice.kind != "recovered" and not await self._claim(notice.cause, self._settings.every_s):
            self._watchman.hush(notice.cause)
            return
        self._webhook.put(f"{self._where}: {line}")


def _line(notice: Notice) -> str:
    if notice.kind == "recovered":
        return f"RECOVERED {notice.cause} after {_span(notice.lasted)}; it was: {notice.text}"
    since = f" (for {_span(notice.lasted)})" if notice.kind == "still" else ""
    return f"ALERT {notice.cause}: {notice.text}{since}"


def _span(microseconds: int) -> str:
    minutes, seconds = divmod(microseconds // SECOND, 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
