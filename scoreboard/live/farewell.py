"""Why the server ends a connection: the close codes, and what each tells the client to do."""

import random
from typing import NamedTuple

from scoreboard.wire import Bye

RETRY_MS = (500, 2_000)
"""When a client may come back where no other time is told, at random in between."""


class Farewell(NamedTuple):
    """A close code, its reason, and whether the client should come back, at the earliest after `retry_after_ms`."""

    code: int
    reason: str
    reconnect: bool = True
    retry_after_ms: int = 0

    def bye(self) -> Bye:
        """The message sent before the close frame. It never asks for an immediate return."""
        wait_ms = self.retry_after_ms or random.randint(*RETRY_MS)
        return Bye(code=self.code, reason=self.reason, reconnect=self.reconnect, retry_after_ms=wait_ms)


PROTOCOL_FAULT = Farewell(1002, "protocol error", reconnect=False)
NOT_UTF8 = Farewell(1007, "text that is not UTF-8", reconnect=False)
TOO_BIG = Farewell(1009, "message too big")
RESTART = Farewell(1012, "restart")
BAD_PROTOCOL = Farewell(4400, "bad protocol", reconnect=False)
NOT_AUTHENTICATED = Farewell(4401, "no sign-in in time")
REFUSED = Farewell(4401, "sign-in refused")
SESSION_ENDED = Farewell(4401, "session ended")
SIGNED_OUT = Farewell(4401, "signed out", reconnect=False)
TOKEN_EXPIRED = Farewell(4401, "token expired")
BANNED = Farewell(4403, "banned", reconnect=False)
IDLE = Farewell(4408, "idle")
TOO_MANY = Farewell(4409, "too many connections")
TOO_FAST = Farewell(4429, "too many messages")
