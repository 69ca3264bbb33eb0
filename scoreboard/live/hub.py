"""Who follows what, and who is told when it changes."""

from collections.abc import Sequence
from sys import intern
from typing import NamedTuple, Self

from scoreboard.errors import BadRequest, Forbidden, NotFound, ScoreboardError, Unauthenticated
from scoreboard.live.base import Known, Sink
from scoreboard.live.failure import failure
from scoreboard.live.frames import message_frame
from scoreboard.live.lane import Follower
from scoreboard.live.own import OwnFollower
from scoreboard.live.places import Places
from scoreboard.live.topic import Source
from scoreboard.live.wheel import Wheel
from scoreboard.model import BoardPeriod, BoardSettings
from scoreboard.ranking.base import Changed, SettingsOf
from scoreboard.wire import Freshness, Since, Subscribe

OWN = "me"
"""In place of the limit in the name of a subscription to the own standing."""


class _Member:
    """A sink's subscriptions by name, which says all of them; while `paused` they are kept but not served: None.

    There are as many as sockets, so little is kept for each.
    """

    __slots__ = ("followers", "paused")

    def __init__(self) -> None:
        self.followers: dict[str, Follower | OwnFollower | None] = {}
        self.paused = False


class _Named(NamedTuple):
    """What a subscription's name says: `limit` is None for the own standing."""

    board: str
    window: str
    limit: int | None

    @classmethod
    def of(cls, name: str) -> Self:
        board, window, what = name.split("/")
        return cls(board, window, None if what == OWN else int(what))

    def __str__(self) -> str:
        return intern(f"{self.board}/{self.window}/{OWN if self.limit is None else self.limit}")


