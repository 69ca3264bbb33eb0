"""What keeps webhooks told."""

from aiohttp import web

from scoreboard.api.problems import METRICS
from scoreboard.app.state import BOARDS, CLOCK, SETTINGS, STORAGE, TASKS
from scoreboard.config import tells_private_addresses
from scoreboard.webhooks import Finalizer, Sender


def tell_webhooks(app: web.Application) -> None:
    """Tell webhooks what happens and which periods end, for as long as the server runs."""
    settings, storage, clock, tasks = app[SETTINGS], app[STORAGE], app[CLOCK], app[TASKS]
    sender = Sender(storage, clock, tasks, app[METRICS], private=tells_private_addresses(settings))
    finalizer = Finalizer(storage, app[BOARDS].all, clock, settings.pipeline.commit_timeout_s)
    tasks.start(sender.run(), "webhooks")
    tasks.start(sender.keep_forgetting(), "old deliveries")
    tasks.start(finalizer.run(), "ends of periods")
