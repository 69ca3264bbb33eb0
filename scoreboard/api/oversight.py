"""The operations of moderators and admins: a part of the one table."""

from typing import Any

import msgspec

from scoreboard import wire
from scoreboard.api.call import Call
from scoreboard.api.context import Context
from scoreboard.api.operation import Operation
from scoreboard.clock import rfc3339
from scoreboard.errors import NotFound
from scoreboard.leaderboard import board_out
from scoreboard.model import ApiKey, BoardSettings
from scoreboard.reviews import Official, future

# Reviews


async def _reviews(context: Context, call: Call, asked: wire.ReviewList) -> wire.ReviewsOut:
    """Scores that were held, oldest first."""
    return await context.reviews.list(asked)


async def _review(context: Context, call: Call, asked: wire.ReviewRef) -> wire.ReviewFileOut:
    """One held score, with what it can be compared with."""
    return await context.reviews.get(asked)


async def _claim(context: Context, call: Call, asked: wire.ClaimReview) -> wire.ReviewOut:
    """Keep other moderators out of a review for a while."""
    return await context.reviews.claim(asked, _official(call))


async def _release(context: Context, call: Call, asked: wire.ReviewRef) -> wire.ReviewOut:
    """Give a claimed review back."""
    return await context.reviews.release(asked, _official(call))


async def _note(context: Context, call: Call, asked: wire.NoteReview) -> wire.ReviewOut:
    """Write a note on a review."""
    return await context.reviews.note(asked, _official(call))


async def _approve(context: Context, call: Call, asked: wire.ApproveReview) -> wire.ReviewOut:
    """Count a held score, at its original time."""
    return await context.reviews.approve(asked, _official(call))


async def _reject(context: Context, call: Call, asked: wire.RejectReview) -> wire.ReviewOut:
    """Drop a held score, and ban the player if that is asked for."""
    return await context.reviews.reject(asked, _official(call))


async def _decide(context: Context, call: Call, asked: wire.DecideReviews) -> wire.DecisionsOut:
    """One decision on many reviews, each done by itself."""
    return wire.DecisionsOut(reviews=await context.reviews.decide(asked, _official(call)))


async def _void(context: Context, call: Call, asked: wire.Void) -> wire.VoidOut:
    """Take a counted score out of every standing."""
    return await context.submissions.void(asked, call.caller.name)


# Players


async def _players(context: Context, call: Call, asked: wire.PlayerList) -> wire.KnownPlayersOut:
    """Players by the beginning of an id or name."""
    return await context.moderation.list(asked)


async def _player_file(context: Context, call: Call, asked: wire.PlayerRef) -> wire.PlayerFileOut:
    """All there is to know of one player."""
    return await context.moderation.get(asked)


async def _ban(context: Context, call: Call, asked: wire.BanPlayer) -> wire.KnownPlayerOut:
    """Keep a player out, for a while or for ever."""
    return await context.moderation.ban(asked, _official(call))


async def _hide(context: Context, call: Call, asked: wire.ChangePlayer) -> wire.KnownPlayerOut:
    """Show a player to nobody else, without their knowing."""
    return await context.moderation.hide(asked, _official(call))


async def _lift(context: Context, call: Call, asked: wire.ChangePlayer) -> wire.KnownPlayerOut:
    """End a ban, or else the hiding."""
    return await context.moderation.lift(asked, _official(call))


async def _appoint(context: Context, call: Call, asked: wire.AppointPlayer) -> wire.KnownPlayerOut:
    """Make a player a moderator, or one no longer."""
    return await context.moderation.appoint(asked, _official(call))


async def _erase(context: Context, call: Call, asked: wire.PlayerRef) -> None:
    """Erase a player, for ever."""
    await context.moderation.erase(asked.player_id, call.caller.name)


# The trail, boards, API keys, and how it all fares


async def _overview(context: Context, call: Call, _: wire.Nothing) -> wire.OverviewOut:
    """How all servers fare together."""
    return await context.overview()


async def _connections(context: Context, call: Call, _: wire.Nothing) -> wire.ConnectionsOut:
    """Who is connected, on each server."""
    return await context.connections()


async def _audit(context: Context, call: Call, asked: wire.AuditList) -> wire.AuditOut:
    """Who did what to whom, newest first."""
    return await context.trail.list(asked)


async def _put_board(context: Context, call: Call, asked: wire.PutBoard) -> wire.BoardOut:
    """Make a board, or replace all its settings."""
    settings = BoardSettings(**{name: getattr(asked, name) for name in BoardSettings.__struct_fields__})
    board, _ = await context.boards.put(asked.board, settings, call.caller.name)
    return board_out(board)


async def _delete_board(context: Context, call: Call, asked: wire.BoardRef) -> None:
    """Show a board to nobody any more; what was scored on it is kept."""
    await context.boards.delete(asked.board, call.caller.name)


