"""Boards and their settings in SQLite."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from scoreboard.model import AuditEntry, Board, BoardSettings
from scoreboard.storage.settled import check_settled
from scoreboard.storage.sqlite.audit import append
from scoreboard.storage.sqlite.backfill import backfill
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import encode, fetch


class SqliteBoards(Part):
    """`scoreboard.storage.base.Boards`."""

    async def boards(self) -> tuple[Board, ...]:
        """All boards, by id."""
        rows = await self._database.read(lambda connection: fetch(connection, "boards"))
        return tuple(_from_row(row) for row in rows)

    async def put_board(self, board: Board, entries: Sequence[AuditEntry] = ()) -> Board:
        """Create the board or replace its settings; windows that were not there are folded from the history.

        Returns it as stored. Raises Conflict, see `check_settled`, and ScoreOutOfRange or BadRequest, see `backfill`.
        """
        parameters = {
            "id": board.id,
            "settings": encode(board.settings),
            "created_at": board.created_at,
            "updated_at": board.updated_at,
        }

        def put(connection: sqlite3.Connection) -> Board:
            before = _settled(connection, board.id)
            if before is not None:
                check_settled(before, board.settings, board.updated_at)
                backfill(connection, board, [name for name in board.settings.windows if name not in before.windows])
            [row] = fetch(connection, "put_board", parameters)
            append(connection, entries)
            return _from_row(row)

        return await self._database.write(put)

    async def delete_board(self, board_id: str, now: int, entries: Sequence[AuditEntry]) -> Board | None:
        """Show a board to nobody any more, and write the audit entries; None where there is none."""

        def delete(connection: sqlite3.Connection) -> Board | None:
            rows = fetch(connection, "delete_board", {"id": board_id, "now": now})
            if not rows:
                return None
            append(connection, entries)
            return _from_row(rows[0])

        return await self._database.write(delete)


_settings = msgspec.json.Decoder(BoardSettings)


def _settled(connection: sqlite3.Connection, board_id: str) -> BoardSettings | None:
    """The settings by which the board's submissions were counted; None where it has none."""
    rows = fetch(connection, "settled", {"id": board_id})
    return _settings.decode(rows[0][0]) if rows else None


def _from_row(row: Sequence[Any]) -> Board:
    board_id, settings, *rest = row
    return Board(board_id, _settings.decode(settings), *rest)
