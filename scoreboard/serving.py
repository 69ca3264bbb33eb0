"""Runs the application on a port until it is told to stop."""

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import ClientError, ClientSession, web
from aiohttp.http_exceptions import BadHttpMessage

from scoreboard.api.health import READINESS
from scoreboard.api.shortcut import shorten
from scoreboard.app import create_app
from scoreboard.app.state import LIVE
from scoreboard.config import ServerSettings, Settings, is_scaled_out
from scoreboard.errors import ConfigError
from scoreboard.files import allow_all_files

log = logging.getLogger(__name__)

READY_WITHIN_S = 60
ASK_AGAIN_AFTER_S = 0.05
BACKLOG = 1024
"""Connections that may wait to be accepted: a crowd comes back at once after a restart."""

SWITCH_INTERVAL_S = 0.0005
"""How long the event loop may keep the database's thread from the interpreter: each statement takes a turn at it."""

GC_THRESHOLD = (20_000, 20, 100)
"""Cyclic garbage is rare here, and looking for it among all standings is not cheap."""

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def run(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then end gracefully; `announce` is told the URL once the server is ready.

    Raises ConfigError where the server cannot start.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=settings.logging.level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(*GC_THRESHOLD)
    allow_all_files()
    logging.getLogger("aiohttp.server").addFilter(_is_our_fault)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(serve(settings, announce))


async def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """As `run`, inside a running loop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    app = create_app(settings)
    runner = web.AppRunner(
        app,
        access_log=logging.getLogger("aiohttp.access") if settings.server.access_log else None,
        shutdown_timeout=settings.server.shutdown_s,
    )
    async with _port(settings.server) as listeners:
        try:
            await runner.setup()
            if not settings.server.access_log:  # which wants to see what passes
                shorten(runner, app[LIVE].handle, cors=bool(settings.server.cors_origins))
            _tell_folder(settings)
            await _listen(runner, settings.server, listeners)
            host, port = settings.server.host, listeners[0].getsockname()[1]
            if await _ready(_url(EVERYWHERE.get(host, host), port), stop):
                announce(_url(host, port))
            await stop.wait()
            await _retire(app, runner)
        finally:
            await runner.cleanup()


async def _retire(app: web.Application, runner: web.AppRunner) -> None:
    """Not ready, then no new connections, then sockets sent elsewhere while open connections are still answered.

    Cleaning up does the rest, beginning with idle connections: those of the health checks are among them.
    """
    app[READINESS].open = False
    for site in tuple(runner.sites):
        await site.stop()
    await app.shutdown()


@asynccontextmanager
async def _port(server: ServerSettings) -> AsyncIterator[list[socket.socket]]:
    """Hold the port on every address of the host, so that nothing is made where the server could not be reached.

    Nobody is listened to yet: who comes before the server is ready is refused at once, and goes elsewhere.
    """
    listeners: list[socket.socket] = []
    port = server.port
    with ExitStack() as held:
        try:
            for family, address in await _addresses(server.host):
                listener = held.enter_context(socket.socket(family, socket.SOCK_STREAM))
                _bind(listener, (address[0], port, *address[2:]), server.reuse_port)
                port = listener.getsockname()[1]  # one for all addresses, where any would do
                listeners.append(listener)
        except OSError as fault:
            raise _unusable(server, fault) from None
        yield listeners


async def _addresses(host: str) -> Iterable[tuple[socket.AddressFamily, tuple[Any, ...]]]:
    """Those of a host by name or number, each once."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return dict.fromkeys((family, address) for family, *_, address in found)


def _bind(listener: socket.socket, address: tuple[Any, ...], shared: bool) -> None:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:  # the kernel deals connections out among all that listen
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if listener.family == socket.AF_INET6:  # the same port of IPv4 may be another's
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(address)


async def _listen(runner: web.AppRunner, server: ServerSettings, listeners: list[socket.socket]) -> None:
    try:
        for listener in listeners:
            await web.SockSite(runner, listener, backlog=BACKLOG).start()
    except OSError as fault:  # another server that held the port as well was quicker
        raise _unusable(server, fault) from None


def _unusable(server: ServerSettings, fault: OSError) -> ConfigError:
    reason = (fault.strerror or str(fault)).lower()
    return ConfigError(f"cannot listen on {server.host} port {server.port}: {reason}")


def _tell_folder(settings: Settings) -> None:
    kept = "what is not in the database" if is_scaled_out(settings) else "the data"
    log.info("%s is in %s", kept, Path(settings.data.dir).resolve())


async def _ready(url: str, stop: asyncio.Event) -> bool:
    """Ask the server itself until it says that it is ready; False if it was told to stop first."""
    answer = "no answer"
    async with ClientSession(url) as session:
        for _ in range(round(READY_WITHIN_S / ASK_AGAIN_AFTER_S)):
            if stop.is_set():
                return False
            try:
                async with session.get("/readyz") as response:
                    if response.status == 200:
                        return True
                    answer = await response.text()
            except ClientError as fault:
                answer = str(fault)
            await asyncio.sleep(ASK_AGAIN_AFTER_S)
    raise ConfigError(f"the server did not become ready within {READY_WITHIN_S} s: {answer}")


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Whether a record of aiohttp's is worth a line: what is not HTTP was answered with 400, and anyone may send it."""
    return not (record.exc_info and isinstance(record.exc_info[1], BadHttpMessage | web.RequestPayloadError))


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