async def _freeze_board(context: Context, call: Call, asked: wire.FreezeBoard) -> wire.BoardOut:
    """Freeze a board: what comes from now on, or from a time to come, is kept from view until it is revealed."""
    at = future(asked.at, "at", context.clock.now())
    return board_out(await context.boards.freeze(asked.board, call.caller.name, at))


async def _reveal_board(context: Context, call: Call, asked: wire.BoardRef) -> wire.BoardOut:
    """Reveal a frozen board, or call off a freeze to come."""
    return board_out(await context.boards.reveal(asked.board, call.caller.name))


async def _new_key(context: Context, call: Call, asked: wire.NewKey) -> wire.KeyOut:
    """Make an API key, which is shown this once."""
    key, text = await context.keys.create(asked.name, asked.scopes, call.caller.name)
    return msgspec.structs.replace(_key_out(key), key=text)


async def _keys(context: Context, call: Call, _: wire.Nothing) -> wire.KeysOut:
    """All API keys, revoked ones too."""
    return wire.KeysOut(keys=tuple(_key_out(key) for key in await context.keys.all()))


async def _revoke_key(context: Context, call: Call, asked: wire.KeyRef) -> None:
    """End an API key."""
    if not await context.keys.revoke(asked.key_id, call.caller.name):
        raise NotFound("There is no such key.")


def _official(call: Call) -> Official:
    caller = call.caller
    if caller.key is not None:
        return Official(caller.name, "admin" in caller.key.scopes)
    return Official(caller.name, call.claims.role == "admin")


def _key_out(key: ApiKey) -> wire.KeyOut:
    return wire.KeyOut(
        id=key.id,
        name=key.name,
        scopes=key.scopes,
        created_at=rfc3339(key.created_at),
        revoked_at=None if key.revoked_at is None else rfc3339(key.revoked_at),
    )


_REVIEW = "admin/reviews/{submission_id}"
_PLAYER = "admin/players/{player_id}"

OVERSIGHT: tuple[Operation[Any, Any], ...] = (
    Operation("reviews", "GET", "admin/reviews", wire.ReviewList, _reviews, "moderate"),
    Operation("review", "GET", _REVIEW, wire.ReviewRef, _review, "moderate"),
    Operation("claim_review", "POST", f"{_REVIEW}/claim", wire.ClaimReview, _claim, "moderate"),
    Operation("release_review", "DELETE", f"{_REVIEW}/claim", wire.ReviewRef, _release, "moderate"),
    Operation("note_review", "POST", f"{_REVIEW}/notes", wire.NoteReview, _note, "moderate"),
    Operation("approve_review", "POST", f"{_REVIEW}/approve", wire.ApproveReview, _approve, "moderate"),
    Operation("reject_review", "POST", f"{_REVIEW}/reject", wire.RejectReview, _reject, "moderate"),
    Operation("decide_reviews", "POST", "admin/reviews/decide", wire.DecideReviews, _decide, "moderate"),
    Operation("void", "POST", "admin/submissions/{submission_id}/void", wire.Void, _void, "moderate"),
    Operation("players", "GET", "admin/players", wire.PlayerList, _players, "moderate"),
    Operation("player_file", "GET", _PLAYER, wire.PlayerRef, _player_file, "moderate"),
    Operation("ban_player", "POST", f"{_PLAYER}/ban", wire.BanPlayer, _ban, "moderate"),
    Operation("hide_player", "POST", f"{_PLAYER}/hide", wire.ChangePlayer, _hide, "moderate"),
    Operation("lift_player", "POST", f"{_PLAYER}/lift", wire.ChangePlayer, _lift, "moderate"),
    Operation("appoint_player", "POST", f"{_PLAYER}/role", wire.AppointPlayer, _appoint, "admin"),
    Operation("erase_player", "DELETE", _PLAYER, wire.PlayerRef, _erase, "admin", 204),
    Operation("connections", "GET", "admin/connections", wire.Nothing, _connections, "moderate"),
    Operation("overview", "GET", "admin/overview", wire.Nothing, _overview, "moderate"),
    Operation("audit", "GET", "admin/audit", wire.AuditList, _audit, "admin"),
    Operation("put_board", "PUT", "admin/boards/{board}", wire.PutBoard, _put_board, "admin"),
    Operation("delete_board", "DELETE", "admin/boards/{board}", wire.BoardRef, _delete_board, "admin", 204),
    Operation("freeze_board", "POST", "admin/boards/{board}/freeze", wire.FreezeBoard, _freeze_board, "admin"),
    Operation("reveal_board", "POST", "admin/boards/{board}/reveal", wire.BoardRef, _reveal_board, "admin"),
    Operation("new_key", "POST", "admin/keys", wire.NewKey, _new_key, "admin", 201),
    Operation("keys", "GET", "admin/keys", wire.Nothing, _keys, "admin"),
    Operation("revoke_key", "DELETE", "admin/keys/{key_id}", wire.KeyRef, _revoke_key, "admin", 204),
)
"""What moderators, admins and keys with their scopes may do."""
