"""Boards and their settings in SQLite."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from scoreboard.model import AuditEntry, Board, BoardSettings
from scoreboard.storage.base import REVEALED_TOGETHER
from scoreboard.storage.settled import check_settled
from scoreboard.storage.sqlite.audit import append
from scoreboard.storage.sqlite.backfill import backfill
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import Parameters, encode, execute, fetch


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
            before, frozen = _settled(connection, board.id)
            if before is not None:
                check_settled(before, board.settings, board.updated_at, frozen=frozen)
                backfill(connection, board, [name for name in board.settings.windows if name not in before.windows])
            [row] = fetch(connection, "put_board", parameters)
            append(connection, entries)
            return _from_row(row)

        return await self._database.write(put)

    async def delete_board(self, board_id: str, now: int, entries: Sequence[AuditEntry]) -> Board | None:
        """Show a board to nobody any more, and write the audit entries; None where there is none."""

        parameters = {"id": board_id, "now": now}
        return await self._database.write(lambda connection: _change(connection, "delete_board", parameters, entries))

    async def freeze_board(
        self, board_id: str, now: int, entries: Sequence[AuditEntry], *, due: bool = False
    ) -> Board | None:
        """Keep from view what comes from now on; None where nothing is to change."""
        parameters = {"id": board_id, "now": now, "due": due}
        return await self._database.write(lambda connection: _change(connection, "freeze_board", parameters, entries))

    async def schedule_freeze(self, board_id: str, at: int, entries: Sequence[AuditEntry]) -> Board | None:
        """Have a board frozen later; None where nothing is to change."""
        parameters = {"id": board_id, "at": at}
        return await self._database.write(
            lambda connection: _change(connection, "schedule_freeze", parameters, entries)
        )

    async def reveal_board(self, board_id: str, now: int, entries: Sequence[AuditEntry]) -> Board | None:
        """Show a board as it is; the outbox names the standings that have moved. None where nothing is to change."""

        def reveal(connection: sqlite3.Connection) -> Board | None:
            board = _change(connection, "reveal_board", {"id": board_id}, entries)
            if board is not None:
                moved = fetch(connection, "reveal_standings", {"board": board_id})
                for start in range(0, len(moved), REVEALED_TOGETHER):
                    touched = encode(moved[start : start + REVEALED_TOGETHER])
                    fetch(connection, "write_outbox", {"at": now, "touched": touched})
                execute(connection, "reveal_history", {"board": board_id})
            return board

        return await self._database.write(reveal)


_settings = msgspec.json.Decoder(BoardSettings)


def _change(
    connection: sqlite3.Connection, name: str, parameters: Parameters, entries: Sequence[AuditEntry]
) -> Board | None:
    """Run a statement that changes a board, and write the audit entries; None, and nothing done, where it did not."""
    rows = fetch(connection, name, parameters)
    if not rows:
        return None
    append(connection, entries)
    return _from_row(rows[0])


def _settled(connection: sqlite3.Connection, board_id: str) -> tuple[BoardSettings | None, bool]:
    """The settings by which the board's submissions were counted, None where it has none; and whether it is frozen."""
    rows = fetch(connection, "settled", {"id": board_id})
    return (_settings.decode(rows[0][0]), bool(rows[0][1])) if rows else (None, False)


def _from_row(row: Sequence[Any]) -> Board:
    board_id, settings, *rest = row
    return Board(board_id, _settings.decode(settings), *rest)
