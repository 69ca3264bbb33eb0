"""What is known of the versions of periods without asking: by messages, by what was done here, and by looking."""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Sequence

from scoreboard.errors import ScoreboardError
from scoreboard.model import BoardPeriod
from scoreboard.ranking.base import Changed, Notify, NotLoaded
from scoreboard.ranking.redis.calls import Calls
from scoreboard.redis import Keys, Server, Subscriber

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
KEPT_S = 60.0
"""How long a period is followed after its version was last asked for, unless it is watched."""

MAX_FOLLOWED = 1_000
"""Periods followed because their version was asked for; of more the version is asked each time."""

MAX_TOLD = 20_000
"""Periods whose version is remembered; at that number all are forgotten."""


class Watch:
    """Follows the channels of periods and tells `notify` of each new version, once."""

    def __init__(self, server: Server, subscriber: Subscriber, keys: Keys, calls: Calls, notify: Notify) -> None:
        self._server = server
        self._subscriber = subscriber
        self._keys = keys
        self._calls = calls
        self._notify = notify
        self._watched: Counter[BoardPeriod] = Counter()
        self._asked_at: dict[BoardPeriod, float] = {}
        self._known: dict[BoardPeriod, tuple[int, int]] = {}
        self._told: dict[BoardPeriod, tuple[int, int]] = {}
        self._looking = asyncio.Event()
        subscriber.on_gap(self._looking.set)
        server.on_move(self._known.clear)

    def add(self, period: BoardPeriod) -> None:
        """Tell of every change of the period."""
        self._watched[period] += 1
        self._follow(period)

    def remove(self, period: BoardPeriod) -> None:
        """Once less."""
        self._watched[period] -= 1
        if self._watched[period] <= 0:
            del self._watched[period]
            self._asked_at.setdefault(period, time.monotonic())

    def known(self, period: BoardPeriod) -> tuple[int, int] | None:
        """Epoch and version, where whatever changed it would have been heard of."""
        if period in self._asked_at or len(self._asked_at) < MAX_FOLLOWED:
            if period not in self._asked_at:
                self._follow(period)
            self._asked_at[period] = time.monotonic()
        if period not in self._asked_at or not (self._subscriber.is_whole and self._server.is_up):
            return None
        return self._known.get(period)

    def saw(self, changes: Sequence[Changed], tell: bool = True) -> None:
        """These versions were seen; with `tell`, what was not told of before is told."""
        for change in changes:
            _raise(self._known, change)
        news = [change for change in changes if tell and _raise(self._told, change)]
        if news:
            self._notify(news)

    def lost(self, period: BoardPeriod) -> None:
        """The period's ranking is not there any more."""
        self._known.pop(period, None)

    async def run(self) -> None:
        """Look at the versions of all that is followed, each second and after each gap."""
        while True:
            self._looking.clear()
            try:
                await self._look()
            except ScoreboardError as fault:
                log.debug("the versions of boards cannot be seen: %s", fault)
            except Exception:  # the next look tries again
                log.exception("the versions of boards could not be seen")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._looking.wait()

    async def _look(self) -> None:
        self._forget_idle()
        periods = tuple({**self._asked_at, **self._watched})
        missing: list[Changed] = []
        for period, version in zip(periods, await self._calls.versions(periods), strict=True):
            if isinstance(version, NotLoaded):
                self.lost(period)
                if period in self._watched:  # whoever watches has it loaded
                    missing.append(Changed(period, 0, 0))
            else:
                self.saw([Changed(period, *version)], tell=period in self._watched)
        if missing:
            self._notify(missing)

    def _forget_idle(self) -> None:
        old = time.monotonic() - KEPT_S
        for period in [period for period, at in self._asked_at.items() if at < old]:
            del self._asked_at[period]
            if period not in self._watched:
                self._subscriber.leave(self._keys.changed(period))
                self._known.pop(period, None)

    def _follow(self, period: BoardPeriod) -> None:
        def heard(payload: bytes) -> None:
            epoch, _, version = payload.partition(b" ")
            self.saw([Changed(period, int(epoch), int(version))], tell=period in self._watched)

        self._subscriber.follow(self._keys.changed(period), heard)


def _raise(versions: dict[BoardPeriod, tuple[int, int]], change: Changed) -> bool:
    """Note a version unless it is older; tells whether it is newer."""
    version = (change.epoch, change.version)
    if versions.get(change.period, (0, 0)) >= version:
        return False
    if len(versions) >= MAX_TOLD:
        versions.clear()
    versions[change.period] = version
    return True
