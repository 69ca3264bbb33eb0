"""The limits in front of every operation, kept in this process."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Literal

from scoreboard.clock import HOUR, MINUTE, SECOND, Clock
from scoreboard.config import LimitSettings
from scoreboard.errors import Overloaded, Quota, RateLimited
from scoreboard.limits import Concurrency, Limiter, network_of
from scoreboard.model import ApiKey

LimitClass = Literal["none", "register", "login"]
"""What an operation counts as besides a request."""

BACK_IN_S = 1.0
"""When whoever was one too many may try again."""

EXPORT_BACK_IN_S = 5.0
"""The same for whole boards, which take longer."""

Fields = tuple[tuple[str, str], ...]
"""Names and values of headers."""


class Limit:
    """A limiter with a name. `what` is how a refusal calls what there were too many of."""

    def __init__(self, name: str, what: str, count: int, per: int, clock: Clock) -> None:
        self._limiter = Limiter(count, per, clock)
        self._what = what
        self.quota = Quota(name, count, per // SECOND)
        self._policy = policy_of(self.quota)

    def take(self, key: Hashable) -> "Allowance | None":
        """Count one; what is left of it, if there is a limit. Raises RateLimited."""
        retry_after_s = self._limiter.take(key)
        if retry_after_s is not None:
            raise RateLimited(f"Too many {self._what}.", retry_after_s=retry_after_s, quota=self.quota)
        return Allowance(self, key) if self.quota.count else None

    def fields(self, key: Hashable) -> Fields:
        """The headers `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10)."""
        left, full_in = self._limiter.left(key)
        return (self._policy, ("RateLimit", f'"{self.quota.name}";r={left};t={-(-full_in // SECOND)}'))


class Allowance:
    """What a caller has left of a limit, looked up when it is told."""

    __slots__ = ("_key", "_limit")

    def __init__(self, limit: Limit, key: Hashable) -> None:
        self._limit = limit
        self._key = key

    def fields(self) -> Fields:
        """As headers."""
        return self._limit.fields(self._key)


class Limits:
    """Counts requests by address and by API key, the costly ones by address once more, and all that are under way."""

    def __init__(self, settings: LimitSettings, clock: Clock) -> None:
        self._requests = Limit("address", "requests from this address", settings.requests_per_minute, MINUTE, clock)
        self._by_key = Limit("key", "requests with this API key", settings.key_requests_per_minute, MINUTE, clock)
        registering, signing_in = "registrations from this address", "sign-ins from this address"
        self._classes = {
            "register": Limit("register", registering, settings.registrations_per_hour, HOUR, clock),
            "login": Limit("login", signing_in, settings.logins_per_minute, MINUTE, clock),
        }
        self._under_way = Concurrency(settings.concurrent_requests)
        self._exports = Concurrency(settings.concurrent_exports)
        self._exports_of = Concurrency(-(-settings.concurrent_exports // 2))

    def request(self, address: str) -> Allowance | None:
        """Count a request from an address. Raises RateLimited."""
        return self._requests.take(network_of(address))

    def key_request(self, key: ApiKey) -> Allowance | None:
        """Count a request with an API key. Raises RateLimited."""
        return self._by_key.take(key.id)

    def costly(self, limit_class: LimitClass, address: str) -> Allowance | None:
        """Count a registration or sign-in from an address. Raises RateLimited."""
        return None if limit_class == "none" else self._classes[limit_class].take(network_of(address))

    def begin(self, kind: Hashable) -> None:
        """Something of a kind is worked on from now until its `end`. Raises Overloaded where too much is already."""
        if not self._under_way.enter(kind):
            raise Overloaded("Too many requests are under way.", retry_after_s=BACK_IN_S)

    def end(self, kind: Hashable) -> None:
        """It is done, well or not."""
        self._under_way.leave(kind)

    @contextmanager
    def export(self, address: str) -> Iterator[None]:
        """Meanwhile a whole board is sent to the address, which may have half of all at once. Raises Overloaded."""
        network = network_of(address)
        with self._one_of(self._exports_of, network), self._one_of(self._exports, "all"):
            yield

    @contextmanager
    def _one_of(self, few: Concurrency, key: Hashable) -> Iterator[None]:
        if not few.enter(key):
            raise Overloaded("Too many exports are under way.", retry_after_s=EXPORT_BACK_IN_S)
        try:
            yield
        finally:
            few.leave(key)


class MessageLimits:
    """Counts messages over WebSockets, by sender: a player, or one socket of a spectator.

    As another socket would be another sender, there is a budget of the address too: what as many sockets as it may have
    at once may send.
    """

    def __init__(self, settings: LimitSettings, clock: Clock) -> None:
        of_address = settings.messages_per_minute * settings.sockets_per_address
        self._by_sender = Limiter(settings.messages_per_minute, MINUTE, clock)
        self._by_address = Limiter(of_address, MINUTE, clock)
        self.quota = Quota("messages", settings.messages_per_minute, MINUTE // SECOND)

    def take(self, sender: str | int, network: str) -> float | None:
        """Count a message: None if it may come, else the seconds after which it might have."""
        wait_s = self._by_sender.take(sender)
        return self._by_address.take(network) if wait_s is None else wait_s


def policy_of(quota: Quota) -> tuple[str, str]:
    """A quota as the header that tells it."""
    return "RateLimit-Policy", f'"{quota.name}";q={quota.count};w={quota.window_s}'
