"""Forgetting old submissions, where the operator wants that."""

import asyncio
import logging

from scoreboard.clock import DAY, Clock
from scoreboard.errors import Unavailable
from scoreboard.storage.base import Storage

log = logging.getLogger(__name__)

LOOK_EVERY_S = 3600.0


async def forget_old(storage: Storage, clock: Clock, days: int) -> None:
    """Forget submissions older than that, for as long as the server runs. Of several servers one does it."""
    while True:
        try:
            await storage.forget_history(clock.now() - days * DAY)
        except Unavailable as fault:
            log.info("old submissions are not forgotten yet: %s", fault)
        except Exception:  # the next look tries again
            log.exception("old submissions could not be forgotten")
        await asyncio.sleep(LOOK_EVERY_S)
