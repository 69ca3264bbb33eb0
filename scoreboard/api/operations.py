"""The one table of operations: REST routes, WebSocket messages and their documentation are made from it."""

from typing import Any

from scoreboard import wire
from scoreboard.api.call import Call
from scoreboard.api.context import Context
from scoreboard.api.export import Export
from scoreboard.api.middleware import may
from scoreboard.api.operation import Operation
from scoreboard.api.oversight import OVERSIGHT
from scoreboard.api.webhooks import WEBHOOKS
from scoreboard.errors import Forbidden
from scoreboard.leaderboard import TopPage

# Accounts


async def _register(context: Context, call: Call, asked: wire.Register) -> wire.SignedIn:
    """Make a player and sign in."""
    if context.settings.security.registration == "closed":
        raise Forbidden("Registration is closed here.")
    return await context.accounts.register(asked, call.address, call.user_agent)


async def _login(context: Context, call: Call, asked: wire.Login) -> wire.SignedIn:
    """Sign in."""
    return await context.accounts.login(asked, call.address, call.user_agent)


async def _refresh(context: Context, call: Call, asked: wire.Refresh) -> wire.SignedIn:
    """Trade a refresh token for new tokens; it is good once."""
    return await context.accounts.refresh(asked, call.address, call.user_agent)


async def _exchange(context: Context, call: Call, asked: wire.Exchange) -> wire.SignedIn:
    """As a backend: tokens for a player of its own, who is made, or renamed, on the way."""
    return await context.accounts.exchange(asked, call.caller.name, call.address, call.user_agent)


async def _logout(context: Context, call: Call, _: wire.Nothing) -> None:
    """End this sign-in."""
    await context.accounts.logout(call.claims)


async def _logout_all(context: Context, call: Call, _: wire.Nothing) -> None:
    """End all sign-ins of the player."""
    await context.accounts.logout_all(call.claims)


async def _password(context: Context, call: Call, asked: wire.ChangePassword) -> None:
    """Change the password; all other sign-ins end."""
    await context.accounts.change_password(call.claims, asked, call.address)


async def _me(context: Context, call: Call, _: wire.Nothing) -> wire.MeOut:
    """Who is signed in."""
    return await context.accounts.me(call.claims)


async def _sessions(context: Context, call: Call, _: wire.Nothing) -> wire.SessionsOut:
    """The player's sign-ins."""
    return await context.accounts.sessions(call.claims)


async def _erase_me(context: Context, call: Call, _: wire.Nothing) -> None:
    """Erase the player who asks, for ever."""
    await context.moderation.erase(call.claims.player_id, call.caller.name)


# Scores


async def _action(context: Context, call: Call, asked: wire.StartAction) -> wire.ActionStarted:
    """Start an action: the token is good for one score."""
    return context.submissions.start(asked, call.claims)


async def _score(context: Context, call: Call, _: wire.ScoreUpdate) -> wire.ScoreOut:
    """Submit the score of an action; the same request may be sent again, and counts once."""
    return await context.submissions.submit(call.submission)


async def _batch(context: Context, call: Call, asked: wire.Batch) -> wire.BatchOut:
    """As a backend: submit many scores, each of which succeeds or fails by itself."""
    return wire.BatchOut(items=await context.submissions.submit_batch(asked.items, call.judged))


# Boards


async def _boards(context: Context, call: Call, _: wire.Nothing) -> wire.BoardsOut:
    """All boards; for spectators the public ones."""
    return context.leaderboard.boards(everything=not call.caller.anonymous)


async def _board(context: Context, call: Call, asked: wire.BoardRef) -> wire.BoardOut:
    """One board and its settings."""
    return context.leaderboard.board(asked)


async def _top(context: Context, call: Call, asked: wire.Top) -> TopPage:
    """The first rows of a board."""
    return await context.leaderboard.top(asked)


async def _standings(context: Context, call: Call, asked: wire.Standings) -> wire.PageOut:
    """The whole board, page by page."""
    return await context.leaderboard.standings(asked)


async def _player(context: Context, call: Call, asked: wire.OnePlayer) -> wire.PlayerRowOut:
    """One player's row."""
    return await context.leaderboard.player(asked, _is_own(call, asked.player_id))


async def _history(context: Context, call: Call, asked: wire.History) -> wire.HistoryOut:
    """A player's submissions on a board, newest first."""
    own = _is_own(call, asked.player_id)
    official = own or may(call.caller, "moderate") or may(call.caller, "admin")
    return await context.leaderboard.history(asked, official or call.caller.key is not None, official)


async def _around(context: Context, call: Call, asked: wire.Around) -> wire.PageOut:
    """A player's row and those above and below."""
    return await context.leaderboard.around(asked, _is_own(call, asked.player_id))


async def _ranks(context: Context, call: Call, asked: wire.Ranks) -> wire.PageOut:
    """The rows of chosen players, best first."""
    return await context.leaderboard.ranks(asked)


async def _export(context: Context, call: Call, asked: wire.Export) -> Export:
    """The whole board as a file, best first."""
    board, leaderboard = context.boards.get(asked.board), context.leaderboard
    return Export(asked.format, board, await leaderboard.first_of_whole(asked), leaderboard.next_of_whole)


async def _periods(context: Context, call: Call, asked: wire.BoardRef) -> wire.PeriodsOut:
    """The periods of a board that can be read."""
    return await context.leaderboard.periods(asked)


def _is_own(call: Call, player_id: str) -> bool:
    return call.caller.claims is not None and call.caller.claims.player_id == player_id


OPERATIONS: tuple[Operation[Any, Any], ...] = (
    Operation("register", "POST", "auth/register", wire.Register, _register, "anyone", 201, limit="register"),
    Operation("login", "POST", "auth/login", wire.Login, _login, "anyone", limit="login"),
    Operation("refresh", "POST", "auth/refresh", wire.Refresh, _refresh, "anyone"),
    Operation("logout", "POST", "auth/logout", wire.Nothing, _logout, "player", 204),
    Operation("logout_all", "POST", "auth/logout-all", wire.Nothing, _logout_all, "player", 204),
    Operation("password", "POST", "auth/password", wire.ChangePassword, _password, "player", 204, limit="login"),
    Operation("exchange", "POST", "auth/exchange", wire.Exchange, _exchange, "exchange", websocket=False),
    Operation("me", "GET", "me", wire.Nothing, _me, "player"),
    Operation("erase_me", "DELETE", "me", wire.Nothing, _erase_me, "player", 204),
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
    # Requests are matched in this order: what is asked for most comes first.
    Operation("top", "GET", "boards/{board}/top", wire.Top, _top, "reader"),
    Operation("around", "GET", "boards/{board}/around/{player_id}", wire.Around, _around, "reader"),
    Operation("player", "GET", "boards/{board}/players/{player_id}", wire.OnePlayer, _player, "reader"),
    Operation("standings", "GET", "boards/{board}/standings", wire.Standings, _standings, "reader"),
    Operation("history", "GET", "boards/{board}/players/{player_id}/history", wire.History, _history, "reader"),
    Operation("board", "GET", "boards/{board}", wire.BoardRef, _board, "reader"),
    Operation("ranks", "POST", "boards/{board}/ranks", wire.Ranks, _ranks, "reader"),
    Operation("periods", "GET", "boards/{board}/periods", wire.BoardRef, _periods, "reader"),
    Operation("boards", "GET", "boards", wire.Nothing, _boards, "reader"),
    Operation("export", "GET", "boards/{board}/export", wire.Export, _export, "reader", websocket=False),
    *OVERSIGHT,
    *WEBHOOKS,
)
"""Every operation there is."""
