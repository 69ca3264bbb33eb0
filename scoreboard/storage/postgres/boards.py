"""Boards and their settings in PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from scoreboard.model import MAX_SCORE, AuditEntry, Board, BoardSettings
from scoreboard.order import order_keys
from scoreboard.storage.base import REVEALED_TOGETHER
from scoreboard.storage.postgres.audit import append
from scoreboard.storage.postgres.database import Transaction
from scoreboard.storage.postgres.part import Part
from scoreboard.storage.postgres.rows import encode
from scoreboard.storage.refold import CountedRow, players_of, refold
from scoreboard.storage.settled import check_settled

CHUNK = 5_000
"""Submissions read at a time: neither they nor the standings are ever all in memory."""

_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"


class PostgresBoards(Part):
    """`scoreboard.storage.base.Boards`."""

    async def boards(self) -> tuple[Board, ...]:
        """All boards, by id."""
        return tuple(_from_row(row) for row in await self._database.read("boards"))

    async def put_board(self, board: Board, entries: Sequence[AuditEntry] = ()) -> Board:
        """Create the board or replace its settings; windows that were not there are folded from the history.

        Returns it as stored. Raises Conflict, see `check_settled`, and ScoreOutOfRange or BadRequest, see `refold`.
        """

        async def put(transaction: Transaction) -> Board:
            before = await transaction.fetch("lock_board", id=board.id)
            if before and before[0][1]:
                known = _settings.decode(before[0][0])
                check_settled(known, board.settings, board.updated_at, frozen=before[0][2])
                for window in board.settings.windows:
                    if window not in known.windows:
                        await _backfill(transaction, board, window)
            [row] = await transaction.fetch(
                "put_board",
                id=board.id,
                settings=encode(board.settings),
                created_at=board.created_at,
                updated_at=board.updated_at,
            )
            await append(transaction, entries)
            return _from_row(row)

        return await self._database.transact(put)

    async def delete_board(self, board_id: str, now: int, entries: Sequence[AuditEntry]) -> Board | None:
        """Show a board to nobody any more, and write the audit entries; None where there is none."""

        return await self._database.transact(
            lambda transaction: _change(transaction, "delete_board", entries, id=board_id, now=now)
        )

    async def freeze_board(
        self, board_id: str, now: int, entries: Sequence[AuditEntry], *, due: bool = False
    ) -> Board | None:
        """Keep from view what comes from now on; None where nothing is to change."""
        return await self._database.transact(
            lambda transaction: _change(transaction, "freeze_board", entries, id=board_id, now=now, due=due)
        )

    async def schedule_freeze(self, board_id: str, at: int, entries: Sequence[AuditEntry]) -> Board | None:
        """Have a board frozen later; None where nothing is to change."""
        return await self._database.transact(
            lambda transaction: _change(transaction, "schedule_freeze", entries, id=board_id, at=at)
        )

    async def reveal_board(self, board_id: str, now: int, entries: Sequence[AuditEntry]) -> Board | None:
        """Show a board as it is; the outbox names the standings that have moved. None where nothing is to change."""

        async def reveal(transaction: Transaction) -> Board | None:
            board = await _change(transaction, "reveal_board", entries, id=board_id)
            if board is not None:
                await transaction.execute("reveal_standings", id=board_id, now=now, together=REVEALED_TOGETHER)
                await transaction.execute("reveal_history", id=board_id)
            return board

        return await self._database.transact(reveal)


async def _change(
    transaction: Transaction, name: str, entries: Sequence[AuditEntry], **parameters: Any
) -> Board | None:
    """Run a statement that changes a board, and write the audit entries; None, and nothing done, where it did not."""
    rows = await transaction.fetch(name, **parameters)
    if not rows:
        return None
    await append(transaction, entries)
    return _from_row(rows[0])


async def signs_of_boards(transaction: Transaction) -> dict[str, Sequence[int]]:
    """The sign of each column of the boards' order keys."""
    return {board.id: order_keys(board.settings).signs for board in map(_from_row, await transaction.fetch("boards"))}


async def _backfill(transaction: Transaction, board: Board, window: str) -> None:
    """Fold the standings of a window, and every period of it, anew."""
    await transaction.execute("empty_window", board=board.id, window=window)
    signs = list(order_keys(board.settings).signs)
    async for rows in players_of(_counted(transaction, board.id)):
        folded = [
            {
                "period": each.period,
                "player_id": each.player_id,
                "score": each.standing.score,
                "tiebreakers": each.standing.tiebreakers,
                "achieved_at": each.standing.achieved_at,
                "last_at": each.standing.last_at,
                "last_id": each.standing.last_id,
            }
            for each in refold(board.settings, window, rows)
        ]
        await transaction.execute("fill_window", board=board.id, window=window, signs=signs, rows=encode(folded))


async def _counted(transaction: Transaction, board_id: str) -> AsyncIterator[list[CountedRow]]:
    """What is counted on the board, player by player, each in fold order."""
    after: tuple[str, int, str] = ("", -MAX_SCORE, _BEFORE_ALL)
    while True:
        player_id, at, submission_id = after
        found = await transaction.fetch(
            "counted_history", board=board_id, player_id=player_id, at=at, id=submission_id, limit=CHUNK
        )
        rows = [CountedRow(*row)._replace(tiebreakers=tuple(row[-1])) for row in found]
        if rows:
            yield rows
        if len(rows) < CHUNK:
            return
        after = (rows[-1].player_id, rows[-1].accepted_at, rows[-1].id)


_settings = msgspec.json.Decoder(BoardSettings)


def _from_row(row: Sequence[Any]) -> Board:
    board_id, settings, *rest = row
    return Board(board_id, _settings.decode(settings), *rest)
