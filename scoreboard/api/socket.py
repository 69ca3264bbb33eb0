"""One client's WebSocket: what comes in, what is answered, and how both part."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from itertools import count

from aiohttp import WebSocketError, WSMsgType
from aiohttp.http import WSMessageNoDecodeText
from msgspec import UNSET

from scoreboard.api.connection import Connection, Step
from scoreboard.api.inbound import id_of, is_utf8
from scoreboard.api.replies import AuthOk, Label, Pong, Replies, Subscribed, whole
from scoreboard.api.seat import Seat
from scoreboard.api.services import Grant, Identity, Services
from scoreboard.clock import MILLISECOND, SECOND
from scoreboard.errors import BadRequest, PlayerBanned, RateLimited, ScoreboardError, Unauthenticated
from scoreboard.limits import network_of
from scoreboard.live.farewell import (
    BAD_PROTOCOL,
    BANNED,
    NOT_UTF8,
    PROTOCOL_FAULT,
    REFUSED,
    SESSION_ENDED,
    SIGNED_OUT,
    TOO_BIG,
    TOO_FAST,
    TOO_MANY,
    Farewell,
)
from scoreboard.live.frames import close_answer, close_frame, pong_frame
from scoreboard.live.outlet import Outlet
from scoreboard.wire import Authenticate, Expiring, Input, Ping, SignedIn, State, Subscribe, Unsubscribe

MAX_GARBAGE = 10
"""Messages in a row that make no sense, or come too fast, after which the socket is closed."""

MAX_UNSENT_REPLIES = 64 * 1024
"""Bytes of unsent answers beyond which a socket is not read, until its client takes them or is cut for stalling."""

CLOSE_US = 2 * SECOND
"""How long a client may take to answer a close before the connection is cut."""

BEFORE_SIGN_IN = frozenset({"auth", "ping", "pong", "register", "login", "refresh"})
"""Messages that are answered on a socket that nobody signed in on."""

SIGN_OUTS = frozenset({"logout", "logout_all", "erase_me"})
"""Messages that end the socket's own session."""

_CLOSED = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED)
_numbers = count(1)

Message = WSMessageNoDecodeText


