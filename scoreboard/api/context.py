"""What the API is handed by the application, under one typed key."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from scoreboard.accounts import Accounts
from scoreboard.api.limiting import Limits
from scoreboard.boards import Boards
from scoreboard.clock import Clock
from scoreboard.config import Settings
from scoreboard.keys import Keys
from scoreboard.leaderboard import Leaderboard
from scoreboard.reviews import Moderation, ReviewQueue, Trail
from scoreboard.storage.base import Storage
from scoreboard.submissions import Judge, Submissions
from scoreboard.tokens import AccessTokens
from scoreboard.webhooks import Webhooks
from scoreboard.wire import ConnectionsOut, OverviewOut

if TYPE_CHECKING:
    from scoreboard.redis import Server


@dataclass(frozen=True, slots=True)
class Context:
    """The services behind the operations."""

    settings: Settings
    clock: Clock
    storage: Storage
    boards: Boards
    accounts: Accounts
    access: AccessTokens
    keys: Keys
    judge: Judge
    submissions: Submissions
    leaderboard: Leaderboard
    reviews: ReviewQueue
    moderation: Moderation
    trail: Trail
    webhooks: Webhooks
    overview: Callable[[], Awaitable[OverviewOut]]
    connections: Callable[[], Awaitable[ConnectionsOut]]
    limits: Limits
    redis: "Server | None" = None


CONTEXT: web.AppKey[Context] = web.AppKey("context", Context)
