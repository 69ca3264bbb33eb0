"""A call that comes as a request: its address and body become the operation's input."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import StreamReader, hdrs, web
from msgspec import Struct

from scoreboard.api.call import Call, Handler
from scoreboard.api.operation import Operation
from scoreboard.api.operations import OPERATIONS
from scoreboard.api.ready import Outgoing
from scoreboard.codec import decode_json
from scoreboard.errors import BadRequest, TooLarge
from scoreboard.wire import Nothing

MAX_IDEMPOTENCY_KEY = 128
MAX_USER_AGENT = 256

JSON = "application/json"

_object = msgspec.json.Decoder(dict[str, Any])
_decoders = {operation.name: msgspec.json.Decoder(operation.input) for operation in OPERATIONS}


class Named(Struct, eq=False):
    """What an address names: an operation, and values for its input; `query` is None where it is still to be read.

    For an operation without a body that is all, and `input` is kept once it is known.
    """

    operation: Operation[Any, Any]
    path: Mapping[str, str]
    query: Mapping[str, str] | None = None
    input: Any = None


class RestCall(Call, eq=False, kw_only=True):
    """A call that came as a request; `go_on` is where it goes from behind all middlewares.

    `outgoing` is what writes the answer where nobody else has a say in its headers, or wants to see them.
    """

    request: web.Request
    named: Named
    go_on: Callable[["RestCall"], Awaitable[web.StreamResponse]]
    outgoing: Outgoing | None = None


def read_input(call: RestCall, handler: Handler) -> Awaitable[Any]:
    """Path, query and body become the operation's input."""
    if call.operation.method in {"POST", "PUT"}:
        return _with_body(call, handler)
    named = call.named
    if named.input is None:
        named.input = _from_address(named, _query(call))
    call.input = named.input
    return handler(call)


async def _with_body(call: RestCall, handler: Handler) -> Any:
    headers = call.request.headers
    call.user_agent = headers.get(hdrs.USER_AGENT, "")[:MAX_USER_AGENT]
    call.idempotency_key = _idempotency_key(headers.get("Idempotency-Key"))
    call.input = await _from_body(call)
    return await handler(call)


def _from_address(named: Named, query: Mapping[str, str]) -> Any:
    if not query.keys().isdisjoint(named.path):
        raise BadRequest(f"`{min(query.keys() & named.path.keys())}` is given twice in the address.")
    return _convert({**query, **named.path}, named.operation, strict=False)


async def _from_body(call: RestCall) -> Any:
    request, operation, path = call.request, call.operation, call.named.path
    raw = await _read_body(request, getattr(call.context.settings.limits, operation.body_cap))
    if operation.input is Nothing and not raw:
        return Nothing()
    # The first is what nearly all send; `content_type` takes it apart.
    if raw and request.headers.get(hdrs.CONTENT_TYPE) != JSON and request.content_type != JSON:
        raise BadRequest("The body must be JSON, with the header `Content-Type: application/json`.")
    query = _query(call)
    if not path and not query:
        return decode_json(raw, _decoders[operation.name])
    given = decode_json(raw, _object) if raw else {}
    for name, value in given.items():
        if name in query or path.get(name, value) != value:
            raise BadRequest(f"`{name}` is given in the address and differently in the body.")
    return _convert({**query, **given, **path}, operation, strict=True)


async def _read_body(request: web.Request, cap: int) -> bytes:
    """The body, of at most `cap` bytes; our own bound, as a sub-application's is ignored by aiohttp."""
    if (request.content_length or 0) <= cap:
        try:
            body = await _read_capped(request.content, cap)
        except web.RequestPayloadError:
            raise BadRequest("The body is not encoded as its headers say.") from None
        except ConnectionError:
            raise BadRequest("The connection was lost before the body was complete.") from None  # nobody hears it
        if len(body) <= cap:
            return body
    raise TooLarge(f"The body is larger than {cap} bytes.")


async def _read_capped(content: StreamReader, cap: int) -> bytes:
    """The body, or as much of it as shows that it is too large."""
    if content.is_eof():  # nearly all bodies have come by now
        return content.read_nowait()
    whole = bytearray()
    while len(whole) <= cap and (chunk := await content.readany()):
        whole += chunk
    return bytes(whole)


def _convert(given: dict[str, Any], operation: Operation[Any, Any], *, strict: bool) -> Any:
    try:
        return msgspec.convert(given, operation.input, strict=strict)
    except msgspec.ValidationError as fault:
        raise BadRequest(f"{fault}.") from None


def _query(call: RestCall) -> Mapping[str, str]:
    query = call.named.query
    if query is None:
        given = call.request.query
        query = dict(given)
        if len(query) != len(given):
            raise BadRequest("A parameter is given twice in the address.")
    return query


def _idempotency_key(key: str | None) -> str | None:
    if key is not None and not (1 <= len(key) <= MAX_IDEMPOTENCY_KEY and key.isascii() and key.isprintable()):
        raise BadRequest(f"`Idempotency-Key` must have 1 to {MAX_IDEMPOTENCY_KEY} printable ASCII characters.")
    return key
