"""The WebSocket side of the client: subscribe, iterate over boards as they change, and survive lost connections."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import aiohttp
import msgspec

from scoreboard.client.backoff import pause_s
from scoreboard.client.claim import Metadata, claim
from scoreboard.client.link import Codec, Head, Link
from scoreboard.client.problems import ClientError, Problem, error_of
from scoreboard.client.view import BoardView, Gap, from_delta, from_snapshot
from scoreboard.errors import (
    ActionTokenUsed,
    BadRequest,
    Forbidden,
    OutcomeUnknown,
    ScoreboardError,
    Unauthenticated,
    Unavailable,
)
from scoreboard.tasks import Tasks
from scoreboard.wire import (
    ActionStarted,
    Bye,
    Delta,
    Expiring,
    Freshness,
    MePushed,
    ScoreOut,
    Snapshot,
    State,
    Subscribe,
)

T = TypeVar("T")
Update = BoardView | MePushed

MAX_IN_FLIGHT = 16
"""Calls that wait for an answer at once; more wait for their turn."""

ATTEMPTS = 6
"""Times that a score is sent while the connection is lost or the server asks to come later."""

GRACE_S = 10.0
"""Silence beyond the server's ping interval after which the connection counts as lost."""

FINAL_ERRORS = (BadRequest, ClientError, Forbidden, Unauthenticated)


LinkState = Literal["active", "stale", "inactive", "reconnecting"]
"""`stale`: boards may be behind, because the server has lost what it needs."""


class _Subscribed(msgspec.Struct):
    subscription: str


class _Authenticated(msgspec.Struct):
    ping_s: float = 25.0


async def _nothing_to_renew() -> None:
    return


def _nobody_to_tell(state: LinkState, retry_in_s: float) -> None:
    return