class Socket:
    """Reads one client's messages until either side ends it."""

    __slots__ = (
        "_address",
        "_codec",
        "_connection",
        "_cut_at",
        "_garbage",
        "_grant",
        "_in_flight",
        "_network",
        "_number",
        "_outlet",
        "_parted",
        "_replies",
        "_seat",
        "_services",
        "_signed_out",
        "_signing_out",
        "_user_agent",
        "_waiting",
    )

    def __init__(self, services: Services, outlet: Outlet, address: str, user_agent: str) -> None:
        self._services = services
        self._outlet = outlet
        self._codec = outlet.codec
        self._address = address
        self._network = network_of(address)
        self._user_agent = user_agent
        self._number = next(_numbers)
        self._grant: Grant | None = None
        self._connection = Connection(services.timing, services.clock.now())
        self._in_flight = 0
        self._garbage = 0
        self._replies = Replies(outlet, services.metrics)
        self._seat = Seat(services.seats, services.sockets_per_player)
        self._parted = False
        self._signing_out = False
        self._signed_out = False
        self._cut_at = 0
        self._waiting: asyncio.Future[None] | None = None

    @property
    def player_id(self) -> str | None:
        """Who is signed in."""
        return None if self._grant is None else self._grant.claims.player_id

    @property
    def session_id(self) -> str | None:
        """Under which session."""
        return None if self._grant is None else self._grant.claims.session_id

    async def run(self, receive: Callable[[], Awaitable[Message]]) -> None:
        """Answer messages until the connection is closed."""
        services = self._services
        services.registry.add(self)
        if not self._parted:
            services.wheel.schedule(self, services.clock.now())
        try:
            while (message := await receive()).type not in _CLOSED:
                if message.type is WSMsgType.ERROR:
                    await self._fault(message.data)
                    return
                if not self._parted:
                    await self._take(message)
            if not self._parted and message.type is WSMsgType.CLOSE:
                self._outlet.finish(close_answer(message.data))
        finally:
            services.hub.leave(self._outlet)
            services.registry.remove(self)
            self._seat.leave()
            services.wheel.cancel(self)
            self._outlet.close()

    def part(self, farewell: Farewell) -> None:
        """Say goodbye and close; the reader ends when the client has answered, or is cut."""
        if self._parted:
            return
        if self._signing_out and farewell in (SESSION_ENDED, BANNED):
            self._signed_out = True  # by its own message, which is answered first
            return
        self._parted = True
        self._services.hub.leave(self._outlet)
        self._replies.send(farewell.bye())
        self._outlet.finish(close_frame(farewell.code, farewell.reason))
        now = self._services.clock.now()
        self._cut_at = now + CLOSE_US
        self._services.wheel.schedule(self, now)
        self._wake()

    def abort(self) -> None:
        """Cut the connection without a word."""
        self._outlet.abort()

    def due(self, now: int) -> int | None:
        """What the socket's deadline is for."""
        self._wake()  # whoever waits for room looks again
        if self._parted:
            return self._closing(now)
        steps, following = self._connection.due(now)
        for step in steps:
            if isinstance(step, Farewell):
                self.part(step)
                return now
            self._step(step, now)
        return following

    def _closing(self, now: int) -> int | None:
        """Look whether the client has closed, until its time is up."""
        if self._outlet.closed:
            return None
        if now >= self._cut_at:
            self._outlet.abort()
        return now

    def _step(self, step: Step, now: int) -> None:
        if step is Step.PING:
            self._replies.send(Ping())
        elif step is Step.PAUSE:
            self._services.hub.pause(self._outlet)
            self._replies.send(State(state="inactive"))
        elif step is Step.WARN:
            self._replies.send(Expiring(expires_in=self._expires_in(now)))
        else:
            self._outlet.abort()

    # What comes in

    async def _take(self, message: Message) -> None:
        now = self._services.clock.now()
        self._connection.heard()
        if message.type is WSMsgType.PONG or self._too_fast(message):
            return
        if message.type is WSMsgType.PING:
            self._outlet.write(pong_frame(message.data))
        elif (message.type is WSMsgType.TEXT) != (self._codec == "json"):
            self.part(BAD_PROTOCOL)
        elif len(message.data) > self._services.settings.max_message_bytes:
            self.part(TOO_BIG)
        elif self._codec == "json" and not is_utf8(message.data):
            self.part(NOT_UTF8)
        else:
            await self._read(message.data, now)
        await self._room()

    async def _read(self, raw: bytes, now: int) -> None:
        inbound = self._services.inbound
        try:
            message = inbound.decode(self._codec, raw)
        except BadRequest as fault:
            self._replies.refuse(fault, inbound.label_of(self._codec, raw))
            self._count_garbage(BAD_PROTOCOL)
            return
        self._garbage = 0
        name = inbound.name_of(message)
        if name not in ("ping", "pong") and self._connection.acted(now):
            self._services.hub.resume(self._outlet)
            self._replies.send(State(state="active"))
        await self._answer(name, message, id_of(message))

    async def _answer(self, name: str, message: Input, label: Label) -> None:
        if self._connection.state == "connected" and name not in BEFORE_SIGN_IN:
            self._replies.refuse(Unauthenticated("Send `auth` first; without a token for a spectator."), label)
        elif isinstance(message, Authenticate):
            await self._authenticate(message, label)
        elif name == "refresh":
            await self._work(name, message, label)
        else:
            self._answer_at_once(name, message, label)

    def _answer_at_once(self, name: str, message: Input, label: Label) -> None:
        if name == "ping":
            self._replies.send(Pong(id=label))
        elif name == "activity":
            self._activity(label)
        elif isinstance(message, Subscribe):
            self._subscribe(message, label)
        elif isinstance(message, Unsubscribe):
            self._unsubscribe(message, label)
        elif name != "pong":
            self._in_flight += 1
            self._services.tasks.start(self._operate(name, message, label), name)

    async def _operate(self, name: str, message: Input, label: Label) -> None:
        try:
            await (self._sign_out if name in SIGN_OUTS else self._work)(name, message, label)
        finally:
            self._in_flight -= 1
            self._wake()

    async def _work(self, name: str, message: Input, label: Label) -> None:
        claims = None if self._grant is None else self._grant.claims
        try:
            output = await self._services.dispatch(name, message, Identity(self._address, self._user_agent, claims))
        except Exception as fault:  # whatever it is, the client is answered and the socket lives
            self._replies.refuse(fault, label)
            return
        self._replies.result(label, output)
        if name == "refresh" and isinstance(output, SignedIn):
            await self._renew(output)

    # Signing in

    async def _authenticate(self, message: Authenticate, label: Label) -> None:
        try:
            await self._sign_in(message.token)
        except Exception as fault:  # as above
            self._replies.refuse(fault, label)
            if isinstance(fault, Unauthenticated | PlayerBanned):
                self.part(BANNED if isinstance(fault, PlayerBanned) else REFUSED)
            return
        if await self._admit():
            now, grant = self._services.clock.now(), self._grant
            self._replies.send(
                AuthOk(
                    id=label,
                    player=None if grant is None else grant.player,
                    expires_in=None if grant is None else self._expires_in(now),
                    ping_s=whole(self._services.settings.ping_s),
                    limits=self._services.limits,
                )
            )

    async def _renew(self, signed_in: SignedIn) -> None:
        """The session was refreshed over this socket: so is the socket, if it is the same player's."""
        if self.player_id == signed_in.player.id:
            with contextlib.suppress(ScoreboardError):  # then the socket ends when it was to end
                await self._sign_in(signed_in.access_token)
                await self._admit()

    async def _sign_in(self, token: str | None) -> None:
        """Take the client for whom the token names. Raises what speaks against it, and all is as before."""
        services, before = self._services, self._grant
        grant = None if token is None else await services.authenticate(token)
        self._file(grant)
        if grant is None:
            return
        try:
            # Not earlier: an end of the session before this is seen here, a later one finds the socket filed.
            await services.check(grant.claims)
        except Exception:
            self._file(before)
            raise

    def _file(self, grant: Grant | None) -> None:
        """Be found under the grant's player and session."""
        self._services.registry.release(self)
        self._grant = grant
        self._services.registry.identified(self)

    async def _admit(self) -> bool:
        """Let whoever has signed in go on; False where the player has too many connections."""
        services, player_id = self._services, self.player_id
        if not await self._seat.take(None if player_id is None else f"player/{player_id}"):
            self.part(TOO_MANY)
            return False
        now = services.clock.now()
        self._connection.signed_in(now, None if self._grant is None else self._grant.claims.expires_at)
        services.wheel.schedule(self, now)
        if self._outlet.player_id != player_id:
            self._outlet.player_id = player_id
            services.hub.identified(self._outlet)
        return True

    async def _sign_out(self, name: str, message: Input, label: Label) -> None:
        self._signing_out = True
        await self._work(name, message, label)
        self._signing_out = False
        if self._signed_out:
            self.part(SIGNED_OUT)

    def _expires_in(self, now: int) -> int:
        return 0 if self._grant is None else max(self._grant.claims.expires_at - now, 0) // SECOND

    # Subscriptions

    def _subscribe(self, message: Subscribe, label: Label) -> None:
        try:
            name = self._services.hub.subscribe(self._outlet, message)
        except ScoreboardError as fault:
            self._replies.refuse(fault, label)
        else:
            self._replies.result(label, Subscribed(name))

    def _unsubscribe(self, message: Unsubscribe, label: Label) -> None:
        try:
            self._services.hub.unsubscribe(self._outlet, message.subscription)
        except ScoreboardError as fault:
            self._replies.refuse(fault, label)
        else:
            self._replies.result(label, None)

    def _activity(self, label: Label) -> None:
        if label is not UNSET:
            self._replies.result(label, None)

    # Bounds

    def _too_fast(self, message: Message) -> bool:
        wait_s = self._services.messages.take(self.player_id or self._number, self._network)
        if wait_s is None:
            return False
        quota = self._services.messages.quota
        self._replies.refuse(RateLimited("Too many messages.", retry_after_s=wait_s, quota=quota))
        self._count_garbage(TOO_FAST._replace(retry_after_ms=int(wait_s * SECOND) // MILLISECOND))
        return True

    def _count_garbage(self, farewell: Farewell) -> None:
        self._garbage += 1
        if self._garbage >= MAX_GARBAGE:
            self.part(farewell)

    async def _room(self) -> None:
        """Wait, and so do not read, while too much is being worked on or too little is taken by the client."""
        most = self._services.settings.max_in_flight
        while not self._parted and (self._in_flight >= most or self._outlet.unsent() > MAX_UNSENT_REPLIES):
            self._waiting = asyncio.get_running_loop().create_future()
            self._services.wheel.schedule(self, self._services.clock.now())
            await self._waiting

    def _wake(self) -> None:
        if self._waiting is not None:
            if not self._waiting.done():
                self._waiting.set_result(None)
            self._waiting = None

    async def _fault(self, fault: object) -> None:
        """The peer broke the protocol, or vanished."""
        if not isinstance(fault, WebSocketError) or self._outlet.closed:
            return
        self.part(_FAULTS.get(fault.code, PROTOCOL_FAULT))
        self._outlet.end()
        while not self._outlet.closed:  # what still comes is discarded, or the close would be lost in a reset
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting


_FAULTS = {TOO_BIG.code: TOO_BIG, NOT_UTF8.code: NOT_UTF8}
