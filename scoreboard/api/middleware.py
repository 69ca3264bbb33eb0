"""What stands before every operation, on REST and WebSocket alike: limit, bound, authenticate, guard.

Each is a middleware over a call and the handler it goes on to. What has nothing to wait for is no coroutine but
hands out what the next one does: nearly all calls come by all of them.
"""

from collections.abc import Awaitable
from functools import partial
from typing import Any

from scoreboard.api.call import Call, Caller, Handler
from scoreboard.errors import Forbidden, Unauthenticated
from scoreboard.model import ApiKey, Role, Scope
from scoreboard.wire import Batch, ScoreUpdate

ROLES_OF_SCOPE: dict[Scope, tuple[Role, ...]] = {"moderate": ("moderator", "admin"), "admin": ("admin",)}
"""Whoever has one of these roles may do by hand what a key with the scope may."""


def limit(call: Call, handler: Handler) -> Awaitable[Any]:
    """Count the call before anything is done for it; a backend's key has a budget of its own and no address limit."""
    limits = call.context.limits
    if call.transport == "rest":
        key = _known_key(call)
        call.allowance = limits.request(call.address) if key is None else limits.key_request(key)
    if call.operation.limit != "none":
        call.allowance = limits.costly(call.operation.limit, call.address) or call.allowance
    return handler(call)


async def bound(call: Call, handler: Handler) -> Any:
    """Refuse the call early rather than answer it late: so many are worked on at once, and as many submissions."""
    limits, kind = call.context.limits, call.operation.guarded
    limits.begin(kind)
    try:
        return await handler(call)
    finally:
        limits.end(kind)


def authenticate(call: Call, handler: Handler) -> Awaitable[Any]:
    """Find out who calls, and whether they may. Credentials that are given must be good ones."""
    if call.operation.access == "anyone":
        return handler(call)
    if call.credentials is not None or call.caller.claims is not None:
        return _identified(call, handler)
    _authorize(call)
    return handler(call)


async def _identified(call: Call, handler: Handler) -> Any:
    if call.credentials is not None:
        call.caller = await _identify(call, call.credentials)
    if call.caller.claims is not None and not call.operation.guarded:
        await call.context.accounts.live(call.caller.claims)  # a guarded call asks at its admission
    _authorize(call)
    return await handler(call)


def guard(call: Call, handler: Handler) -> Awaitable[Any]:
    """Put every submission the call carries before the judge; no operation commits what was not judged."""
    return _judged(call, handler) if call.operation.guarded else handler(call)


async def _judged(call: Call, handler: Handler) -> Any:
    judge = call.context.judge
    if isinstance(call.input, ScoreUpdate):
        call.judged = (await judge.claim(call.input, call.claims, call.address),)
    elif isinstance(call.input, Batch):
        call.judged = await judge.batch(call.input.items, call.key, call.address, call.idempotency_key)
    return await handler(call)


def run(call: Call) -> Awaitable[Any]:
    """The operation itself, behind all middlewares."""
    return call.operation.run(call.context, call, call.input)


def chain(*middlewares: Any, last: Any = run) -> Handler:
    """One handler that goes through the middlewares, first to last, and then on to `last`."""
    handler: Handler = last
    for middleware in reversed(middlewares):
        handler = partial(middleware, handler=handler)
    return handler


handle: Handler = chain(limit, bound, authenticate, guard)
"""A call that already has its input, through everything that stands before it."""


async def _identify(call: Call, credentials: str) -> Caller:
    scheme, _, secret = credentials.partition(" ")
    if scheme.lower() == "bearer":
        return Caller(claims=await call.context.access.verify(secret))
    if scheme.lower() == "key":
        return Caller(key=await call.context.keys.verify(secret))
    raise Unauthenticated("The Authorization header holds neither `Bearer <token>` nor `Key <key>`.")


def _known_key(call: Call) -> ApiKey | None:
    """The API key of a call if it needs no look-up; a key never seen before counts as its address."""
    if call.credentials is None or call.credentials[:4].lower() != "key ":
        return None
    return call.context.keys.known(call.credentials[4:])


def _authorize(call: Call) -> None:
    access, caller = call.operation.access, call.caller
    if access == "reader":
        _authorize_reader(call)
    elif caller.anonymous:
        raise Unauthenticated
    elif access == "player":
        if caller.claims is None:
            raise Forbidden("This is for players; an API key cannot do it.")
    elif access != "caller" and access != "anyone" and not may(caller, access):
        raise Forbidden(f"This needs an API key with the scope `{access}`.")


def _authorize_reader(call: Call) -> None:
    """Public boards need no sign-in, others any player or key."""
    board = getattr(call.input, "board", None)
    if board is not None and call.caller.anonymous and not call.context.boards.get(board).settings.public:
        raise Unauthenticated("This board is not public.")


def may(caller: Caller, scope: Scope) -> bool:
    """Whether it is a key with the scope, or somebody with a role that stands for it."""
    if caller.key is not None:
        return scope in caller.key.scopes
    return caller.claims is not None and caller.claims.role in ROLES_OF_SCOPE.get(scope, ())
