"""`GET /ws`: who may open a WebSocket, and how all of them end."""

import asyncio
import random
import socket
from collections.abc import Callable, Iterable
from typing import Literal
from urllib.parse import urlsplit

from aiohttp import web
from msgspec import Struct

from scoreboard.api.call import Call, Caller
from scoreboard.api.connection import Timing
from scoreboard.api.context import Context
from scoreboard.api.inbound import Inbound
from scoreboard.api.limiting import MessageLimits
from scoreboard.api.middleware import handle
from scoreboard.api.operations import OPERATIONS
from scoreboard.api.replies import SocketLimits
from scoreboard.api.seat import Seat
from scoreboard.api.services import Authenticate, Check, Dispatch, Grant, Identity, Services
from scoreboard.api.socket import Socket
from scoreboard.clock import SECOND, Clock
from scoreboard.config import LimitSettings, LiveSettings
from scoreboard.errors import BadRequest, OriginRefused, Overloaded, PlayerBanned, Unauthenticated
from scoreboard.leaderboard import TopPage
from scoreboard.limits import Limiter, network_of
from scoreboard.live.base import Codec
from scoreboard.live.farewell import RESTART, TOO_MANY, Farewell
from scoreboard.live.hub import Hub
from scoreboard.live.outlet import Outlet
from scoreboard.live.registry import Registry
from scoreboard.live.wheel import Wheel
from scoreboard.metrics import Metrics
from scoreboard.seats.base import Seats
from scoreboard.tasks import Tasks
from scoreboard.wire import Input, PlayerOut

PROTOCOLS: dict[str, Codec] = {"scoreboard.v1.json": "json", "scoreboard.v1.msgpack": "msgpack"}

NOTSENT_LOWAT = 16 * 1024
"""Bytes the kernel may hold unsent; it hides slow readers otherwise, up to megabytes each."""

MAX_READ_FACTOR = 4
"""A message up to so many times the cap is read and refused politely; a longer one is cut off while it comes in."""

RESTART_RETRY_MS = (500, 4_000)
"""When clients are asked to come back after a restart, at random in between."""

UPGRADE_SHARES = 10
"""Parts of a second in which new sockets are admitted."""

DRAIN_GRACE_S = 2.5
"""How long sockets may take to close after the last goodbye."""

AddressOf = Callable[[web.Request], str]

Count = Callable[[str], object]
"""Counts a request from an address. Raises RateLimited."""


class _Upgrade(web.WebSocketResponse[Literal[False]]):
    """aiohttp's handshake and reader; saying goodbye is the socket's own business."""

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        """Nothing: aiohttp would close without a word when the peer breaks the protocol."""
        return False


