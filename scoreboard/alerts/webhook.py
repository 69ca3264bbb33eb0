"""Sends lines of text to a webhook that takes `{"text": "..."}`, as Slack and those that speak its language do."""

import asyncio
import logging
from collections import deque

from aiohttp import ClientError, ClientSession, ClientTimeout

from scoreboard.metrics import Metrics

log = logging.getLogger(__name__)

MAX_WAITING = 64
"""Messages that wait; beyond that the oldest one is dropped."""

TRIES = 4
FIRST_PAUSE_S = 1.0
TIMEOUT_S = 10.0


class Webhook:
    """Messages to one address, in order, by a task of their own: nobody waits for it. The address may be a secret."""

    def __init__(self, url: str, metrics: Metrics, *, pause_s: float = FIRST_PAUSE_S, timeout_s: float = TIMEOUT_S):
        self._url = url
        self._metrics = metrics
        self._pause_s = pause_s
        self._timeout = ClientTimeout(total=timeout_s)
        self._waiting: deque[str] = deque()
        self._something = asyncio.Event()

    def put(self, text: str) -> None:
        """Have a message sent."""
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self._count("dropped")
        self._waiting.append(text)
        self._something.set()

    async def run(self) -> None:
        """Send for as long as the server runs."""
        async with ClientSession(timeout=self._timeout) as session:
            while True:
                await self._something.wait()
                while self._waiting:
                    await self._deliver(session, self._waiting.popleft())
                self._something.clear()

    async def _deliver(self, session: ClientSession, text: str) -> None:
        trouble = ""
        for number in range(TRIES):
            if number:
                await asyncio.sleep(self._pause_s * 2 ** (number - 1))
            trouble, again = await self._post(session, text)
            if not trouble:
                self._count("sent")
                return
            if not again:
                break
        self._count("failed")
        log.warning("an alert could not be sent to the webhook: %s", trouble)

    async def _post(self, session: ClientSession, text: str) -> tuple[str, bool]:
        """What went wrong, if anything, and whether it may go better another time."""
        try:
            async with session.post(self._url, json={"text": _escaped(text)}, allow_redirects=False) as answer:
                if answer.status < 300:
                    return "", False
                return f"it answered {answer.status}", answer.status >= 500 or answer.status == 429
        except (ClientError, TimeoutError, OSError) as fault:  # their texts may hold the address
            return type(fault).__name__, True

    def _count(self, outcome: str) -> None:
        self._metrics.alert_messages.labels(outcome).inc()


def _escaped(text: str) -> str:
    """What Slack would take for a mention or a link, as plain text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
