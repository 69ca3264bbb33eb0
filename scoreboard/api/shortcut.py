"""The short way to an operation, past aiohttp's router and application.

They take longer to lead to most operations than those take to answer. What is found here is what they would find: a
plain address of an operation, as clients write it. All else goes the long way, and so does whoever wants more of HTTP.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiohttp import hdrs, web
from aiohttp.web_request import BaseRequest

from scoreboard.api.context import CONTEXT
from scoreboard.api.operation import Operation
from scoreboard.api.operations import OPERATIONS
from scoreboard.api.problems import METRICS, explain
from scoreboard.api.ready import Outgoing
from scoreboard.api.rest import PREFIX, perform, respond
from scoreboard.api.rest_call import Named, RestCall

MAX_ADDRESS_LENGTH = 512
MAX_ADDRESSES = 10_000
"""Addresses that are remembered; at that number all are forgotten."""

_WORD = r"[\w.:~-]"
_PLAIN = re.compile(
    rf"{PREFIX}([\w:~-]{_WORD}*(?:/[\w:~-]{_WORD}*)*)(?:\?({_WORD}+={_WORD}*(?:&{_WORD}+={_WORD}*)*))?", re.ASCII
)
"""A path, and perhaps a query, of characters that are never written otherwise; no segment is empty or dots."""


Handle = Callable[[BaseRequest], Awaitable[web.StreamResponse]]
Upgrade = Callable[[web.Request], Awaitable[web.StreamResponse]]

SOCKETS = "/ws"


class Shortcut:
    """A handler for all requests of an application that is served by itself.

    `otherwise` is how aiohttp would handle them. Where the application allows other origins (`cors`), requests of
    theirs go that way.
    """

    def __init__(self, app: web.Application, otherwise: Handle, upgrade: Upgrade, *, cors: bool) -> None:
        self._context = app[CONTEXT]
        self._metrics = app[METRICS]
        self._otherwise = otherwise
        self._upgrade = upgrade
        self._cors = cors
        self._addresses = Addresses(OPERATIONS)
        self._outgoing = Outgoing()

    def __call__(self, request: BaseRequest) -> Awaitable[web.StreamResponse]:
        """Answer a request."""
        assert isinstance(request, web.Request)
        named = self._addresses.find(request.method, request.raw_path)
        headers = request.headers
        if named is None or hdrs.EXPECT in headers or (self._cors and hdrs.ORIGIN in headers):
            if request.raw_path == SOCKETS and request.method == "GET" and hdrs.EXPECT not in headers:
                return self._open(request)
            return self._otherwise(request)
        call = RestCall(
            self._context,
            named.operation,
            "rest",
            credentials=headers.get(hdrs.AUTHORIZATION),
            request=request,
            named=named,
            go_on=respond,
            outgoing=self._outgoing,
        )
        return perform(call, self._metrics)

    async def _open(self, request: web.Request) -> web.StreamResponse:
        """A WebSocket: whatever is waited for on the way to it is kept for as long as it is open."""
        try:
            return await self._upgrade(request)
        except Exception as fault:  # the last resort is to tell that something failed
            return explain(fault, request, secrets.token_hex(8), self._metrics)


def shorten(runner: web.AppRunner, upgrade: Upgrade, *, cors: bool) -> None:
    """Put the short way in front of an application that was set up and does not listen yet; `upgrade` opens sockets."""
    server = runner.server
    assert server is not None
    server.request_handler = Shortcut(runner.app, server.request_handler, upgrade, cors=cors)


class Addresses:
    """Finds what plain addresses name."""

    def __init__(self, operations: Iterable[Operation[Any, Any]]) -> None:
        self._roots: dict[str, _Branch] = {}
        for operation in operations:
            branch = self._roots.setdefault(operation.method, _Branch())
            for segment in operation.path.split("/"):
                branch = branch.grow(segment)
            branch.operation = operation
        self._known: dict[tuple[str, str], Named] = {}

    def find(self, method: str, address: str) -> Named | None:
        """What the path and query of a request name; None where they are not plain or name no operation."""
        known = self._known.get((method, address))
        if known is not None:
            return known
        named = self._look_up(method, address)
        if named is not None and len(address) <= MAX_ADDRESS_LENGTH:
            if len(self._known) >= MAX_ADDRESSES:
                self._known.clear()
            self._known[method, address] = named
        return named

    def _look_up(self, method: str, address: str) -> Named | None:
        plain, branch = _PLAIN.fullmatch(address), self._roots.get(method)
        if plain is None or branch is None:
            return None
        path: dict[str, str] = {}
        for segment in plain[1].split("/"):
            below = branch.named.get(segment)
            if below is None:
                below = branch.any
                if below is None:
                    return None
                path[branch.parameter] = segment
            branch = below
        query = _query(plain[2])
        return None if branch.operation is None or query is None else Named(branch.operation, path, query)


class _Branch:
    """Where one may go on to from the beginning of a path: by the name of a segment, else by any segment."""

    __slots__ = ("any", "named", "operation", "parameter")

    def __init__(self) -> None:
        self.named: dict[str, _Branch] = {}
        self.any: _Branch | None = None
        self.parameter = ""
        self.operation: Operation[Any, Any] | None = None

    def grow(self, segment: str) -> "_Branch":
        """The branch below, which is made where it is missing."""
        if not segment.startswith("{"):
            return self.named.setdefault(segment, _Branch())
        self.parameter = segment.strip("{}")
        self.any = self.any or _Branch()
        return self.any


def _query(text: str | None) -> dict[str, str] | None:
    """The parameters of a plain query; None where one is given twice."""
    if text is None:
        return {}
    pairs = text.split("&")
    query = dict([pair.split("=", 1) for pair in pairs])
    return query if len(query) == len(pairs) else None
