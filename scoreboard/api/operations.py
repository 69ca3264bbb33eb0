"""The one table of operations: REST routes, WebSocket messages and their documentation are made from it."""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Struct

from scoreboard import wire
from scoreboard.api.call import Call
from scoreboard.api.context import Context
from scoreboard.api.limiting import LimitClass
from scoreboard.clock import rfc3339
from scoreboard.errors import Forbidden, NotFound
from scoreboard.leaderboard import TopPage, board_out
from scoreboard.model import ApiKey, BoardSettings, Scope

In = TypeVar("In", bound=Struct)
Out = TypeVar("Out")

Access = Literal["anyone", "reader", "caller", "player"] | Scope
"""Who may call: anyone; readers (anyone on a public board, else any player or key); any caller; players; or keys with
that scope and the roles that stand for it."""


class Operation(Struct, Generic[In, Out], frozen=True):
    """One thing that can be asked of the server.

    `guarded` operations carry submissions and go past the judge. `websocket` says that the operation is also a message
    of its name. `body_cap` names the setting that bounds the request's body.
    """

    name: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    input: type[In]
    run: Callable[[Context, Call, In], Awaitable[Out]]
    access: Access
    status: int = 200
    limit: LimitClass = "none"
    guarded: bool = False
    websocket: bool = True
    body_cap: Literal["max_body_bytes", "max_batch_bytes"] = "max_body_bytes"


# Accounts


async def _register(context: Context, call: Call, asked: wire.Register) -> wire.SignedIn:
    if context.settings.security.registration == "closed":
        raise Forbidden("Registration is closed here.")
    return await context.accounts.register(asked, call.address, call.user_agent)


async def _login(context: Context, call: Call, asked: wire.Login) -> wire.SignedIn:
    return await context.accounts.login(asked, call.address, call.user_agent)


async def _refresh(context: Context, call: Call, asked: wire.Refresh) -> wire.SignedIn:
    return await context.accounts.refresh(asked, call.address, call.user_agent)


async def _exchange(context: Context, call: Call, asked: wire.Exchange) -> wire.SignedIn:
    return await context.accounts.exchange(asked, call.caller.name, call.address, call.user_agent)


async def _logout(context: Context, call: Call, _: wire.Nothing) -> None:
    await context.accounts.logout(call.claims)


async def _logout_all(context: Context, call: Call, _: wire.Nothing) -> None:
    await context.accounts.logout_all(call.claims)


async def _password(context: Context, call: Call, asked: wire.ChangePassword) -> None:
    await context.accounts.change_password(call.claims, asked, call.address)


async def _me(context: Context, call: Call, _: wire.Nothing) -> wire.MeOut:
    return await context.accounts.me(call.claims)


async def _sessions(context: Context, call: Call, _: wire.Nothing) -> wire.SessionsOut:
    return await context.accounts.sessions(call.claims)


# Scores


async def _action(context: Context, call: Call, asked: wire.StartAction) -> wire.ActionStarted:
    return context.submissions.start(asked, call.claims)


async def _score(context: Context, call: Call, _: wire.ScoreUpdate) -> wire.ScoreOut:
    return await context.submissions.submit(call.submission)


async def _batch(context: Context, call: Call, asked: wire.Batch) -> wire.BatchOut:
    return wire.BatchOut(items=await context.submissions.submit_batch(asked.items, call.judged))


async def _void(context: Context, call: Call, asked: wire.Void) -> wire.VoidOut:
    return await context.submissions.void(asked, call.caller.name)


# Boards


async def _boards(context: Context, call: Call, _: wire.Nothing) -> wire.BoardsOut:
    return context.leaderboard.boards(everything=not call.caller.anonymous)


async def _board(context: Context, call: Call, asked: wire.BoardRef) -> wire.BoardOut:
    return context.leaderboard.board(asked)


async def _top(context: Context, call: Call, asked: wire.Top) -> TopPage:
    return await context.leaderboard.top(asked)


async def _standings(context: Context, call: Call, asked: wire.Standings) -> wire.PageOut:
    return await context.leaderboard.standings(asked)


async def _player(context: Context, call: Call, asked: wire.OnePlayer) -> wire.PlayerRowOut:
    return await context.leaderboard.player(asked)


async def _history(context: Context, call: Call, asked: wire.History) -> wire.HistoryOut:
    claims = call.caller.claims
    trusted = call.caller.key is not None or (claims is not None and claims.player_id == asked.player_id)
    return await context.leaderboard.history(asked, trusted)


async def _around(context: Context, call: Call, asked: wire.Around) -> wire.PageOut:
    return await context.leaderboard.around(asked)