class Hub:
    """Subscriptions of all sinks. `notify` and `submitted` are called by the submission path and never block."""

    def __init__(self, source: Source, settings_of: SettingsOf, wheel: Wheel, max_subscriptions: int = 32) -> None:
        self._settings_of = settings_of
        self._places = Places(source, self._settings, wheel)
        self._max_subscriptions = max_subscriptions
        self._members: dict[Sink, _Member] = {}
        self._stale = False

    # What changed

    def notify(self, changes: Sequence[Changed]) -> None:
        """These periods have another version."""
        for change in changes:
            place = self._places.showing(change.period)
            if place is not None:
                place.topic.changed()
                place.own.changed()

    def submitted(self, player_id: str, moved: Sequence[BoardPeriod]) -> None:
        """The player's own standing moved in these periods."""
        for period in moved:
            place = self._places.showing(period)
            if place is not None:
                place.own.submitted(player_id)

    def board_changed(self, board_id: str) -> None:
        """The board has other settings: end what is no longer allowed, and send the rest afresh."""
        for place in self._places.of(board_id):
            followers: list[Follower | OwnFollower] = [*place.topic.followers(), *place.own.followers()]
            for follower in followers:
                self._recheck(follower.sink, follower.name)
            self._places.refresh(place)

    def freshness(self, stale: bool) -> None:
        """Boards may be behind from now on, or are not any more: tell everyone who follows one."""
        if stale == self._stale:
            return
        self._stale = stale
        for sink in self._members:
            self._tell_freshness(sink)

    # Who follows

    def subscribe(self, sink: Sink, wanted: Subscribe) -> str:
        """Follow a board's first rows, or with `me` the own standing; returns the subscription's name.

        The first message comes after the caller has returned to the event loop. Subscribing again starts afresh.
        Raises NotFound, BadRequest, and Unauthenticated for a spectator of what is not public.
        """
        settings = self._settings(wanted.board)
        window = wanted.window or settings.windows[0]
        named = _Named(wanted.board, window, None if wanted.me else wanted.limit)
        _check(settings, named, sink)
        name = str(named)
        if sink not in self._members and self._stale:
            self._tell_freshness(sink)
        member = self._members.setdefault(sink, _Member())
        if name not in member.followers and len(member.followers) >= self._max_subscriptions:
            raise BadRequest(f"A connection has at most {self._max_subscriptions} subscriptions.")
        self._detach(member, name)
        member.followers[name] = None
        if not member.paused:
            self._attach(sink, member, name, wanted.since)
        return name

    def unsubscribe(self, sink: Sink, name: str) -> None:
        """Follow no more. Raises NotFound where there is no such subscription."""
        member = self._members.get(sink)
        if member is None or name not in member.followers:
            raise NotFound(f"There is no subscription {name!r} on this connection.")
        self._detach(member, name)
        del member.followers[name]

    def leave(self, sink: Sink) -> None:
        """The sink is gone."""
        member = self._members.pop(sink, None)
        if member is not None:
            for name in tuple(member.followers):
                self._detach(member, name)

    def pause(self, sink: Sink) -> None:
        """Push nothing until `resume`; the subscriptions stay."""
        member = self._members.setdefault(sink, _Member())
        member.paused = True
        for name in tuple(member.followers):
            self._detach(member, name)

    def resume(self, sink: Sink) -> None:
        """Push again, beginning with a snapshot of each board."""
        member = self._members.setdefault(sink, _Member())
        member.paused = False
        for name in tuple(member.followers):
            if self._recheck(sink, name):
                self._attach(sink, member, name)

    def identified(self, sink: Sink) -> None:
        """Somebody else listens now: own standings are dropped, and boards that they may not see."""
        member = self._members.get(sink)
        if member is not None:
            for name in tuple(member.followers):
                if _Named.of(name).limit is None:
                    self.unsubscribe(sink, name)
                else:
                    self._recheck(sink, name)

    def watching(self) -> dict[str, int]:
        """How many connections follow each board now."""
        counts: dict[str, int] = {}
        for member in self._members.values():
            for board in {_Named.of(name).board for name, follower in member.followers.items() if follower}:
                counts[board] = counts.get(board, 0) + 1
        return counts

    def stop(self) -> None:
        """Forget everybody."""
        self._places.forget_all()
        self._members.clear()

    # Subscriptions

    def _attach(self, sink: Sink, member: _Member, name: str, since: Since | None = None) -> None:
        board, window, limit = _Named.of(name)
        place = self._places.at(board, window)
        follower: Follower | OwnFollower
        if limit is None:
            assert sink.player_id is not None  # as was checked
            follower = OwnFollower(name, sink, sink.player_id)
            place.own.join(follower)
        else:
            follower = Follower(name, sink, limit, _known(since, place.topic.period))
            place.topic.join(follower)
        member.followers[name] = follower

    def _detach(self, member: _Member, name: str) -> None:
        follower = member.followers.get(name)
        if follower is None:
            return
        member.followers[name] = None
        board, window, _ = _Named.of(name)
        place = self._places.get(board, window)
        if place is None:
            return
        if isinstance(follower, OwnFollower):
            place.own.leave(follower)
        else:
            place.topic.leave(follower)
        self._places.left(place)

    def _recheck(self, sink: Sink, name: str) -> bool:
        """End a subscription that would not be granted now, and say so; tells whether it stays."""
        named = _Named.of(name)
        try:
            _check(self._settings(named.board), named, sink)
        except Unauthenticated:
            self._end(sink, name, Forbidden("This board is not public any more."))
        except ScoreboardError as refusal:
            self._end(sink, name, refusal)
        else:
            return True
        return False

    def _tell_freshness(self, sink: Sink) -> None:
        sink.write(message_frame(sink.codec, Freshness(stale=self._stale)))

    def _end(self, sink: Sink, name: str, reason: ScoreboardError) -> None:
        self.unsubscribe(sink, name)
        sink.write(message_frame(sink.codec, failure(reason, subscription=name)))

    def _settings(self, board: str) -> BoardSettings:
        try:
            return self._settings_of(board)
        except KeyError:
            raise NotFound(f"There is no board {board!r}.") from None


def _check(settings: BoardSettings, wanted: _Named, sink: Sink) -> None:
    """Raise what speaks against the subscription."""
    if not settings.public and sink.player_id is None:
        raise Unauthenticated("This board is not public.")
    if wanted.limit is None and sink.player_id is None:
        raise Unauthenticated("Only a player has an own standing.")
    if wanted.window not in settings.windows:
        raise BadRequest(f"This board has the windows {', '.join(settings.windows)}, not {wanted.window!r}.")
    if wanted.limit is not None and wanted.limit > settings.live_limit:
        raise BadRequest(f"This board shows at most {settings.live_limit} rows live.")


def _known(since: Since | None, period: BoardPeriod) -> Known | None:
    return None if since is None or since.period != period.period else (since.epoch, since.version)
