"""What the application holds while it runs, under typed keys."""

from aiohttp import web

from scoreboard.api.ws import LiveEndpoint
from scoreboard.app.backends import Shared
from scoreboard.audit import Audit
from scoreboard.boards import Boards
from scoreboard.clock import Clock
from scoreboard.config import Settings
from scoreboard.control.base import Control
from scoreboard.live.hub import Hub
from scoreboard.live.registry import Registry
from scoreboard.live.wheel import Wheel
from scoreboard.passwords import Passwords
from scoreboard.pipeline import Hidden, Rebuilder
from scoreboard.ranking.base import Ranking
from scoreboard.storage.base import Storage
from scoreboard.tasks import Tasks
from scoreboard.tokens import Keyring

SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)
CLOCK: web.AppKey[Clock] = web.AppKey("clock", Clock)
STORAGE: web.AppKey[Storage] = web.AppKey("storage", Storage)
KEYRING: web.AppKey[Keyring] = web.AppKey("keyring", Keyring)
AUDIT: web.AppKey[Audit] = web.AppKey("audit", Audit)
TASKS: web.AppKey[Tasks] = web.AppKey("tasks", Tasks)
PASSWORDS: web.AppKey[Passwords] = web.AppKey("passwords", Passwords)
SHARED: web.AppKey[Shared] = web.AppKey("shared", Shared)
BOARDS: web.AppKey[Boards] = web.AppKey("boards", Boards)
CONTROL: web.AppKey[Control] = web.AppKey("control", Control)
RANKING: web.AppKey[Ranking] = web.AppKey("ranking", Ranking)
REBUILDER: web.AppKey[Rebuilder] = web.AppKey("rebuilder", Rebuilder)
HIDDEN: web.AppKey[Hidden] = web.AppKey("hidden", Hidden)
REGISTRY: web.AppKey[Registry] = web.AppKey("registry", Registry)
WHEEL: web.AppKey[Wheel] = web.AppKey("wheel", Wheel)
HUB: web.AppKey[Hub] = web.AppKey("hub", Hub)
LIVE: web.AppKey[LiveEndpoint] = web.AppKey("live", LiveEndpoint)
