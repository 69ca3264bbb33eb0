"""The boards this server keeps: held in memory, stored in the database."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from scoreboard import periods
from scoreboard.clock import Clock
from scoreboard.errors import Conflict, NotFound
from scoreboard.model import AuditEntry, Board, BoardPeriod, BoardSettings
from scoreboard.storage.base import Storage

log = logging.getLogger(__name__)

Changed = Callable[[Board | None, Board], Awaitable[None]]
"""Told of a board that was created (then the first is None) or got other settings: as it was, and as it is."""

FOLD_SETTINGS = ("order", "operator", "tiebreakers")
"""What standings are made by: fixed once a board has history."""


class Boards:
    """Looks boards up by id and changes their settings."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._boards: dict[str, Board] = {}
        self._listeners: list[Changed] = []

    def on_change(self, listener: Changed) -> None:
        """Have `listener` told of every change."""
        self._listeners.append(listener)

    async def open(self, configured: Mapping[str, BoardSettings]) -> None:
        """Read the stored boards, and create the configured ones that are not there yet."""
        self._boards = {board.id: board for board in await self._storage.boards()}
        for board_id, settings in configured.items():
            if board_id not in self._boards:
                await self._store(board_id, settings)

    def get(self, board_id: str) -> Board:
        """A board by id. Raises NotFound."""
        board = self._boards.get(board_id)
        if board is None:
            raise NotFound(f"There is no board {board_id!r}.")
        return board

    def settings(self, board_id: str) -> BoardSettings:
        """The settings of a board by id. Raises KeyError."""
        return self._boards[board_id].settings

    def all(self) -> tuple[Board, ...]:
        """Every board, by id."""
        return tuple(self._boards[board_id] for board_id in sorted(self._boards))

    def current(self, board: Board) -> tuple[BoardPeriod, ...]:
        """The period of each of the board's windows that is open now."""
        return periods.board_periods(board, self._clock.now())

    async def put(self, board_id: str, settings: BoardSettings, actor: str) -> tuple[Board, bool]:
        """Create a board, or give one other settings; returns it and whether it is new.

        Raises BadRequest for settings that make no sense together, and Conflict where the order, operator or tie
        columns of a board with history would change.
        """
        periods.check(settings)
        known = self._boards.get(board_id)
        if known is not None and known.settings == settings:
            return known, False
        if known is not None:
            await self._refuse_refold(known, settings)
        board = await self._store(board_id, settings)
        await self._storage.add_audit([AuditEntry(board.updated_at, actor, "board.put", board_id)])
        for listener in self._listeners:
            await listener(known, board)
        return board, known is None

    async def _refuse_refold(self, known: Board, settings: BoardSettings) -> None:
        changed = [name for name in FOLD_SETTINGS if getattr(known.settings, name) != getattr(settings, name)]
        if changed and await self._storage.has_history(known.id):
            raise Conflict(f"{', '.join(changed)} cannot change once the board has scores; make another board.")

    async def _store(self, board_id: str, settings: BoardSettings) -> Board:
        now = self._clock.now()
        board = await self._storage.put_board(Board(board_id, settings, 0, now, now))
        self._boards[board_id] = board
        return board
