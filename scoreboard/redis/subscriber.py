"""Messages from Redis, with a heartbeat of our own: the driver reconnects silently, and what came meanwhile is lost."""

import asyncio
import logging
from collections.abc import Callable

from redis import exceptions
from redis.asyncio.connection import AbstractConnection

from scoreboard.redis.faults import LOST
from scoreboard.redis.keys import Keys
from scoreboard.redis.server import Command, Server

log = logging.getLogger(__name__)

BEAT_EVERY_S = 1.0
SILENCE_S = 3.0
"""Without any message for so long the connection is taken for dead; a heartbeat is one."""

RETRY_S = 0.25

Heard = Callable[[bytes], None]
"""Called with the payload of a message; must not block."""


class Subscriber:
    """One connection that hears all channels wanted. `gap` is called whenever messages may have been missed."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self._server = server
        self._keys = keys
        self._wanted: dict[str, Heard] = {keys.beat: lambda _: None}
        self._gaps: list[Callable[[], object]] = []
        self._connection: AbstractConnection | None = None
        self._commands: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.is_whole = False
        """Whether nothing is being missed now."""

    def on_gap(self, gap: Callable[[], object]) -> None:
        """Have `gap` called once the connection is there (again): before, messages may have been missed."""
        self._gaps.append(gap)

    def follow(self, channel: str, heard: Heard) -> None:
        """Hear a channel from now on."""
        self._wanted[channel] = heard
        self._commands.put_nowait(("SUBSCRIBE", channel))

    def leave(self, channel: str) -> None:
        """Hear it no more."""
        if self._wanted.pop(channel, None) is not None:
            self._commands.put_nowait(("UNSUBSCRIBE", channel))

    async def run(self) -> None:
        """Listen for as long as the server runs."""
        while True:
            connection = self._connection = self._server.listener()
            try:
                await self._listen(connection)
            except (*LOST, exceptions.RedisError) as fault:
                log.log(logging.WARNING if self.is_whole else logging.DEBUG, "redis messages: %s", fault)
            finally:
                self.is_whole = False
                await connection.disconnect()
            await asyncio.sleep(RETRY_S)

    async def beat(self) -> None:
        """Send heartbeats for as long as the server runs."""
        while True:
            try:
                await self._server.call(Command(("PUBLISH", self._keys.beat, ""), self._keys.beat))
            except Exception:  # whoever misses it says so
                log.debug("no heartbeat could be sent", exc_info=True)
            await asyncio.sleep(BEAT_EVERY_S)

    async def _listen(self, connection: AbstractConnection) -> None:
        await connection.connect()
        while not self._commands.empty():  # they are in `_wanted`
            self._commands.get_nowait()
        asked = tuple(self._wanted)
        await connection.send_command("SUBSCRIBE", *asked)
        sending = asyncio.create_task(self._send(connection), name="redis subscriptions")
        try:
            for _ in asked:
                if await connection.read_response(timeout=SILENCE_S) is None:
                    raise TimeoutError("the subscription was not answered")
            self.is_whole = True
            for gap in self._gaps:
                gap()
            while (message := await connection.read_response(timeout=SILENCE_S)) is not None:
                self._take(message)
            raise TimeoutError(f"nothing was heard for {SILENCE_S} s")
        finally:
            sending.cancel()

    async def _send(self, connection: AbstractConnection) -> None:
        while True:
            await connection.send_command(*await self._commands.get(), check_health=False)

    def _take(self, message: list[bytes]) -> None:
        kind, channel, payload = message
        if kind == b"message" and (heard := self._wanted.get(channel.decode())) is not None:
            heard(payload)