async def _ranks(context: Context, call: Call, asked: wire.Ranks) -> wire.PageOut:
    return await context.leaderboard.ranks(asked)


async def _periods(context: Context, call: Call, asked: wire.BoardRef) -> wire.PeriodsOut:
    return await context.leaderboard.periods(asked)


async def _put_board(context: Context, call: Call, asked: wire.PutBoard) -> wire.BoardOut:
    settings = BoardSettings(**{name: getattr(asked, name) for name in BoardSettings.__struct_fields__})
    board, _ = await context.boards.put(asked.board, settings, call.caller.name)
    return board_out(board)


# API keys


async def _new_key(context: Context, call: Call, asked: wire.NewKey) -> wire.KeyOut:
    key, text = await context.keys.create(asked.name, asked.scopes, call.caller.name)
    return msgspec.structs.replace(_key_out(key), key=text)


async def _keys(context: Context, call: Call, _: wire.Nothing) -> wire.KeysOut:
    return wire.KeysOut(keys=tuple(_key_out(key) for key in await context.keys.all()))


async def _revoke_key(context: Context, call: Call, asked: wire.KeyRef) -> None:
    if not await context.keys.revoke(asked.key_id, call.caller.name):
        raise NotFound("There is no such key.")


def _key_out(key: ApiKey) -> wire.KeyOut:
    return wire.KeyOut(
        id=key.id,
        name=key.name,
        scopes=key.scopes,
        created_at=rfc3339(key.created_at),
        revoked_at=None if key.revoked_at is None else rfc3339(key.revoked_at),
    )


OPERATIONS: tuple[Operation[Any, Any], ...] = (
    Operation("register", "POST", "auth/register", wire.Register, _register, "anyone", 201, limit="register"),
    Operation("login", "POST", "auth/login", wire.Login, _login, "anyone", limit="login"),
    Operation("refresh", "POST", "auth/refresh", wire.Refresh, _refresh, "anyone"),
    Operation("logout", "POST", "auth/logout", wire.Nothing, _logout, "player", 204),
    Operation("logout_all", "POST", "auth/logout-all", wire.Nothing, _logout_all, "player", 204),
    Operation("password", "POST", "auth/password", wire.ChangePassword, _password, "player", 204, limit="login"),
    Operation("exchange", "POST", "auth/exchange", wire.Exchange, _exchange, "exchange", websocket=False),
    Operation("me", "GET", "me", wire.Nothing, _me, "player"),
    Operation("sessions", "GET", "me/sessions", wire.Nothing, _sessions, "player"),
    Operation("action", "POST", "actions", wire.StartAction, _action, "player", 201),
    Operation("score", "POST", "scores/update", wire.ScoreUpdate, _score, "player", guarded=True),
    Operation(
        "batch",
        "POST",
        "scores/batch",
        wire.Batch,
        _batch,
        "write",
        guarded=True,
        websocket=False,
        body_cap="max_batch_bytes",
    ),
    Operation("boards", "GET", "boards", wire.Nothing, _boards, "reader"),
    Operation("board", "GET", "boards/{board}", wire.BoardRef, _board, "reader"),
    Operation("top", "GET", "boards/{board}/top", wire.Top, _top, "reader"),
    Operation("standings", "GET", "boards/{board}/standings", wire.Standings, _standings, "reader"),
    Operation("player", "GET", "boards/{board}/players/{player_id}", wire.OnePlayer, _player, "reader"),
    Operation("history", "GET", "boards/{board}/players/{player_id}/history", wire.History, _history, "reader"),
    Operation("around", "GET", "boards/{board}/around/{player_id}", wire.Around, _around, "reader"),
    Operation("ranks", "POST", "boards/{board}/ranks", wire.Ranks, _ranks, "reader"),
    Operation("periods", "GET", "boards/{board}/periods", wire.BoardRef, _periods, "reader"),
    Operation("put_board", "PUT", "admin/boards/{board}", wire.PutBoard, _put_board, "admin", websocket=False),
    Operation("void", "POST", "admin/submissions/{submission_id}/void", wire.Void, _void, "moderate", websocket=False),
    Operation("new_key", "POST", "admin/keys", wire.NewKey, _new_key, "admin", 201, websocket=False),
    Operation("keys", "GET", "admin/keys", wire.Nothing, _keys, "admin", websocket=False),
    Operation("revoke_key", "DELETE", "admin/keys/{key_id}", wire.KeyRef, _revoke_key, "admin", 204, websocket=False),
)
"""Every operation there is."""
