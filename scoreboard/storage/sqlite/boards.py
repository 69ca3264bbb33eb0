"""Boards and their settings in SQLite."""

from collections.abc import Sequence
from typing import Any

import msgspec

from scoreboard.model import Board, BoardSettings
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import encode, fetch


class SqliteBoards(Part):
    """`scoreboard.storage.base.Boards`."""

    async def boards(self) -> tuple[Board, ...]:
        """All boards, by id."""
        rows = await self._database.read(lambda connection: fetch(connection, "boards"))
        return tuple(_from_row(row) for row in rows)

    async def put_board(self, board: Board) -> Board:
        """Create the board or replace its settings; its `revision` is set here. Returns it as stored."""
        parameters = {
            "id": board.id,
            "settings": encode(board.settings),
            "created_at": board.created_at,
            "updated_at": board.updated_at,
        }
        [row] = await self._database.write(lambda connection: fetch(connection, "put_board", parameters))
        return _from_row(row)

    async def has_history(self, board_id: str) -> bool:
        """Whether any submission was ever stored for the board."""
        [(found,)] = await self._database.read(lambda connection: fetch(connection, "has_history", {"board": board_id}))
        return bool(found)


_settings = msgspec.json.Decoder(BoardSettings)


def _from_row(row: Sequence[Any]) -> Board:
    board_id, settings, revision, created_at, updated_at = row
    return Board(board_id, _settings.decode(settings), revision, created_at, updated_at)
