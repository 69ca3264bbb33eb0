"""REST made from the table of operations: routes, bodies in, JSON out."""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Middleware as RequestMiddleware

from scoreboard.api.addresses import address_of
from scoreboard.api.call import Call, Middleware
from scoreboard.api.context import CONTEXT
from scoreboard.api.middleware import authenticate, guard, limit, run
from scoreboard.api.operations import OPERATIONS, Operation
from scoreboard.api.problems import RequestHandler, answer, new_request_id
from scoreboard.codec import decode_json
from scoreboard.errors import BadRequest, TooLarge
from scoreboard.leaderboard import TopPage, etag
from scoreboard.wire import Nothing, PageOut, PlayerRowOut, ScoreOut

PREFIX = "/api/v1/"
MAX_IDEMPOTENCY_KEY = 128

REVALIDATE = "no-cache"
UNCACHED = "no-store"

_CALL: web.RequestKey[Call] = web.RequestKey("call", Call)
_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, Any])


def add_routes(app: web.Application) -> None:
    """One route for each operation."""
    for operation in OPERATIONS:
        handler = _endpoint(operation)
        _operations[handler] = operation
        app.router.add_route(operation.method, PREFIX + operation.path, handler)


_operations: dict[Any, Operation[Any, Any]] = {}
"""The operation that each route's handler stands for."""


def _endpoint(operation: Operation[Any, Any]) -> RequestHandler:
    """The aiohttp handler of an operation: the innermost step."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return _response(request, operation, await run(request[_CALL]))

    return handle


@web.middleware
async def open_call(request: web.Request, handler: RequestHandler) -> web.StreamResponse:
    """The outermost step: what the request calls, from where, and an answer whatever happens."""
    operation = _operations.get(request.match_info.handler)
    if operation is None:
        return await answer(request, handler, new_request_id)
    context = request.app[CONTEXT]
    call = request[_CALL] = Call(
        context,
        operation,
        "rest",
        address_of(request, context.settings.server.trusted_proxies),
        credentials=request.headers.get("Authorization"),
    )
    return await answer(request, handler, lambda: call.request_id)


@web.middleware
async def read_input(request: web.Request, handler: RequestHandler) -> web.StreamResponse:
    """Path, query and body become the operation's input."""
    call = request.get(_CALL)
    if call is not None:
        await _read_input(request, call)
    return await handler(request)


def mounted(step: Middleware) -> RequestMiddleware:
    """A middleware over calls as one over requests."""

    @web.middleware
    async def middleware(request: web.Request, handler: RequestHandler) -> web.StreamResponse:
        call = request.get(_CALL)
        if call is None:
            return await handler(request)
        response: web.StreamResponse = await step(call, lambda _: handler(request))
        return response

    return middleware


MIDDLEWARES: tuple[RequestMiddleware, ...] = (
    open_call,
    mounted(limit),
    read_input,
    mounted(authenticate),
    mounted(guard),
)
"""Everything before an operation, the outermost first."""


async def _read_input(request: web.Request, call: Call) -> None:
    operation = call.operation
    call.user_agent = request.headers.get("User-Agent", "")[:256]
    if operation.method in {"POST", "PUT"}:
        call.idempotency_key = _idempotency_key(request)
        call.input = await _from_body(request, call)
    else:
        query, path = _query(request), request.match_info
        if twice := query.keys() & path.keys():
            raise BadRequest(f"`{min(twice)}` is given twice in the address.")
        call.input = _convert({**query, **path}, operation, strict=False)


async def _from_body(request: web.Request, call: Call) -> Any:
    operation = call.operation
    raw = await _read_body(request, getattr(call.context.settings.limits, operation.body_cap))
    if operation.input is Nothing and not raw:
        return Nothing()
    if request.content_type != "application/json":
        raise BadRequest("The body must be JSON, with the header `Content-Type: application/json`.")
    path: Mapping[str, str] = request.match_info
    if not path and not request.query_string:
        return decode_json(raw, _decoders[operation.name])
    given = decode_json(raw, _object) if raw else {}
    query = _query(request)
    for name in given:
        if name in path or name in query:
            raise BadRequest(f"`{name}` is given in the address and in the body.")
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
    body = b""
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > cap:
            raise TooLarge(f"The body is larger than {cap} bytes.")
    return body


def _convert(given: dict[str, Any], operation: Operation[Any, Any], *, strict: bool) -> Any:
    try:
        return msgspec.convert(given, operation.input, strict=strict)
    except msgspec.ValidationError as fault:
        raise BadRequest(f"{fault}.") from None


def _query(request: web.Request) -> dict[str, str]:
    if not request.query_string:
        return {}
    given = dict(request.query)
    if len(given) != len(request.query):
        raise BadRequest("A parameter is given twice in the address.")
    return given


def _idempotency_key(request: web.Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY:
        raise BadRequest(f"`Idempotency-Key` must have 1 to {MAX_IDEMPOTENCY_KEY} characters.")
    return key


def _response(request: web.Request, operation: Operation[Any, Any], output: Any) -> web.Response:
    if operation.method == "GET":
        return _read_response(request, output)
    if output is None:
        return web.Response(status=operation.status, headers={"Cache-Control": UNCACHED})
    held = isinstance(output, ScoreOut) and output.status == "held"
    return _json(_encode(output), 202 if held else operation.status, {"Cache-Control": UNCACHED})


def _read_response(request: web.Request, output: Any) -> web.Response:
    headers = {"Cache-Control": REVALIDATE}
    tag = _tag(output)
    if tag is not None:
        headers["ETag"] = tag
        if tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
    return _json(output.json if isinstance(output, TopPage) else _encode(output), 200, headers)


def _tag(output: Any) -> str | None:
    if isinstance(output, TopPage):
        return output.etag
    return etag(output) if isinstance(output, PageOut | PlayerRowOut) else None


def _json(body: bytes, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")
