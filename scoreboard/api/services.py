"""What the live endpoint needs of the rest of the server, handed to every socket."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msgspec import Struct

from scoreboard.api.connection import Timing
from scoreboard.api.inbound import Inbound
from scoreboard.api.replies import SocketLimits
from scoreboard.clock import Clock
from scoreboard.config import LiveSettings
from scoreboard.limits import Limiter
from scoreboard.live.hub import Hub
from scoreboard.live.registry import Registry
from scoreboard.live.wheel import Wheel
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
"""Turns an access token into a grant. Raises ScoreboardError."""

Dispatch = Callable[[str, Input, Identity], Awaitable[Struct | None]]
"""Runs an operation by name. Raises ScoreboardError."""


@dataclass(frozen=True, slots=True)
class Services:
    """What every socket is handed."""

    authenticate: Authenticate
    dispatch: Dispatch
    inbound: Inbound
    hub: Hub
    registry: Registry
    wheel: Wheel
    tasks: Tasks
    clock: Clock
    messages: Limiter
    timing: Timing
    settings: LiveSettings
    limits: SocketLimits
    sockets_per_player: int
