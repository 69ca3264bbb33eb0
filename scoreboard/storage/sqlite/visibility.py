"""A player's status, and what it does to the standings: banned and hidden ones have no order key."""

import sqlite3

import msgspec
from msgspec import Struct

from scoreboard.errors import NotFound
from scoreboard.model import BoardPeriod, BoardSettings, Projection
from scoreboard.storage.base import PlayerStatus
from scoreboard.storage.sqlite.ledger import Ledger, Named, Stored
from scoreboard.storage.sqlite.statements import fetch


class _Owned(Struct, frozen=True, array_like=True):
    period: BoardPeriod
    stored: Stored
    settings: BoardSettings


_owned = msgspec.json.Decoder(list[_Owned])


def set_status(
    connection: sqlite3.Connection, player_id: str, status: PlayerStatus, now: int
) -> tuple[Projection, ...]:
    """Change the status and with it every standing of the player. Raises NotFound."""
    rows = fetch(connection, "set_status", {"id": player_id, "status": status})
    if not rows:
        raise NotFound("There is no such player.")
    player = Named(*rows[0])
    [(text,)] = fetch(connection, "owned_standings", {"player_id": player_id})
    ledger = Ledger()
    changes = tuple(
        ledger.put(row.settings, row.period, player, row.stored.standing, row.stored.revision + 1)
        for row in _owned.decode(text)
    )
    ledger.write(connection, now)
    return changes
