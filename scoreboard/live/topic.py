"""One window of one board while somebody follows it: read once when it changed, shown to everybody."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from scoreboard.clock import SECOND
from scoreboard.errors import ScoreboardError
from scoreboard.live.channel import Channel
from scoreboard.live.lane import Follower, Lane
from scoreboard.live.pace import Pace
from scoreboard.model import BoardPeriod, Page, Placing
from scoreboard.ranking.base import NotLoaded, Ranking
from scoreboard.tasks import Tasks

LINGER_S = 60
"""What nobody follows any more is kept that long, so that a client that lost its connection resumes by deltas."""

RETRY_S = 1.0
"""After which a ranking that could not be read is asked again."""

Load = Callable[[BoardPeriod], Awaitable[None]]
"""Rebuilds a period that is not loaded."""


OwnView = Callable[[BoardPeriod, Sequence[str], Sequence[Placing]], Awaitable[Sequence[Placing]]]
"""What players are told of where they stand, given where they do for all."""


Marked = Callable[[Page], Page]
"""A page with what is to be told of its board."""


async def _as_all_see(period: BoardPeriod, player_ids: Sequence[str], placings: Sequence[Placing]) -> Sequence[Placing]:
    return placings


def _as_it_is(page: Page) -> Page:
    return page


class Source(Struct, frozen=True):
    """Where topics read from, and how often."""

    ranking: Ranking
    load: Load
    tasks: Tasks
    tick_s: float
    history_versions: int
    own_view: OwnView = _as_all_see
    marked: Marked = _as_it_is


class Topic:
    """The channels of one board and window in its current period, one for each limit in use."""

    def __init__(self, period: BoardPeriod, source: Source) -> None:
        self.period = period
        self._source = source
        self._lanes: dict[int, Lane] = {}
        self._changes = 1
        self._changes_read = 0
        self._moved = False
        self._page_limit = 0
        self._page: Page | None = None
        self._pace = Pace(self._refresh, source.tick_s, source.tasks, f"live {period.board}/{period.window}")

    @property
    def followed(self) -> bool:
        """Whether anybody follows."""
        return any(lane.followed for lane in self._lanes.values())

    def followers(self) -> tuple[Follower, ...]:
        """Everybody who follows."""
        return tuple(follower for lane in self._lanes.values() for follower in lane.followers())

    def join(self, follower: Follower) -> None:
        """Show the board to one more, starting after the caller has returned to the event loop."""
        self._lane(follower.limit).join(follower)
        if self._must_read():
            self._pace.wake()
        else:
            asyncio.get_running_loop().call_soon(self._catch_up)

    def leave(self, follower: Follower) -> None:
        """Show it no more."""
        if (lane := self._lanes.get(follower.limit)) is not None:
            lane.leave(follower)

    def tidy(self, now: int) -> None:
        """Drop the lanes that nobody has followed for `LINGER_S`."""
        for limit, lane in tuple(self._lanes.items()):
            if lane.followed:
                continue
            if lane.idle_since is None:
                lane.idle_since = now
            elif now - lane.idle_since >= LINGER_S * SECOND:
                del self._lanes[limit]

    def changed(self) -> None:
        """The period has another version: read it, soon, if anybody follows."""
        self._changes += 1
        if self.followed:
            self._moved = True
            self._pace.wake()

    def turn(self, period: BoardPeriod) -> None:
        """Go on to another period, with a snapshot for everybody."""
        self._source.ranking.watch(period)
        self._unwatch()
        self.period = period
        self._page, self._page_limit = None, 0
        for limit, lane in self._lanes.items():
            lane.restart(self._channel(limit))
        self.changed()

    def resend(self) -> None:
        """Have a fresh snapshot sent to everybody."""
        for lane in self._lanes.values():
            lane.restart()
        self.changed()

    def stop(self) -> None:
        """Read no more."""
        self._pace.stop()
        self._unwatch()

    def _unwatch(self) -> None:
        if self.period.period:  # else it has not turned to its first one yet
            self._source.ranking.unwatch(self.period)

    def _lane(self, limit: int) -> Lane:
        lane = self._lanes.get(limit)
        if lane is None:
            lane = self._lanes[limit] = Lane(self._channel(limit))
        if not lane.followed and self._page is not None and limit <= self._page_limit:
            lane.channel.show(self._page)  # which it was not while nobody followed
        return lane

    def _channel(self, limit: int) -> Channel:
        return Channel(self.period, limit, self._source.history_versions)

    def _must_read(self) -> bool:
        return self._changes != self._changes_read or self._widest() > self._page_limit

    def _widest(self) -> int:
        return max((limit for limit, lane in self._lanes.items() if lane.followed), default=0)

    async def _refresh(self) -> float | None:
        if not self._moved:  # read for one who joined: the next change is not to wait for that
            self._pace.forgive()
        self._moved = False
        try:
            await self._read()
        except (NotLoaded, ScoreboardError):
            return RETRY_S
        self._catch_up()
        return 0.0 if self._must_read() else None

    async def _read(self) -> None:
        limit = self._widest()
        if not limit or not self._must_read():
            return
        changes, period = self._changes, self.period
        page = self._source.marked(await self._top(period, limit))
        if period == self.period:
            self._changes_read, self._page, self._page_limit = changes, page, limit
            self._show(page, limit)

    async def _top(self, period: BoardPeriod, limit: int) -> Page:
        try:
            return await self._source.ranking.top(period, limit)
        except NotLoaded:
            await self._source.load(period)
            return await self._source.ranking.top(period, limit)

    def _show(self, page: Page, limit: int) -> None:
        for lane in self._lanes.values():
            if lane.followed and lane.channel.limit <= limit and lane.channel.show(page):
                lane.moved()

    def _catch_up(self) -> None:
        for lane in self._lanes.values():
            if lane.waits:
                lane.catch_up()
        if any(lane.passed_over for lane in self._lanes.values()):
            self._pace.wake(self._source.tick_s)
