"""How often and how many at once: limits held in this process.

`Limiter` is the generic cell rate algorithm (ITU-T I.371), a token bucket that keeps one number for each key: the
instant at which the bucket would be full again.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Hashable
from functools import lru_cache

from scoreboard.clock import SECOND, Clock

MAX_KEYS = 100_000
MAX_ADDRESSES_REMEMBERED = 10_000


class Limiter:
    """Allows each key `count` units in `per` microseconds, all of them at once if need be; a count of 0 means no limit.

    At most `max_keys` keys are remembered. Where there are more, the one idle for longest is forgotten, which gives it
    a full bucket.
    """

    def __init__(self, count: int, per: int, clock: Clock, *, max_keys: int = MAX_KEYS) -> None:
        self._cost = max(per // count, 1) if count else 0
        self._window = self._cost * count
        self._clock = clock
        self._max_keys = max_keys
        self._full_at: OrderedDict[Hashable, int] = OrderedDict()

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._full_at)

    def left(self, key: Hashable) -> tuple[int, int]:
        """How many units the key has now, and the microseconds until it has all; of a limiter with a limit."""
        full_in = max(self._full_at.get(key, 0) - self._clock.now(), 0)
        return max(self._window - full_in, 0) // self._cost, full_in

    def take(self, key: Hashable, cost: int = 1) -> float | None:
        """Take `cost` units: None if they were there, else the seconds after which they will be; then none are taken.

        A cost above the count waits for a full bucket and leaves it in debt.
        """
        if not self._cost:
            return None
        now = self._clock.now()
        full_at = max(self._full_at.get(key, 0), now)
        charge = cost * self._cost
        wait = full_at + min(charge, self._window) - self._window - now
        if wait > 0:
            return wait / SECOND
        self._full_at[key] = full_at + charge
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._max_keys:
            self._full_at.popitem(last=False)
        return None


class Concurrency:
    """Allows at most `cap` things at once for each key; 0 means no limit. Only keys in use are remembered."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._held: dict[Hashable, int] = {}

    def held(self, key: Hashable) -> int:
        """How many the key holds now."""
        return self._held.get(key, 0)

    def enter(self, key: Hashable) -> bool:
        """Hold one more, if the cap allows it; every True is to be followed by one `leave`."""
        held = self._held.get(key, 0)
        if self._cap and held >= self._cap:
            return False
        self._held[key] = held + 1
        return True

    def leave(self, key: Hashable) -> None:
        """Let go of one."""
        held = self._held[key] - 1
        if held:
            self._held[key] = held
        else:
            del self._held[key]


@lru_cache(MAX_ADDRESSES_REMEMBERED)
def network_of(address: str) -> str:
    """What an address is counted as: itself for IPv4, its /64 for IPv6, as one household or server holds that many."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))
