"""REST made from the table of operations: routes, bodies in, JSON out."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from scoreboard.api.addresses import address_of
from scoreboard.api.call import Call, Handler
from scoreboard.api.context import CONTEXT
from scoreboard.api.middleware import authenticate, bound, chain, guard, limit, run
from scoreboard.api.operation import Operation
from scoreboard.api.operations import OPERATIONS
from scoreboard.api.problems import RequestHandler, answer, explain
from scoreboard.api.ready import ReadyResponse, can_be_ready, head_of
from scoreboard.codec import decode_json
from scoreboard.errors import BadRequest, TooLarge
from scoreboard.leaderboard import TopPage, etag
from scoreboard.wire import Nothing, PageOut, PlayerRowOut, ScoreOut

PREFIX = "/api/v1/"
MAX_IDEMPOTENCY_KEY = 128
MAX_ADDRESS_LENGTH = 512
MAX_ADDRESSES = 10_000
"""Addresses whose input is remembered; at that number all are forgotten."""

JSON = "application/json"
REVALIDATE = "no-cache"
UNCACHED = "no-store"

Value = TypeVar("Value")

_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, Any])


class _RestCall(Call):
    """A call that came as a request; `endpoint` is what aiohttp would have the request go on to."""

    __slots__ = ("endpoint", "request")

    request: web.Request
    endpoint: RequestHandler


_CALL: web.RequestKey[_RestCall] = web.RequestKey("call", _RestCall)


def _endpoint(operation: Operation[Any, Any]) -> RequestHandler:
    """The aiohttp handler of an operation: behind all middlewares."""

    async def endpoint(request: web.Request) -> web.StreamResponse:
        return _response(request, operation, await run(request[_CALL]))

    return endpoint


_operations: dict[Any, Operation[Any, Any]] = {_endpoint(operation): operation for operation in OPERATIONS}
"""The operation that each endpoint stands for."""


def add_routes(app: web.Application) -> None:
    """One route for each operation."""
    for endpoint, operation in _operations.items():
        if operation.method == "GET":
            app.router.add_get(PREFIX + operation.path, endpoint)  # HEAD too
        else:
            app.router.add_route(operation.method, PREFIX + operation.path, endpoint)


@web.middleware
async def operate(request: web.Request, handler: RequestHandler) -> web.StreamResponse:
    """The aiohttp middleware in front of every operation: its steps, and an answer whatever happens."""
    operation = _operations.get(request.match_info.handler)
    if operation is None:
        return await answer(request, handler)
    call = request[_CALL] = _RestCall(
        request.app[CONTEXT], operation, "rest", credentials=request.headers.get("Authorization")
    )
    call.request, call.endpoint = request, handler
    try:
        call.address = address_of(request, call.context.settings.server.trusted_proxies)
        response: web.StreamResponse = await _steps[operation.body_cap](call)
    except Exception as fault:  # the last resort is to tell that something failed
        return explain(fault, request, call.request_id)
    finally:
        del call.request  # which holds the call: a circle, left to the garbage collector, would be a pause later
    return response


async def read_input(call: _RestCall, handler: Handler) -> Any:
    """Path, query and body become the operation's input."""
    await _read_input(call.request, call)
    return await handler(call)


async def _go_on(call: _RestCall) -> web.StreamResponse:
    return await call.endpoint(call.request)


_steps = {
    "max_body_bytes": chain(limit, read_input, bound, authenticate, guard, last=_go_on),
    "max_batch_bytes": chain(limit, authenticate, read_input, bound, guard, last=_go_on),
}
"""What a request goes through: a bad one is told so first, but nobody unknown has a large body read.

A slow body is not work under way: whoever sends many would have all others refused."""


async def _read_input(request: web.Request, call: Call) -> None:
    operation = call.operation
    call.user_agent = request.headers.get("User-Agent", "")[:256]
    if operation.method in {"POST", "PUT"}:
        call.idempotency_key = _idempotency_key(request)
        call.input = await _from_body(request, call)
    else:
        call.input = _from_address(request, operation)


def _from_address(request: web.Request, operation: Operation[Any, Any]) -> Any:
    """What a GET or DELETE asks for; addresses are asked for again and again."""
    key = f"{operation.method} {request.raw_path}"
    asked = _addresses.get(key)
    if asked is None:
        query, path = _query(request), request.match_info
        if not query.keys().isdisjoint(path):
            raise BadRequest(f"`{min(query.keys() & path.keys())}` is given twice in the address.")
        asked = _convert({**query, **path}, operation, strict=False)
        _remember(_addresses, key, asked)
    return asked


_addresses: dict[str, Any] = {}


