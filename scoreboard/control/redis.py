"""The control channel in Redis, and the list of replicas."""

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence

import msgspec

from scoreboard.clock import MILLISECOND, SECOND, Clock
from scoreboard.control.base import Listener, News, Replica
from scoreboard.errors import ScoreboardError
from scoreboard.redis import Command, Keys, Server, Subscriber

log = logging.getLogger(__name__)

STALE_AFTER = 60 * SECOND
"""A replica that has not described itself for so long is not listed any more."""


class _Told(msgspec.Struct, frozen=True, array_like=True):
    sender: str
    news: News


_told = msgspec.json.Decoder(_Told)
_replica = msgspec.json.Decoder(Replica)


class RedisControl:
    """`Control` over Redis."""

    def __init__(self, server: Server, subscriber: Subscriber, keys: Keys, clock: Clock) -> None:
        self._server = server
        self._subscriber = subscriber
        self._keys = keys
        self._clock = clock
        self._id = secrets.token_hex(6)
        self._listeners: list[Listener] = []
        subscriber.follow(keys.control, self._heard)

    @property
    def is_whole(self) -> bool:
        """Whether nothing that is told is being missed now."""
        return self._subscriber.is_whole and self._server.is_up

    async def tell(self, news: News) -> None:
        """Tell all other replicas; who misses it finds a gap."""
        message = msgspec.json.encode(_Told(self._id, news))
        await self._try(Command(("PUBLISH", self._keys.control, message), self._keys.control))

    def on(self, listener: Listener) -> None:
        """Have `listener` told what the others did."""
        self._listeners.append(listener)

    def on_gap(self, listener: Callable[[], object]) -> None:
        """Have `listener` called after any time in which something may have been missed."""
        self._subscriber.on_gap(listener)

    async def describe(self, counts: Mapping[str, int], secret: str = "") -> None:
        """Tell what is to be known of this replica."""
        try:
            ahead_ms = await self._ahead_ms()
            replica = msgspec.json.encode(Replica(self._id, self._clock.now(), dict(counts), secret, ahead_ms))
            await self._server.call(Command(("HSET", self._keys.replicas, self._id, replica), self._keys.replicas))
        except ScoreboardError as fault:
            log.debug("this server could not be described: %s", fault)

    async def _ahead_ms(self) -> int:
        """By how much the clock here is ahead of Redis's, but for half a round trip."""
        before = self._clock.now()
        [(seconds, microseconds)] = await self._server.call(Command(("TIME",), self._keys.replicas))
        middle = (before + self._clock.now()) // 2
        return (middle - int(seconds) * SECOND - int(microseconds)) // MILLISECOND

    async def replicas(self) -> Sequence[Replica]:
        """The replicas that were heard of within the last minute, this one too. Raises Unavailable."""
        [found] = await self._server.call(Command(("HVALS", self._keys.replicas), self._keys.replicas))
        oldest = self._clock.now() - STALE_AFTER
        replicas = [_replica.decode(each) for each in found]
        stale = [replica.id for replica in replicas if replica.seen_at < oldest]
        if stale:
            await self._try(Command(("HDEL", self._keys.replicas, *stale), self._keys.replicas))
        return tuple(replica for replica in replicas if replica.seen_at >= oldest)

    async def close(self) -> None:
        """Leave the list."""
        await self._try(Command(("HDEL", self._keys.replicas, self._id), self._keys.replicas))

    def _heard(self, payload: bytes) -> None:
        try:
            told = _told.decode(payload)
        except msgspec.DecodeError:  # of a newer version, which tells of more
            log.debug("an unknown message was heard: %r", payload[:100])
            return
        if told.sender != self._id:
            for listener in self._listeners:
                listener(told.news)

    async def _try(self, command: Command) -> None:
        try:
            await self._server.call(command)
        except ScoreboardError as fault:
            log.debug("the other servers could not be told: %s", fault)
