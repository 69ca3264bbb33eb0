"""A live endpoint on a real server with a real ranking, operations that a test controls, and clients for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from msgspec import Struct

from scoreboard.api.limiting import Limits
from scoreboard.api.problems import METRICS, answer
from scoreboard.api.services import Grant, Identity
from scoreboard.api.ws import LiveEndpoint
from scoreboard.clock import SECOND, SystemClock
from scoreboard.config import LimitSettings, LiveSettings
from scoreboard.errors import NotFound, PlayerBanned, Unauthenticated
from scoreboard.live.base import Codec
from scoreboard.live.hub import Hub
from scoreboard.live.registry import Registry
from scoreboard.live.topic import Source
from scoreboard.live.wheel import Wheel
from scoreboard.metrics import Metrics
from scoreboard.seats.memory import MemorySeats
from scoreboard.tasks import Tasks
from scoreboard.tokens import Claims
from scoreboard.wire import Delta, Input, Nothing, PlayerOut, Refresh, SignedIn, Snapshot
from tests.live.boards import Boards, View

LONG_S = 20.0
Http = TestClient[web.Request, web.Application]


class Echo(Input, frozen=True, kw_only=True):
    text: str


class Echoed(Struct, frozen=True):
    text: str


class WithId(Struct, frozen=True):
    id: str


class Desk:
    """The operations behind the socket; `slow` waits to be released."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.release = asyncio.Event()
        self.slow_calls = 0
        self.slow_started = asyncio.Event()
        self.ttl_s = 900.0
        self.ended: set[str] = set()
        self.asked_for: asyncio.Event | None = None

    async def authenticate(self, token: str) -> Grant:
        """A token is its player's id; the session is called after it."""
        player_id = token.partition("#")[0]
        if player_id == "forged":
            raise Unauthenticated
        if player_id == "banned":
            raise PlayerBanned
        if player_id == "broken":
            raise ZeroDivisionError
        expires_at = self.clock.now() + int(self.ttl_s * SECOND)
        claims = Claims(player_id, f"session of {token}", "player", expires_at, token)
        return Grant(claims, PlayerOut(id=player_id, name=player_id.title(), role="player"))

    async def check(self, claims: Claims) -> None:
        """The session lives unless it was ended; who asks may be made to wait for the answer."""
        state = claims.session_id not in self.ended
        if self.asked_for is not None:
            self.asked_for.set()
            await self.release.wait()
        if not state:
            raise Unauthenticated

    async def dispatch(self, name: str, message: Input, identity: Identity) -> Struct | None:
        """Run one of the operations."""
        work: Callable[[Input, Identity], Awaitable[Struct | None]] = getattr(self, f"_{name}")
        return await work(message, identity)

    async def _echo(self, message: Input, _: Identity) -> Struct | None:
        assert isinstance(message, Echo)
        return Echoed(message.text)

    async def _whoami(self, _: Input, identity: Identity) -> Struct | None:
        return WithId("nobody" if identity.claims is None else identity.claims.player_id)

    async def _slow(self, _: Input, __: Identity) -> Struct | None:
        self.slow_calls += 1
        self.slow_started.set()
        await self.release.wait()
        return None

    async def _missing(self, _: Input, __: Identity) -> Struct | None:
        raise NotFound("Nothing of that kind.")

    async def _broken(self, _: Input, __: Identity) -> Struct | None:
        raise ZeroDivisionError

    async def _refresh(self, message: Input, _: Identity) -> Struct | None:
        assert isinstance(message, Refresh)
        player = PlayerOut(id=message.refresh_token, name="", role="player")
        return SignedIn(player=player, access_token=f"{player.id}#2", expires_in=900, refresh_token="next")


INPUTS: dict[str, type[Input]] = {
    "echo": Echo,
    "whoami": Nothing,
    "slow": Nothing,
    "missing": Nothing,
    "broken": Nothing,
    "refresh": Refresh,
}


