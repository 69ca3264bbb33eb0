"""Boards and their settings in SQLite."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from scoreboard.model import AuditEntry, Board, BoardSettings
from scoreboard.storage.settled import check_settled
from scoreboard.storage.sqlite.audit import append
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import encode, fetch


class SqliteBoards(Part):
    """`scoreboard.storage.base.Boards`."""

    async def boards(self) -> tuple[Board, ...]:
        """All boards, by id."""
        rows = await self._database.read(lambda connection: fetch(connection, "boards"))
        return tuple(_from_row(row) for row in rows)

    async def put_board(self, board: Board, entry: AuditEntry | None = None) -> Board:
        """Create the board or replace its settings; returns it as stored. Raises Conflict, see `check_settled`."""
        parameters = {
            "id": board.id,
            "settings": encode(board.settings),
            "created_at": board.created_at,
            "updated_at": board.updated_at,
        }

        def put(connection: sqlite3.Connection) -> Board:
            _check(connection, board)
            [row] = fetch(connection, "put_board", parameters)
            append(connection, [entry] if entry else [])
            return _from_row(row)

        return await self._database.write(put)


_settings = msgspec.json.Decoder(BoardSettings)


def _check(connection: sqlite3.Connection, board: Board) -> None:
    for (settings,) in fetch(connection, "board_settings", {"id": board.id}):
        [(has_history,)] = fetch(connection, "has_history", {"board": board.id})
        if has_history:
            check_settled(_settings.decode(settings), board.settings, board.updated_at)


def _from_row(row: Sequence[Any]) -> Board:
    board_id, settings, revision, created_at, updated_at = row
    return Board(board_id, _settings.decode(settings), revision, created_at, updated_at)