class LiveEndpoint:
    """The handler of `/ws` and the drain of all sockets."""

    def __init__(
        self,
        *,
        settings: LiveSettings,
        limits: LimitSettings,
        authenticate: Authenticate,
        check: Check,
        dispatch: Dispatch,
        inputs: dict[str, type[Input]],
        address_of: AddressOf,
        count: Count,
        hub: Hub,
        registry: Registry,
        seats: Seats,
        wheel: Wheel,
        tasks: Tasks,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._address_of = address_of
        self._count = count
        self._registry = registry
        self._upgrades = upgrade_rate(settings.upgrades_per_s, clock)
        self._seats = seats
        self._per_address = limits.sockets_per_address
        self._draining = False
        self._services = Services(
            authenticate=authenticate,
            check=check,
            dispatch=dispatch,
            inbound=Inbound(inputs),
            hub=hub,
            registry=registry,
            wheel=wheel,
            tasks=tasks,
            clock=clock,
            metrics=metrics,
            messages=MessageLimits(limits, clock),
            timing=Timing.of(settings),
            settings=settings,
            limits=SocketLimits(limits.messages_per_minute, settings.max_message_bytes, settings.max_subscriptions),
            seats=seats,
            sockets_per_player=limits.sockets_per_player,
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Upgrade the request and serve the socket until it ends.

        Before the upgrade it raises OriginRefused, BadRequest, and RateLimited and Overloaded with a time to come back.
        """
        upgrade = _Upgrade(
            protocols=PROTOCOLS,
            compress=False,
            autoping=False,
            autoclose=False,
            decode_text=False,
            max_msg_size=MAX_READ_FACTOR * self._settings.max_message_bytes,
        )
        self._may_upgrade(request, upgrade)
        address = self._address_of(request)
        self._count(address)
        seat = Seat(self._seats, self._per_address)
        if not await seat.take(f"address/{network_of(address)}"):
            # A browser hears no status, only close codes. It takes nothing of what is there for all addresses.
            await self._serve(request, upgrade, address, TOO_MANY)
            return upgrade
        try:
            self._admit()
            await self._serve(request, upgrade, address)
        finally:
            seat.leave()
        return upgrade

    async def drain(self, drain_s: float) -> None:
        """Admit nobody, part from everybody within `drain_s` seconds, and cut who does not go."""
        self._draining = True
        connections = list(self._registry.all())
        random.shuffle(connections)
        started = asyncio.get_running_loop().time()
        for number, connection in enumerate(connections):
            late_s = started + drain_s * number / len(connections) - asyncio.get_running_loop().time()
            if late_s > 0:
                await asyncio.sleep(late_s)
            connection.part(RESTART._replace(retry_after_ms=random.randint(*RESTART_RETRY_MS)))
        try:
            await asyncio.wait_for(self._registry.emptied(), DRAIN_GRACE_S)
        except TimeoutError:
            for connection in self._registry.all():
                connection.abort()

    def _may_upgrade(self, request: web.Request, upgrade: _Upgrade) -> None:
        origin = request.headers.get("Origin")
        if origin is not None and not _is_allowed(origin, request.host, self._settings.origins):
            raise OriginRefused(
                "This page's origin may not open a live connection; the server's setting live.origins lists who may."
            )
        if not upgrade.can_prepare(request):
            raise BadRequest("This address speaks WebSocket.")
        if self._draining:
            raise Overloaded("The server is about to restart.", retry_after_s=1.0)

    def _admit(self) -> None:
        """What is there for all addresses together comes last, so that what is refused anyway takes nothing of it."""
        wait_s = self._upgrades.take("upgrade")
        if wait_s is not None:
            raise Overloaded("Too many connections at once.", retry_after_s=wait_s)

    async def _serve(
        self, request: web.Request, upgrade: _Upgrade, address: str, farewell: Farewell | None = None
    ) -> None:
        """Serve the socket until it ends, or only say farewell."""
        await upgrade.prepare(request)
        transport = request.transport
        if transport is None:  # gone meanwhile
            return
        _keep_little_unsent(transport)
        codec = PROTOCOLS.get(upgrade.ws_protocol or "", "json")
        stall_us = int(self._settings.stall_s * SECOND)
        outlet = Outlet(transport, codec, self._services.wheel, stall_us)
        client = Socket(self._services, outlet, address, request.headers.get("User-Agent", ""))
        if farewell is not None:
            client.part(farewell)
        await client.run(upgrade.receive)


def upgrade_rate(per_s: int, clock: Clock) -> Limiter:
    """The rate of admission, of which a share of a second may come at once: a whole one would be twice the rate."""
    at_once = max(per_s // UPGRADE_SHARES, min(per_s, 1))
    return Limiter(at_once, at_once * SECOND // max(per_s, 1), clock, max_keys=1)


def inputs() -> dict[str, type[Input]]:
    """The operations that are messages too, by name."""
    return {operation.name: operation.input for operation in OPERATIONS if operation.websocket}


def authenticator(context: Context) -> Authenticate:
    """Access tokens into grants. Whether the session lives is asked later, once its end would reach the socket."""

    async def authenticate(token: str) -> Grant:
        claims = await context.access.verify(token)
        player = await context.storage.player(claims.player_id)
        if player is None:
            raise Unauthenticated
        if player.banned:
            raise PlayerBanned
        return Grant(claims, PlayerOut(id=player.id, name=player.name, role=player.role))

    return authenticate


def dispatcher(context: Context) -> Dispatch:
    """Messages into calls, through the same middlewares as a request."""
    operations = {operation.name: operation for operation in OPERATIONS}

    async def dispatch(name: str, message: Input, identity: Identity) -> Struct | None:
        call = Call(
            context,
            operations[name],
            "websocket",
            address=identity.address,
            input=message,
            caller=Caller(claims=identity.claims),
            user_agent=identity.user_agent,
        )
        output: TopPage | Struct | None = await handle(call)
        return output.output if isinstance(output, TopPage) else output

    return dispatch


def _is_allowed(origin: str, host: str, allowed: Iterable[str]) -> bool:
    """Listed origins may connect, and the server's own pages."""
    if origin in allowed or "*" in allowed:
        return True
    try:
        return urlsplit(origin).netloc == host
    except ValueError:  # it is no URL
        return False


def _keep_little_unsent(transport: asyncio.Transport) -> None:
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOTSENT_LOWAT)