class House:
    """Everything behind `/ws` of one server."""

    def __init__(self, live: LiveSettings, limits: LimitSettings, boards: Boards) -> None:
        self.desk = Desk()
        self.boards = boards
        self.registry = Registry()
        self.seats = MemorySeats()
        self.metrics = Metrics()
        self.transports: list[asyncio.Transport] = []
        self.tasks = Tasks()
        self.wheel = Wheel(self.desk.clock, resolution_ms=10)
        source = Source(boards.ranking, boards.load, self.tasks, live.tick_ms / 1000, live.history_versions)
        self.hub = Hub(source, boards.settings_of, self.wheel, live.max_subscriptions)
        boards.listeners.append(self.hub.notify)
        self.endpoint = LiveEndpoint(
            settings=live,
            limits=limits,
            authenticate=self.desk.authenticate,
            check=self.desk.check,
            dispatch=self.desk.dispatch,
            inputs=INPUTS,
            address_of=lambda request: request.remote or "",
            count=Limits(limits, self.desk.clock).request,
            hub=self.hub,
            registry=self.registry,
            seats=self.seats,
            wheel=self.wheel,
            tasks=self.tasks,
            clock=self.desk.clock,
            metrics=self.metrics,
        )
        self.http: Http = TestClient(TestServer(self._app()))

    @property
    def url(self) -> str:
        """Where a client of any kind connects to."""
        return str(self.http.make_url("/ws")).replace("http", "ws", 1)

    async def connect(self, codec: Codec = "json", **options: Any) -> "Line":
        """A new connection, not signed in."""
        return Line(await self.http.ws_connect("/ws", protocols=[f"scoreboard.v1.{codec}"], **options), codec)

    async def line(self, token: str | None = None, codec: Codec = "json") -> "Line":
        """A new connection, signed in by a token or as a spectator."""
        line = await self.connect(codec)
        await line.sign_in(token)
        return line

    def _app(self) -> web.Application:
        @web.middleware
        async def problems(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            if request.transport is not None:
                self.transports.append(request.transport)
            return await answer(request, handler)

        async def drain(_: web.Application) -> None:
            await self.endpoint.drain(0)
            await self.tasks.cancel()

        async def wind(_: web.Application) -> None:
            self.tasks.start(self.wheel.run(), "wheel")

        app = web.Application(middlewares=[problems])
        app[METRICS] = self.metrics
        app.router.add_get("/ws", self.endpoint.handle)
        app.on_startup.append(wind)
        app.on_shutdown.append(drain)
        return app


@asynccontextmanager
async def house(
    live: LiveSettings | None = None, limits: LimitSettings | None = None, boards: Boards | None = None
) -> AsyncIterator[House]:
    """A running server; its settings are the defaults but for a quick tick."""
    place = House(live or LiveSettings(tick_ms=5), limits or LimitSettings(), boards or Boards())
    async with place.http:
        yield place


class Line:
    """One client's connection, spoken to in messages."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, codec: Codec) -> None:
        self.socket = socket
        self.view = View()
        self._codec = codec
        self._library = msgspec.json if codec == "json" else msgspec.msgpack

    async def send(self, type: str, **fields: object) -> None:
        """Send one message."""
        payload = self._library.encode({"type": type, **fields})
        await (self.socket.send_str(payload.decode()) if self._codec == "json" else self.socket.send_bytes(payload))

    async def receive(self) -> dict[str, Any]:
        """The next message; snapshots and deltas are applied to the view."""
        async with asyncio.timeout(LONG_S):
            frame = await self.socket.receive()
        assert frame.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), frame
        payload = frame.data.encode() if isinstance(frame.data, str) else frame.data
        message: dict[str, Any] = self._library.decode(payload)
        if message["type"] in ("snapshot", "delta"):
            pushed: Snapshot | Delta = self._library.decode(payload, type=Snapshot | Delta)
            self.view.apply(pushed)
        return message

    async def of_type(self, *types: str) -> dict[str, Any]:
        """The next message of one of these types, leaving out others."""
        while (message := await self.receive())["type"] not in types:
            pass
        return message

    async def ask(self, type: str, **fields: object) -> dict[str, Any]:
        """Send a message and return the next answer to any."""
        await self.send(type, **fields)
        return await self.of_type("result", "error", "auth.ok", "pong")

    async def sign_in(self, token: str | None = None) -> dict[str, Any]:
        """Authenticate, as a spectator without a token."""
        ok = await self.ask("auth", **({} if token is None else {"token": token}))
        assert ok["type"] == "auth.ok", ok
        return ok

    async def subscribe(self, **fields: object) -> str:
        """Subscribe; returns the subscription's name."""
        answer = await self.ask("subscribe", **fields)
        assert answer["type"] == "result", answer
        name: str = answer["subscription"]
        return name

    async def parted(self) -> dict[str, Any]:
        """The server's goodbye; the close frame that follows must have the same code."""
        bye = await self.of_type("bye")
        async with asyncio.timeout(LONG_S):
            end = await self.socket.receive()
        assert end.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED), end
        assert self.socket.close_code == bye["code"]
        return bye

    async def cut(self) -> None:
        """Wait until the connection is gone without a word."""
        async with asyncio.timeout(LONG_S):
            while True:
                frame = await self.socket.receive()
                if frame.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                    return
                assert frame.type is not aiohttp.WSMsgType.CLOSE