class Live:
    """One live connection. `async for update in live` yields each board's newest state, and own standings.

    States in between may be left out: a slow reader sees the latest. A lost connection is made again by itself and
    subscriptions go on from the version shown. Iteration and calls raise once the server refuses for good, be it the
    client or one of its boards, at once or later. `told` hears how the connection is, and the seconds until it is tried
    again.
    """

    def __init__(
        self,
        url: str,
        *,
        token: Callable[[], str | None] = lambda: None,
        renew: Callable[[], Awaitable[None]] = _nothing_to_renew,
        codec: Codec = "json",
        told: Callable[[LinkState, float], None] = _nobody_to_tell,
    ) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._renew = renew
        self._codec = codec
        self._told = told
        self._http: aiohttp.ClientSession | None = None
        self._link: Link | None = None
        self._tasks = Tasks()
        self._ids = count(1)
        self._in_flight = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._pending: dict[int, asyncio.Future[bytes]] = {}
        self._subscriptions: dict[str, Subscribe] = {}
        self._views: dict[str, BoardView] = {}
        self._updates: dict[str, Update] = {}
        self._updated = asyncio.Event()
        self._told_to_wait_s = 0.0
        self._end: Exception | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        try:
            await self._connect(self._http)
        except BaseException:
            await self._http.close()
            raise
        self._tasks.start(self._run(self._http), "live client")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._tasks.cancel()
        self._finish(Unavailable("the connection was closed"))
        await self.drop()
        if self._http is not None:
            await self._http.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Update:
        while not self._updates:
            if self._end is not None:
                raise self._end
            self._updated.clear()
            await self._updated.wait()
        return self._updates.pop(next(iter(self._updates)))

    # What one may ask

    async def subscribe(self, board: str, *, window: str | None = None, limit: int = 10, me: bool = False) -> str:
        """Follow a board's best rows, or with `me` the own standing; returns the subscription's name."""
        wanted = Subscribe(board=board, window=window, limit=limit, me=me)
        answer = await self.call(_Subscribed, "subscribe", **msgspec.to_builtins(wanted))
        self._subscriptions[answer.subscription] = wanted
        return answer.subscription

    async def unsubscribe(self, subscription: str) -> None:
        """Stop following; what is shown of it is forgotten."""
        await self._ask("unsubscribe", {"subscription": subscription})
        for kept in (self._subscriptions, self._views, self._updates):
            kept.pop(subscription, None)

    async def start_action(self, board: str, action: str) -> ActionStarted:
        """Begin something that may score; the answer holds the one-time action token."""
        return await self.call(ActionStarted, "action", board=board, action=action)

    async def submit(
        self,
        board: str,
        action_token: str,
        score: int,
        *,
        tiebreakers: Sequence[int] = (),
        metadata: Metadata | None = None,
    ) -> ScoreOut:
        """Submit one score. It counts once however often it has to be sent, over lost connections too.

        Raises ActionTokenUsed where an earlier call used the token, and what the server refuses for good; also
        OutcomeUnknown or Unavailable where no attempt got through: the same call may then be made again.
        """
        fields = claim(board, action_token, score, tiebreakers, metadata)
        attempt = 0
        while True:
            try:
                return await self.call(ScoreOut, "score", **fields)
            except ActionTokenUsed as error:
                if attempt == 0 or error.result is None:
                    raise
                return msgspec.convert(error.result, ScoreOut)  # an earlier attempt of this very call was committed
            except ScoreboardError as error:
                attempt += 1
                if not error.temporary or attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(pause_s(attempt - 1, error.retry_after_s))

    async def call(self, output: type[T], kind: str, **fields: Any) -> T:
        """Any message that has a `result`, decoded as `output`; raises what the server answers with."""
        return self._connected().decode(await self._ask(kind, fields), output)

    def view(self, subscription: str) -> BoardView | None:
        """What is shown of a subscription now."""
        return self._views.get(subscription)

    async def drop(self) -> None:
        """Cut the connection, as a lost network would; it is made again by itself."""
        if self._link is not None:
            await self._link.close()

    async def _ask(self, kind: str, fields: dict[str, Any]) -> bytes:
        if self._end is not None:
            raise self._end
        async with self._in_flight:
            number = next(self._ids)
            answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            self._pending[number] = answer
            try:
                await self._connected().send(kind, id=number, **fields)
                return await answer
            finally:
                self._pending.pop(number, None)

    # The connection

    async def _run(self, http: aiohttp.ClientSession) -> None:
        try:
            while self._end is None:
                await self._stay(http)
        except Exception as fault:  # whatever it is, who iterates would wait for ever
            self._finish(fault)

    async def _stay(self, http: aiohttp.ClientSession) -> None:
        """Take what comes until the connection is lost, and make it again. Raises what is final."""
        link = self._connected()
        try:
            await self._read(link)
        except ScoreboardError as fault:
            if not fault.temporary:
                raise
            self._told_to_wait_s = max(self._told_to_wait_s, fault.retry_after_s or 0.0)
            self._link = None  # first: what is asked from now on would wait for an answer that nobody reads
            self._abandon(OutcomeUnknown(fault.detail))
            await link.close()
        await self._reconnect(http)

    async def _reconnect(self, http: aiohttp.ClientSession) -> None:
        for attempt in count():
            pause = pause_s(attempt, self._told_to_wait_s)
            self._told("reconnecting", pause)
            await asyncio.sleep(pause)
            self._told_to_wait_s = 0.0
            try:
                await self._connect(http)
                return
            except FINAL_ERRORS:
                raise
            except ScoreboardError:
                continue

    async def _connect(self, http: aiohttp.ClientSession) -> None:
        try:
            link = await self._open(http)
        except Unauthenticated:
            if self._token() is None:
                raise
            await self._renew()
            link = await self._open(http)
        self._link = link  # not before: who asked on a link that is given up again would wait for ever
        self._told("active", 0)

    async def _open(self, http: aiohttp.ClientSession) -> Link:
        link = await Link.connect(http, self._url, self._codec)
        try:
            await self._authenticate(link)
            for name, wanted in self._subscriptions.items():
                await self._resume(link, name, wanted)
        except BaseException:
            await link.close()
            raise
        return link

    async def _authenticate(self, link: Link) -> None:
        await self._send_token(link)
        while True:
            raw = await link.receive()
            head = link.decode(raw, Head)
            if head.type == "auth.ok":
                link.silence_s = link.decode(raw, _Authenticated).ping_s + GRACE_S
                return
            if head.type == "error":
                raise error_of(link.decode(raw, Problem))
            await self._take(link, raw, head)

    async def _send_token(self, link: Link) -> None:
        token = self._token()
        await link.send("auth", id="auth", **({} if token is None else {"token": token}))

    async def _resume(self, link: Link, name: str, wanted: Subscribe) -> None:
        shown = self._views.get(name)
        since = shown.since if shown is not None else None
        await link.send("subscribe", **msgspec.to_builtins(msgspec.structs.replace(wanted, since=since)))

    async def _read(self, link: Link) -> None:
        while True:
            raw = await link.receive()
            await self._take(link, raw, link.decode(raw, Head))

    async def _take(self, link: Link, raw: bytes, head: Head) -> None:
        match head.type:
            case "result" | "error":
                self._answered(link, raw, head)
            case "snapshot":
                await self._show(link, link.decode(raw, Snapshot))
            case "delta":
                await self._show(link, link.decode(raw, Delta))
            case "me":
                own = link.decode(raw, MePushed)
                self._publish(f"{own.board}/{own.window}/me", own)
            case "ping":
                await link.send("pong")
            case "state":
                await self._wake(link, link.decode(raw, State).state)
            case "freshness":
                self._told("stale" if link.decode(raw, Freshness).stale else "active", 0)
            case "expiring":
                seconds = link.decode(raw, Expiring).expires_in
                self._tasks.start(self._renew_on(link, seconds / 2), "live client renews its session")
            case "bye":
                self._parted(link.decode(raw, Bye))

    def _answered(self, link: Link, raw: bytes, head: Head) -> None:
        error = error_of(link.decode(raw, Problem)) if head.type == "error" else None
        if error is not None and head.id is None:
            raise error  # a board is refused from now on, or a message was lost before its id was read
        waiting = self._pending.pop(head.id, None) if isinstance(head.id, int) else None
        if waiting is None or waiting.done():
            return
        if error is None:
            waiting.set_result(raw)
        else:
            waiting.set_exception(error)

    async def _show(self, link: Link, new: Snapshot | Delta) -> None:
        name = f"{new.board}/{new.window}/{new.limit}"
        shown = self._views.get(name)
        try:
            view = from_snapshot(shown, new) if isinstance(new, Snapshot) else from_delta(shown, new)
        except Gap:
            self._views.pop(name, None)
            if (wanted := self._subscriptions.get(name)) is not None:
                await self._resume(link, name, wanted)
            return
        if view is not shown:
            self._views[name] = view
            self._publish(name, view)

    async def _wake(self, link: Link, state: str) -> None:
        if state == "inactive":
            self._told("inactive", 0)
            await link.send("activity")
        else:
            self._told("active", 0)

    def _parted(self, bye: Bye) -> None:
        self._told_to_wait_s = bye.retry_after_ms / 1000
        if not bye.reconnect:
            raise Forbidden(f"the server said goodbye: {bye.reason}")

    async def _renew_on(self, link: Link, after_s: float) -> None:
        await asyncio.sleep(after_s)
        with contextlib.suppress(ScoreboardError):  # then the session ends, as announced
            await self._renew()
            await self._send_token(link)

    def _publish(self, name: str, update: Update) -> None:
        self._updates[name] = update
        self._updated.set()

    def _connected(self) -> Link:
        if self._http is None:
            raise RuntimeError("use the client in `async with`")
        if self._link is None:
            raise Unavailable("the connection is lost; it is being made again")
        return self._link

    def _finish(self, error: Exception) -> None:
        self._end = error
        self._abandon(error)
        self._updated.set()

    def _abandon(self, error: Exception) -> None:
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_exception(error)
        self._pending.clear()
