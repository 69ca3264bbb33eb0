"""The life of one socket as a state machine: no input or output, the time is an argument.

connected -> (signed in) -> active <-> inactive -> closed; instants and durations in microseconds.
"""

import random
from enum import Enum, auto
from typing import Literal

from msgspec import Struct

from scoreboard.clock import SECOND
from scoreboard.config import LiveSettings
from scoreboard.live.farewell import IDLE, NOT_AUTHENTICATED, TOKEN_EXPIRED, Farewell

WARN_US = 60 * SECOND
"""How long before its end the token's expiry is announced."""

JITTER = 0.1
"""The share of the ping interval by which each ping may come early, so that not all come together."""

State = Literal["connected", "active", "inactive"]


class Timing(Struct, frozen=True):
    """The durations a socket lives by; 0 switches `inactive_us` or `close_us` off."""

    auth_us: int
    ping_us: int
    pong_us: int
    inactive_us: int
    close_us: int
    spectators_idle_out: bool

    @classmethod
    def of(cls, settings: LiveSettings) -> "Timing":
        """The durations of the settings."""
        return cls(
            auth_us=int(settings.auth_s * SECOND),
            ping_us=int(settings.ping_s * SECOND),
            pong_us=int(settings.pong_s * SECOND),
            inactive_us=int(settings.inactive_s * SECOND),
            close_us=int(settings.close_s * SECOND),
            spectators_idle_out=settings.spectators_idle_out,
        )


class Step(Enum):
    """What the passing of time asks for, besides a farewell."""

    PING = auto()
    PAUSE = auto()
    WARN = auto()
    CUT = auto()


class Connection:
    """When a socket is pinged, falls asleep, and is parted from."""

    __slots__ = (
        "_acted_at",
        "_expires_at",
        "_opened_at",
        "_ping_at",
        "_pinged_at",
        "_timing",
        "_warned",
        "spectator",
        "state",
    )

    def __init__(self, timing: Timing, now: int) -> None:
        self.state: State = "connected"
        self.spectator = True
        self._timing = timing
        self._opened_at = self._acted_at = now
        self._expires_at: int | None = None
        self._warned = False
        self._pinged_at: int | None = None
        self._ping_at = self._next_ping(now)

    def heard(self) -> None:
        """A frame of any kind came."""
        self._pinged_at = None

    def acted(self, now: int) -> bool:
        """A message other than ping and pong came; tells whether it woke the socket."""
        self._acted_at = now
        woke = self.state == "inactive"
        if woke:
            self.state = "active"
        return woke

    def signed_in(self, now: int, expires_at: int | None) -> None:
        """The client may go on until `expires_at`; None for a spectator, who needs no token."""
        self.spectator = expires_at is None
        # The same token sent again must not be announced again, or a client that has no other would send it for ever.
        self._warned = self._warned and expires_at == self._expires_at
        self._expires_at = expires_at
        self.acted(now)
        self.state = "active"

    def due(self, now: int) -> tuple[tuple[Step | Farewell, ...], int]:
        """What is to be done by now, and when to ask again."""
        farewell = self._farewell(now)
        if farewell is not None:
            return (farewell,), now
        return tuple(self._steps(now)), self._following()

    def _farewell(self, now: int) -> Farewell | None:
        timing = self._timing
        if self.state == "connected" and now >= self._opened_at + timing.auth_us:
            return NOT_AUTHENTICATED
        if self._expires_at is not None and now >= self._expires_at:
            return TOKEN_EXPIRED
        if self._closes_at() <= now:
            return IDLE
        return None

    def _steps(self, now: int) -> list[Step]:
        if self._pinged_at is not None and now >= self._pinged_at + self._timing.pong_us:
            return [Step.CUT]
        steps = []
        if now >= self._ping_at:
            self._ping_at = self._next_ping(now)
            self._pinged_at = self._pinged_at or now
            steps.append(Step.PING)
        if now >= self._sleeps_at():
            self.state = "inactive"
            steps.append(Step.PAUSE)
        if self._expires_at is not None and not self._warned and now >= self._expires_at - WARN_US:
            self._warned = True
            steps.append(Step.WARN)
        return steps

    def _following(self) -> int:
        moments = [self._ping_at, min(self._sleeps_at(), self._closes_at())]
        if self._pinged_at is not None:
            moments.append(self._pinged_at + self._timing.pong_us)
        if self.state == "connected":
            moments.append(self._opened_at + self._timing.auth_us)
        if self._expires_at is not None:
            moments.append(self._expires_at if self._warned else self._expires_at - WARN_US)
        return min(moments)

    def _sleeps_at(self) -> int:
        if self.state != "active" or not self._timing.inactive_us or self._exempt():
            return _NEVER
        return self._acted_at + self._timing.inactive_us

    def _closes_at(self) -> int:
        if self.state == "connected" or not self._timing.close_us or self._exempt():
            return _NEVER
        return self._acted_at + self._timing.inactive_us + self._timing.close_us

    def _exempt(self) -> bool:
        return self.spectator and not self._timing.spectators_idle_out

    def _next_ping(self, now: int) -> int:
        return now + int(self._timing.ping_us * (1 - JITTER * random.random()))


_NEVER = 2**63
