"""REST made from the table of operations: routes, what a request goes through, JSON out."""

from typing import Any

import msgspec
from aiohttp import hdrs, web

from scoreboard.api.addresses import address_of
from scoreboard.api.context import CONTEXT
from scoreboard.api.export import Export, send
from scoreboard.api.middleware import authenticate, bound, chain, guard, limit, run
from scoreboard.api.operation import Operation
from scoreboard.api.operations import OPERATIONS
from scoreboard.api.problems import METRICS, RequestHandler, answer, explain
from scoreboard.api.ready import ReadyResponse, can_be_ready, head_of
from scoreboard.api.rest_call import JSON, Named, RestCall, read_input
from scoreboard.leaderboard import TopPage, etag
from scoreboard.metrics import Metrics
from scoreboard.wire import PageOut, PlayerRowOut, ScoreOut

PREFIX = "/api/v1/"

REVALIDATE = "no-cache"
UNCACHED = "no-store"

_encode = msgspec.json.Encoder().encode

_CALL: web.RequestKey[RestCall] = web.RequestKey("call", RestCall)


def _endpoint(operation: Operation[Any, Any]) -> RequestHandler:
    """The aiohttp handler of an operation: behind all middlewares."""

    async def endpoint(request: web.Request) -> web.StreamResponse:
        return await respond(request[_CALL])

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
    call = RestCall(
        request.app[CONTEXT],
        operation,
        "rest",
        credentials=request.headers.get(hdrs.AUTHORIZATION),
        request=request,
        named=Named(operation, request.match_info),
        go_on=lambda call: handler(call.request),
    )
    request[_CALL] = call
    try:
        return await perform(call, request.app[METRICS])
    finally:
        del request[_CALL]  # which holds the request: a circle, left to the garbage collector, would be a pause later


async def perform(call: RestCall, metrics: Metrics) -> web.StreamResponse:
    """Lead a call through all its steps; whatever happens there is an answer."""
    try:
        call.address = address_of(call.request, call.context.settings.server.trusted_proxies)
        response: web.StreamResponse = await _steps[call.operation.body_cap](call)
    except Exception as fault:  # the last resort is to tell that something failed
        return explain(fault, call.request, call.request_id, metrics)
    return response


async def respond(call: RestCall) -> web.StreamResponse:
    """The operation itself, and its output as an answer."""
    output = await run(call)
    if isinstance(output, Export):
        return await _export(call, output)
    if call.operation.method == "GET":
        return _read_response(call, output)
    if output is None:
        return web.Response(status=call.operation.status, headers={"Cache-Control": UNCACHED})
    held = isinstance(output, ScoreOut) and output.status == "held"
    return _json(call, _encode(output), 202 if held else call.operation.status, UNCACHED, None)


async def _export(call: RestCall, output: Export) -> web.StreamResponse:
    if call.request.method == "HEAD":  # no more than its version is asked for
        return await send(call.request, output)
    with call.context.limits.export(call.address):
        return await send(call.request, output)


def _go_on(call: RestCall) -> Any:
    return call.go_on(call)


_steps = {
    "max_body_bytes": chain(limit, read_input, bound, authenticate, guard, last=_go_on),
    "max_batch_bytes": chain(limit, authenticate, read_input, bound, guard, last=_go_on),
}
"""What a request goes through: a bad one is told so first, but nobody unknown has a large body read.

A slow body is not work under way: whoever sends many would have all others refused."""


def _read_response(call: RestCall, output: Any) -> web.StreamResponse:
    tag = _tag(output)
    if tag is not None and tag in call.request.headers.get(hdrs.IF_NONE_MATCH, ""):
        return web.Response(status=304, headers={"Cache-Control": REVALIDATE, "ETag": tag})
    body = output.json if isinstance(output, TopPage) else _encode(output)
    return _json(call, body, 200, UNCACHED if tag is None else REVALIDATE, tag)


_TAGGED = PageOut | PlayerRowOut


def _tag(output: Any) -> str | None:
    if isinstance(output, TopPage):
        return output.etag
    return etag(output) if isinstance(output, _TAGGED) else None


def _json(call: RestCall, body: bytes, status: int, cache: str, tag: str | None) -> web.StreamResponse:
    fields = () if call.allowance is None else call.allowance.fields()
    if call.outgoing is not None and can_be_ready(call.request):
        return ReadyResponse(call.outgoing, head_of(status, len(body), cache, tag), body, fields)
    headers = dict(fields)
    headers["Cache-Control"] = cache
    if tag is not None:
        headers["ETag"] = tag
    return web.Response(body=body, status=status, headers=headers, content_type=JSON)
