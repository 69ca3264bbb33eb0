"""Those who follow one board period at one limit, grouped by what they show, as one frame brings a group up to date.

A push costs a system call for each connection, and little may come on top: a group that took its frame moves on as a
whole, without a word about each of its members.
"""

from collections.abc import Sequence

from scoreboard.live.base import Codec, Known, Sink
from scoreboard.live.channel import Channel
from scoreboard.live.fanout import push_all

_Group = tuple[Known | None, Codec]
"""What the clients show, None for nothing that is remembered; and how they are spoken to."""


class Follower:
    """One subscription to a board's first rows; `known` is what its client shows when it joins."""

    __slots__ = ("known", "limit", "name", "sink")

    def __init__(self, name: str, sink: Sink, limit: int, known: Known | None) -> None:
        self.name = name
        self.sink = sink
        self.limit = limit
        self.known = known


class Lane:
    """The followers of one limit, each sink at most once.

    Nobody has followed it since `idle_since`; till it is dropped it remembers what it sent.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.idle_since: int | None = None
        # Members in the order they came, which is that of their memory: walking it is a part of what a push costs.
        self._groups: dict[_Group, dict[Sink, Follower]] = {}
        self._late: set[_Group] = set()
        self._moved = False

    @property
    def followed(self) -> bool:
        """Whether anybody follows."""
        return bool(self._groups)

    @property
    def waits(self) -> bool:
        """Whether anybody may lack the newest rows."""
        return self._moved or bool(self._late)

    @property
    def passed_over(self) -> bool:
        """Whether anybody did not take what they lack."""
        return bool(self._late)

    def followers(self) -> Sequence[Follower]:
        """Everybody who follows."""
        return [follower for members in self._groups.values() for follower in members.values()]

    def join(self, follower: Follower) -> None:
        """One more, to be shown what it lacks."""
        known = follower.known if self.channel.remembers(follower.known) else None
        group = known, follower.sink.codec
        self._groups.setdefault(group, {})[follower.sink] = follower
        self._late.add(group)
        self.idle_since = None

    def leave(self, follower: Follower) -> None:
        """One less."""
        for group, members in self._groups.items():
            if members.get(follower.sink) is follower:
                del members[follower.sink]
                if not members:
                    self._drop(group)
                return

    def moved(self) -> None:
        """The channel has other rows."""
        self._moved = True

    def restart(self, channel: Channel | None = None) -> None:
        """Show everybody a snapshot, of another channel if one is given."""
        self.channel = channel or self.channel
        members, self._groups = self.followers(), {}
        self._late.clear()
        for follower in members:
            self._groups.setdefault((None, follower.sink.codec), {})[follower.sink] = follower
        self._moved = True

    def catch_up(self) -> None:
        """Write to everybody who lacks something. Who has not taken what was written before is late."""
        head = self.channel.head
        if head is None:
            return
        groups = tuple(self._groups if self._moved else self._late)
        self._moved = False
        for group in groups:
            self._serve(group, head)

    def _serve(self, group: _Group, head: Known) -> None:
        self._late.discard(group)
        frame = self.channel.frame_for(*group)
        if frame is None:
            return
        members = self._groups[group]
        late = push_all(members, frame)
        self._drop(group)
        if late:
            self._groups[group] = {sink: members.pop(sink) for sink in late}
            self._late.add(group)
        if members and self._groups.setdefault((head, group[1]), members) is not members:
            self._groups[head, group[1]].update(members)

    def _drop(self, group: _Group) -> None:
        del self._groups[group]
        self._late.discard(group)
