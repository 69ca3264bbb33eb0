"""What the live endpoint needs of the rest of the server, handed to every socket."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msgspec import Struct

from scoreboard.api.connection import Timing
from scoreboard.api.inbound import Inbound
from scoreboard.api.limiting import MessageLimits
from scoreboard.api.replies import SocketLimits
from scoreboard.clock import Clock
from scoreboard.config import LiveSettings
from scoreboard.live.hub import Hub
from scoreboard.live.registry import Registry
from scoreboard.live.wheel import Wheel
from scoreboard.metrics import Metrics
from scoreboard.seats.base import Seats
from scoreboard.tasks import Tasks
from scoreboard.tokens import Claims
from scoreboard.wire import Input, PlayerOut


class Grant(Struct, frozen=True):
    """Whom an access token admits."""

    claims: Claims
    player: PlayerOut


class Identity(Struct, frozen=True):
    """Who sends a message, from where; `claims` is None for a spectator."""

    address: str
    user_agent: str
    claims: Claims | None


Authenticate = Callable[[str], Awaitable[Grant]]
"""Turns an access token into a grant, without asking for its session. Raises ScoreboardError."""

Check = Callable[[Claims], Awaitable[object]]
"""Tells whether the claims' session lives. Raises Unauthenticated if it ended, PlayerBanned."""

Dispatch = Callable[[str, Input, Identity], Awaitable[Struct | None]]
"""Runs an operation by name. Raises ScoreboardError."""


@dataclass(frozen=True, slots=True)
class Services:
    """What every socket is handed."""

    authenticate: Authenticate
    check: Check
    dispatch: Dispatch
    inbound: Inbound
    hub: Hub
    registry: Registry
    wheel: Wheel
    tasks: Tasks
    clock: Clock
    metrics: Metrics
    messages: MessageLimits
    timing: Timing
    settings: LiveSettings
    limits: SocketLimits
    seats: Seats
    sockets_per_player: int
