"""Players who watch their own standing: told at once after their own submissions, at most each second of drift."""

from scoreboard.errors import ScoreboardError
from scoreboard.live.base import Sink
from scoreboard.live.frames import message_frame
from scoreboard.live.pace import Pace
from scoreboard.live.topic import RETRY_S, Source
from scoreboard.model import BoardPeriod, Placing
from scoreboard.ranking.base import NotLoaded
from scoreboard.wire import me_pushed

DRIFT_S = 1.0
"""At most this often a player hears of a position moved by others."""

MAX_PLACINGS = 1_000
"""Players asked for in one look-up; more of them take several."""


class OwnFollower:
    """One subscription to a player's own standing; `shown` is what was sent last."""

    __slots__ = ("name", "player_id", "shown", "sink")

    def __init__(self, name: str, sink: Sink, player_id: str) -> None:
        self.name = name
        self.sink = sink
        self.player_id = player_id
        self.shown: tuple[int | None, int | None, int | None] | None = None


class OwnStandings:
    """The players who follow themselves in one window of one board."""

    def __init__(self, period: BoardPeriod, source: Source) -> None:
        self.period = period
        self._source = source
        self._of_player: dict[str, set[OwnFollower]] = {}
        self._urgent: set[str] = set()
        self._pace = Pace(self._tell, source.tick_s, source.tasks, f"own standings {period.board}/{period.window}")
        self._drift = Pace(self._look_at_all, DRIFT_S, source.tasks, f"drift {period.board}/{period.window}")

    @property
    def followed(self) -> bool:
        """Whether anybody follows."""
        return bool(self._of_player)

    def followers(self) -> tuple[OwnFollower, ...]:
        """Everybody who follows."""
        return tuple(follower for mine in self._of_player.values() for follower in mine)

    def join(self, follower: OwnFollower) -> None:
        """Tell one more, the first time soon."""
        self._of_player.setdefault(follower.player_id, set()).add(follower)
        self.submitted(follower.player_id)

    def leave(self, follower: OwnFollower) -> None:
        """Tell it no more."""
        mine = self._of_player.get(follower.player_id)
        if mine is None:
            return
        mine.discard(follower)
        if not mine:
            del self._of_player[follower.player_id]
            self._urgent.discard(follower.player_id)

    def submitted(self, player_id: str) -> None:
        """The player's own standing may have moved."""
        if player_id in self._of_player:
            self._urgent.add(player_id)
            self._pace.wake()

    def changed(self) -> None:
        """The period has another version."""
        if self._of_player:
            self._drift.wake()

    def turn(self, period: BoardPeriod) -> None:
        """Go on to another period."""
        self.period = period
        self._urgent.update(self._of_player)
        if self._of_player:
            self._pace.wake()

    def stop(self) -> None:
        """Look no more."""
        self._pace.stop()
        self._drift.stop()

    async def _look_at_all(self) -> float | None:
        self._urgent.update(self._of_player)
        self._pace.wake()
        return None

    async def _tell(self) -> float | None:
        asked = tuple(self._urgent)[:MAX_PLACINGS]
        period = self.period
        if not asked:
            return None
        self._urgent.difference_update(asked)
        try:
            seen = await self._source.ranking.placings(period, asked)
            placings = await self._source.own_view(period, asked, seen)
        except (NotLoaded, ScoreboardError):
            self._urgent.update(player for player in asked if player in self._of_player)
            return RETRY_S
        for player_id, placing in zip(asked, placings, strict=True):
            self._show(period, player_id, placing)
        return 0.0 if self._urgent else None

    def _show(self, period: BoardPeriod, player_id: str, placing: Placing) -> None:
        standing = (placing.position, placing.rank, placing.score)
        for follower in self._of_player.get(player_id, ()):
            if follower.shown == standing:
                continue
            if follower.sink.push(message_frame(follower.sink.codec, me_pushed(period, placing))):
                follower.shown = standing
            else:
                self._urgent.add(player_id)