def _remember(known: dict[str, Value], address: str, value: Value) -> None:
    if len(known) >= MAX_ADDRESSES:
        known.clear()
    if len(address) <= MAX_ADDRESS_LENGTH:
        known[address] = value


async def _from_body(request: web.Request, call: Call) -> Any:
    operation = call.operation
    raw = await _read_body(request, getattr(call.context.settings.limits, operation.body_cap))
    if operation.input is Nothing and not raw:
        return Nothing()
    is_json = request.headers.get("Content-Type") == JSON or request.content_type == JSON  # the latter takes it apart
    if raw and not is_json:
        raise BadRequest("The body must be JSON, with the header `Content-Type: application/json`.")
    path: Mapping[str, str] = request.match_info
    if not path and not request.query_string:
        return decode_json(raw, _decoders[operation.name])
    given = decode_json(raw, _object) if raw else {}
    query = _query(request)
    for name, value in given.items():
        if name in query or path.get(name, value) != value:
            raise BadRequest(f"`{name}` is given in the address and differently in the body.")
    return _convert({**query, **given, **path}, operation, strict=True)


_decoders = {operation.name: msgspec.json.Decoder(operation.input) for operation in OPERATIONS}


async def _read_body(request: web.Request, cap: int) -> bytes:
    """The body, of at most `cap` bytes; our own bound, as a sub-application's is ignored by aiohttp."""
    if (request.content_length or 0) > cap:
        raise TooLarge(f"The body is larger than {cap} bytes.")
    try:
        return await _read_capped(request, cap)
    except web.RequestPayloadError:
        raise BadRequest("The body is not encoded as its headers say.") from None
    except ConnectionError:
        raise BadRequest("The connection was lost before the body was complete.") from None  # nobody hears it


async def _read_capped(request: web.Request, cap: int) -> bytes:
    body = await request.content.readany()
    if request.content.at_eof() and len(body) <= cap:  # nearly all bodies come in one piece
        return body
    whole = bytearray(body)
    while len(whole) <= cap:
        chunk = await request.content.readany()
        if not chunk:
            return bytes(whole)
        whole += chunk
    raise TooLarge(f"The body is larger than {cap} bytes.")


def _convert(given: dict[str, Any], operation: Operation[Any, Any], *, strict: bool) -> Any:
    try:
        return msgspec.convert(given, operation.input, strict=strict)
    except msgspec.ValidationError as fault:
        raise BadRequest(f"{fault}.") from None


def _query(request: web.Request) -> Mapping[str, str]:
    text = request.rel_url.raw_query_string
    query = _queries.get(text)
    if query is None:
        query = dict(request.query)
        if len(query) != len(request.query):
            raise BadRequest("A parameter is given twice in the address.")
        _remember(_queries, text, query)
    return query


_queries: dict[str, Mapping[str, str]] = {}


def _idempotency_key(request: web.Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (1 <= len(key) <= MAX_IDEMPOTENCY_KEY and key.isascii() and key.isprintable()):
        raise BadRequest(f"`Idempotency-Key` must have 1 to {MAX_IDEMPOTENCY_KEY} printable ASCII characters.")
    return key


def _response(request: web.Request, operation: Operation[Any, Any], output: Any) -> web.StreamResponse:
    if operation.method == "GET":
        return _read_response(request, output)
    if output is None:
        return web.Response(status=operation.status, headers={"Cache-Control": UNCACHED})
    held = isinstance(output, ScoreOut) and output.status == "held"
    return _json(request, _encode(output), 202 if held else operation.status, UNCACHED, None)


def _read_response(request: web.Request, output: Any) -> web.StreamResponse:
    tag = _tag(output)
    if tag is not None and tag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers={"Cache-Control": REVALIDATE, "ETag": tag})
    body = output.json if isinstance(output, TopPage) else _encode(output)
    return _json(request, body, 200, UNCACHED if tag is None else REVALIDATE, tag)


_TAGGED = PageOut | PlayerRowOut


def _tag(output: Any) -> str | None:
    if isinstance(output, TopPage):
        return output.etag
    return etag(output) if isinstance(output, _TAGGED) else None


def _json(request: web.Request, body: bytes, status: int, cache: str, tag: str | None) -> web.StreamResponse:
    allowance = request[_CALL].allowance
    fields = () if allowance is None else allowance.fields()
    if can_be_ready(request):
        return ReadyResponse(head_of(status, len(body), cache, tag), body, fields)
    headers = dict(fields)
    headers["Cache-Control"] = cache
    if tag is not None:
        headers["ETag"] = tag
    return web.Response(body=body, status=status, headers=headers, content_type=JSON)
