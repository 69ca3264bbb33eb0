"""A player's status, and what it does to the standings: those of whoever is kept out have no order key."""

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from scoreboard.model import BoardPeriod, BoardSettings, Projection
from scoreboard.order import order_keys
from scoreboard.oversight import PlayerStatus
from scoreboard.storage.sqlite.ledger import Ledger, Named, Stored, decode_tiebreakers, standing_row, visible_key
from scoreboard.storage.sqlite.projections import projections_of
from scoreboard.storage.sqlite.sessions import revoke_sessions
from scoreboard.storage.sqlite.statements import execute, fetch, write_rows


class Shown(NamedTuple):
    """Standings that were shown or hidden, the outbox row that names them, and sessions that ended."""

    changes: tuple[Projection, ...]
    outbox_id: int | None
    ended: tuple[str, ...]


class _Owned(Struct, frozen=True, array_like=True):
    period: BoardPeriod
    stored: Stored
    settings: BoardSettings


_owned = msgspec.json.Decoder(list[_Owned])
_settings = msgspec.json.Decoder(BoardSettings)


def change_status(
    connection: sqlite3.Connection,
    player_id: str,
    status: PlayerStatus,
    now: int,
    *,
    until: int | None = None,
    ended: int | None = None,
) -> Shown | None:
    """Change the status and with it every standing of the player; None where there is none to change.

    `until` is when a ban ends by itself; `ended` demands that there is one which has, by that instant.
    """
    parameters = {"id": player_id, "status": status, "until": until, "ended": ended}
    named = fetch(connection, "set_status", parameters)
    if not named:
        return None
    sessions = revoke_sessions(connection, player_id, now, None) if status == "banned" else ()
    return Shown(*show(connection, named[0], now), sessions)


def show(connection: sqlite3.Connection, named: Sequence[Any], now: int) -> tuple[tuple[Projection, ...], int | None]:
    """Raise the revision of a player's standings, which can be seen or not by the status; with their outbox row."""
    player = Named(*named)
    [(text,)] = fetch(connection, "owned_standings", {"player_id": player.id})
    rows = [
        standing_row(
            row.period,
            player.id,
            row.stored.standing,
            row.stored.revision + 1,
            visible_key(row.settings, player.id, player.status, row.stored.standing),
        )
        for row in _owned.decode(text)
    ]
    write_rows(connection, "write_standings", rows)
    _show_kept(connection, player)
    ledger, changes = Ledger(), projections_of(connection, player.id)
    ledger.touch(changes)
    return changes, ledger.write(connection, now)


def _show_kept(connection: sqlite3.Connection, player: Named) -> None:
    """The same for what is kept of the player's standings on frozen boards."""
    for *place, revision, score, tiebreakers, achieved_at, settings in fetch(
        connection, "kept_standings", {"player_id": player.id}
    ):
        key = None
        if player.status == "active" and score is not None:
            keys = order_keys(_settings.decode(settings))
            key = keys.encode(score, decode_tiebreakers(tiebreakers), achieved_at, player.id)
        period = dict(zip(BoardPeriod._fields, place, strict=True))
        parameters = {**period, "player_id": player.id, "revision": revision + 1, "order_key": key}
        execute(connection, "show_kept", parameters)
