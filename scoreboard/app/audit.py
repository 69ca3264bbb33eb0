"""The secrets, and the audit trail that one of them keeps whole."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from scoreboard.app.state import AUDIT, CLOCK, KEYRING, SETTINGS, STORAGE, TASKS
from scoreboard.audit import Audit
from scoreboard.config import Settings
from scoreboard.secrets import load_or_create_secret, load_secret
from scoreboard.tokens import Keyring


async def audited(app: web.Application) -> AsyncIterator[None]:
    """The keys of the server, and the trail with its chains anchored in each other."""
    app[KEYRING] = await asyncio.to_thread(load_keyring, app[SETTINGS])
    app[AUDIT] = Audit(app[STORAGE], app[CLOCK], app[KEYRING])
    app[TASKS].start(app[AUDIT].keep_anchored(), "audit anchors")
    if days := app[SETTINGS].database.audit_days:
        app[TASKS].start(app[AUDIT].keep_forgetting(days), "old audit entries")
    yield
    app[AUDIT].log_heads()


def load_keyring(settings: Settings) -> Keyring:
    """The secrets; in development the first one is made where none is named. Raises ConfigError."""
    named = settings.security.secret_file
    current = load_secret(Path(named)) if named else load_or_create_secret(Path(settings.data.dir) / "secret.key")
    return Keyring.from_secrets(
        current, [load_secret(Path(older)) for older in settings.security.previous_secret_files]
    )
