"""The REST side of the client: every call typed, safe repeats after an outage, errors as exceptions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Literal, Self, TypeVar
from urllib.parse import quote
from uuid import uuid4

import aiohttp
import msgspec

from scoreboard.client.backoff import pause_s
from scoreboard.client.claim import Metadata, claim
from scoreboard.client.live import Live
from scoreboard.client.problems import ClientError, Problem, error_of, silent
from scoreboard.errors import (
    ActionTokenUsed,
    OutcomeUnknown,
    ScoreboardError,
    TokenExpired,
    Unauthenticated,
    Unavailable,
)
from scoreboard.model import BoardSettings
from scoreboard.wire import (
    ActionStarted,
    BatchItem,
    BatchItemOut,
    BatchOut,
    BoardOut,
    BoardsOut,
    HistoryOut,
    MeOut,
    PageOut,
    PlayerRowOut,
    Row,
    ScoreOut,
    SignedIn,
    VoidOut,
)

T = TypeVar("T")
Query = Mapping[str, str | int | None]

REFRESH = "auth/refresh"
NOT_SIGNED_IN = "sign in first: login(), register() or a token"


class Client:
    """An asynchronous client of one server, as a player (`token`), a backend (`key`) or a spectator (neither).

    `url` is where the server is mounted, for example `http://127.0.0.1:8080`. Failures the server names are raised as
    the classes of `scoreboard.errors`; calls that may be repeated are, up to `attempts` times, while the failure is
    temporary or the connection was lost. An expired access token is renewed by itself where a refresh token is known.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        token: str | None = None,
        refresh_token: str | None = None,
        attempts: int = 6,
        timeout_s: float = 30.0,
    ) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self.refresh_token = refresh_token
        self._key = key
        self._attempts = attempts
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    # Accounts

    async def register(self, username: str, password: str, name: str | None = None) -> SignedIn:
        """Create a player and sign in. Not repeated by itself: after a lost answer the username may be taken."""
        body = {"username": username, "password": password, **({} if name is None else {"name": name})}
        return self._signed_in(await self._call("POST", "auth/register", SignedIn, body, repeat=False))

    async def login(self, username: str, password: str) -> SignedIn:
        """Sign in; later calls are made as this player."""
        body = {"username": username, "password": password}
        return self._signed_in(await self._call("POST", "auth/login", SignedIn, body))

    async def refresh(self) -> SignedIn:
        """Trade the refresh token for new tokens. Raises Unauthenticated where there is none or it has ended."""
        if self.refresh_token is None:
            raise Unauthenticated(NOT_SIGNED_IN)
        body = {"refresh_token": self.refresh_token}
        return self._signed_in(await self._call("POST", REFRESH, SignedIn, body))

    async def logout(self) -> None:
        """End this sign-in."""
        await self._send("POST", "auth/logout")
        self.token = self.refresh_token = None

    async def exchange(self, player_id: str, name: str | None = None) -> SignedIn:
        """As a backend: tokens for a player of its own, who is created, or renamed, on the way."""
        body = {"player_id": player_id, **({} if name is None else {"name": name})}
        return await self._call("POST", "auth/exchange", SignedIn, body)

    async def me(self) -> MeOut:
        """Who is signed in."""
        return await self._call("GET", "me", MeOut)

    # Scores

    async def start_action(self, board: str, action: str) -> ActionStarted:
        """Begin something that may score; the answer holds the one-time action token."""
        return await self._call("POST", "actions", ActionStarted, {"board": board, "action": action})

    async def submit(
        self,
        board: str,
        action_token: str,
        score: int,
        *,
        tiebreakers: Sequence[int] = (),
        metadata: Metadata | None = None,
    ) -> ScoreOut:
        """Submit one score. It counts once however often it has to be sent.

        Raises ActionTokenUsed where the token was used by an earlier call, and OutcomeUnknown where no answer came in
        any attempt: the same call may then be made again.
        """
        body = claim(board, action_token, score, tiebreakers, metadata)
        return await self._call("POST", "scores/update", ScoreOut, body)

    async def batch(self, items: Sequence[BatchItem]) -> tuple[BatchItemOut, ...]:
        """As a backend: submit up to 1000 scores; one outcome per item, in the order given.

        Items that failed for a moment only are sent again. Items without an `id` get one, so that what is repeated here
        counts nothing twice. They get a new one at each call: to call again with the same items, after OutcomeUnknown
        for instance, give each an `id` of your own.
        """
        named = [item if item.id else msgspec.structs.replace(item, id=uuid4().hex) for item in items]
        outcomes: dict[int, BatchItemOut] = {}
        waiting = list(range(len(named)))
        for attempt in range(self._attempts):
            answer = await self._call("POST", "scores/batch", BatchOut, {"items": [named[at] for at in waiting]})
            outcomes |= dict(zip(waiting, answer.items, strict=True))
            waiting = [at for at in waiting if outcomes[at].temporary is True]
            if not waiting:
                break
            await asyncio.sleep(pause_s(attempt))
        return tuple(outcomes[at] for at in range(len(named)))

    async def void(self, submission_id: str, reason: str = "") -> VoidOut:
        """As an official: take a counted submission out of every standing."""
        path = f"admin/submissions/{_segment(submission_id)}/void"
        return await self._call("POST", path, VoidOut, {"reason": reason})

    # Boards

    async def put_board(self, board: str, settings: BoardSettings) -> BoardOut:
        """Create a board, or replace its settings."""
        return await self._call("PUT", f"admin/boards/{_segment(board)}", BoardOut, settings)

    async def freeze_board(self, board: str, at: str | None = None) -> BoardOut:
        """Keep from view what comes to a board from now on, or from an RFC 3339 time to come."""
        body = {} if at is None else {"at": at}
        return await self._call("POST", f"admin/boards/{_segment(board)}/freeze", BoardOut, body)

    async def reveal_board(self, board: str) -> BoardOut:
        """Show a frozen board as it is, or call off a freeze to come."""
        return await self._call("POST", f"admin/boards/{_segment(board)}/reveal", BoardOut, {})

    async def boards(self) -> tuple[BoardOut, ...]:
        """The boards one may see."""
        return (await self._call("GET", "boards", BoardsOut)).boards

    async def board(self, board: str) -> BoardOut:
        """A board's settings. Raises NotFound."""
        return await self._call("GET", f"boards/{_segment(board)}", BoardOut)

    async def top(
        self, board: str, limit: int = 10, *, window: str | None = None, period: str | None = None
    ) -> PageOut:
        """The best `limit` rows (at most 100)."""
        query = {"limit": limit, "window": window, "period": period}
        return await self._call("GET", f"boards/{_segment(board)}/top", PageOut, query=query)

    async def standings(
        self, board: str, *, window: str | None = None, period: str | None = None, page_size: int = 100
    ) -> AsyncIterator[Row]:
        """Every row, best first, page by page as they are asked for."""
        cursor: str | None = None
        while True:
            query = {"limit": page_size, "cursor": cursor, "window": window, "period": period}
            page = await self._call("GET", f"boards/{_segment(board)}/standings", PageOut, query=query)
            for row in page.rows:
                yield row
            if not isinstance(page.next, str):
                return
            cursor = page.next

    async def player(self, board: str, player_id: str) -> PlayerRowOut:
        """Where one player stands. Raises NotFound where they are not on the board."""
        return await self._call("GET", f"boards/{_segment(board)}/players/{_segment(player_id)}", PlayerRowOut)

    async def history(self, board: str, player_id: str, limit: int = 50) -> HistoryOut:
        """A player's submissions on a board, newest first."""
        path = f"boards/{_segment(board)}/players/{_segment(player_id)}/history"
        return await self._call("GET", path, HistoryOut, query={"limit": limit})

    async def around(self, board: str, player_id: str, k: int = 5) -> PageOut:
        """The rows around a player: `k` above, the player, `k` below."""
        return await self._call(
            "GET", f"boards/{_segment(board)}/around/{_segment(player_id)}", PageOut, query={"k": k}
        )

    async def ranks(self, board: str, player_ids: Sequence[str]) -> PageOut:
        """The rows of up to 500 players; those not on the board are in `missing`."""
        return await self._call("POST", f"boards/{_segment(board)}/ranks", PageOut, {"players": tuple(player_ids)})

    async def export(
        self,
        board: str,
        write: Callable[[bytes], object],
        *,
        window: str | None = None,
        period: str | None = None,
        kind: Literal["csv", "json"] = "csv",
    ) -> bool | None:
        """Hand the whole board as a file to `write`, piece by piece; tells whether it stood still meanwhile.

        Where it did not, whoever moved may be missing, or there twice; None where the server was gone when it was asked
        for that, though the file is whole. It is asked for again, as all else, until the first piece has come. Raises
        OutcomeUnknown where it was broken off after that.
        """
        path, query = f"boards/{_segment(board)}/export", _given({"window": window, "period": period, "format": kind})
        patient = aiohttp.ClientTimeout(sock_read=self._timeout.total)
        has_begun = False

        async def fetch() -> str | None:
            nonlocal has_begun
            async with self._answered("GET", path, None, query, patient) as answer:
                async for piece in answer.content.iter_any():
                    has_begun = True
                    write(piece)
                return answer.headers.get("ETag")

        async def ask() -> str | None:
            async with self._answered("HEAD", path, None, query, self._timeout) as answer:
                return answer.headers.get("ETag")

        before = await self._repeated(path, fetch, lambda: not has_begun)
        try:
            return await self._repeated(path, ask) == before
        except Unavailable:
            return None

    def live(self) -> Live:
        """A WebSocket to the same server, signed in as this client: `async with client.live() as live`."""
        return Live(self.url, token=lambda: self.token, renew=self._renew)

    # The wire

    async def _renew(self) -> None:
        if self.refresh_token is not None:
            await self.refresh()

    def _signed_in(self, tokens: SignedIn) -> SignedIn:
        self.token, self.refresh_token = tokens.access_token, tokens.refresh_token
        return tokens

    async def _call(
        self,
        method: str,
        path: str,
        output: type[T],
        body: object = None,
        *,
        query: Query | None = None,
        repeat: bool = True,
    ) -> T:
        answer = await self._send(method, path, body, query=query, repeat=repeat)
        try:
            return msgspec.json.decode(answer, type=output)
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            raise ClientError(Problem(title=f"{self.url} does not answer like a scoreboard: {fault}"), 200) from fault

    async def _send(
        self, method: str, path: str, body: object = None, *, query: Query | None = None, repeat: bool = True
    ) -> bytes:
        payload = None if body is None else msgspec.json.encode(body)
        parameters = _given(query or {})
        may_be_done = False

        async def once() -> bytes:
            nonlocal may_be_done
            try:
                async with self._answered(method, path, payload, parameters, self._timeout) as answer:
                    return await answer.read()
            except ScoreboardError as error:
                if may_be_done and isinstance(error, ActionTokenUsed) and error.result is not None:
                    return msgspec.json.encode(error.result)  # an earlier attempt of this very call was committed
                may_be_done |= error.temporary
                raise

        return await self._repeated(path, once, lambda: repeat)

    async def _repeated(
        self, path: str, once: Callable[[], Awaitable[T]], may_repeat: Callable[[], bool] = lambda: True
    ) -> T:
        """What the call brings, made again while it fails for a moment only."""
        attempt = 0
        while True:
            try:
                return await self._signed(path, once)
            except ScoreboardError as error:
                attempt += 1
                if not (may_repeat() and error.temporary and attempt < self._attempts):
                    raise
                await asyncio.sleep(pause_s(attempt - 1, error.retry_after_s))

    async def _signed(self, path: str, once: Callable[[], Awaitable[T]]) -> T:
        """What the call brings, made with a new access token where the old one has expired."""
        try:
            return await once()
        except TokenExpired:
            if self.refresh_token is None or path == REFRESH:
                raise
        await self.refresh()
        return await once()

    @asynccontextmanager
    async def _answered(
        self, method: str, path: str, payload: bytes | None, query: Mapping[str, str], limit: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer, of which the body is yet to be read."""
        if self._session is None:
            raise RuntimeError("use the client in `async with`")
        address, headers = f"{self.url}/api/v1/{path}", self._headers(payload)
        try:
            async with self._session.request(
                method, address, data=payload, params=query, headers=headers, timeout=limit
            ) as answer:
                if answer.status >= 400:
                    wait_s = _retry_after_s(answer.headers.get("Retry-After"))
                    raise error_of(_problem(await answer.read()), answer.status, wait_s)
                yield answer
        except aiohttp.ClientConnectorError as fault:
            raise silent(self.url, fault) from fault
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise OutcomeUnknown(f"the connection to {self.url} was lost: {fault or type(fault).__name__}") from fault

    def _headers(self, payload: bytes | None) -> dict[str, str]:
        headers = {} if payload is None else {"Content-Type": "application/json"}
        if self._key is not None:
            headers["Authorization"] = f"Key {self._key}"
        elif self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers


def _given(query: Query) -> dict[str, str]:
    return {name: str(value) for name, value in query.items() if value is not None}


def _segment(text: str) -> str:
    return quote(text, safe="")


def _problem(content: bytes) -> Problem:
    try:
        return msgspec.json.decode(content, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Problem(title=content[:200].decode(errors="replace"))


def _retry_after_s(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() else None
