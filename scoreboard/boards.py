"""The boards this server keeps: held in memory, stored in the database."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec.structs import replace

from scoreboard import periods
from scoreboard.audit import Audit
from scoreboard.clock import Clock, rfc3339
from scoreboard.errors import NotFound
from scoreboard.model import AuditEntry, Board, BoardPeriod, BoardSettings, Page
from scoreboard.storage.base import Storage

log = logging.getLogger(__name__)

Changed = Callable[[Board | None, Board], Awaitable[None]]
"""Told of a board that was created here (then the first is None) or got other settings: as it was, and as it is."""

News = Callable[[Board], None]
"""Told of a board that changed, here or on another server; must not block."""

Write = Callable[[Sequence[AuditEntry]], Awaitable[Board | None]]
"""Changes a board in the database and writes audit entries with that; None where nothing was to change."""


class Boards:
    """Looks boards up by id and changes their settings; `audit` is told, where there are people who do."""

    def __init__(self, storage: Storage, clock: Clock, audit: Audit | None = None) -> None:
        self._storage = storage
        self._clock = clock
        self._audit = audit
        self._boards: dict[str, Board] = {}
        self.frozen: dict[str, int] = {}
        """The boards that are frozen, by id, and since when: most often none."""
        self._listeners: list[Changed] = []
        self._readers: list[News] = []

    def on_change(self, listener: Changed) -> None:
        """Have `listener` told of every change made here, one listener after the other."""
        self._listeners.append(listener)

    def on_news(self, reader: News) -> None:
        """Have `reader` told of every change, once the listeners have acted on one made here."""
        self._readers.append(reader)

    async def open(self, configured: Mapping[str, BoardSettings]) -> None:
        """Read the stored boards, and create the configured ones that are not there yet."""
        for board in await self._storage.boards():
            self._take(board)
        for board_id, settings in configured.items():
            if board_id not in self._boards:
                await self._store(board_id, settings)

    async def refresh(self) -> None:
        """Take in what other servers changed."""
        for board in await self._storage.boards():
            known = self._boards.get(board.id)
            if known is None or known.revision < board.revision:
                self._take(board)
                self._tell(board)

    def get(self, board_id: str) -> Board:
        """A board by id. Raises NotFound, also for a deleted one."""
        board = self._boards.get(board_id)
        if board is None or board.deleted_at is not None:
            raise NotFound(f"There is no board {board_id!r}.")
        return board

    def settings(self, board_id: str) -> BoardSettings:
        """The settings of a board by id, of a deleted one too: it may have standings on their way. Raises KeyError."""
        return self._boards[board_id].settings

    def shown(self, board_id: str) -> BoardSettings:
        """The settings of a board that may be shown. Raises KeyError."""
        board = self._boards[board_id]
        if board.deleted_at is not None:
            raise KeyError(board_id)
        return board.settings

    def ids(self) -> tuple[str, ...]:
        """The ids of all boards."""
        return tuple(board.id for board in self.all())

    def all(self) -> tuple[Board, ...]:
        """Every board, by id."""
        boards = (self._boards[board_id] for board_id in sorted(self._boards))
        return tuple(board for board in boards if board.deleted_at is None)

    def current(self, board: Board) -> tuple[BoardPeriod, ...]:
        """The period of each of the board's windows that is open now."""
        return periods.board_periods(board, self._clock.now())

    def is_open(self, period: BoardPeriod) -> bool:
        """Whether the period is one of its board's that are open now."""
        board = self._boards.get(period.board)
        return board is not None and board.deleted_at is None and period in self.current(board)

    async def put(self, board_id: str, settings: BoardSettings, actor: str) -> tuple[Board, bool]:
        """Create a board, or give one other settings; returns it and whether it is new.

        Windows that are new to a board with history are filled from it. Raises BadRequest for settings that make no
        sense together, Conflict where a board with history would get others of those that its standings are made by,
        and ScoreOutOfRange where a sum in a new window is out of range.
        """
        periods.check(settings)
        known = self._boards.get(board_id)
        if known is not None and known.settings == settings and known.deleted_at is None:
            return known, False
        before, board = await self._store(board_id, settings, actor)
        await self._changed(before, board)
        return board, before is None

    async def delete(self, board_id: str, actor: str) -> None:
        """Take a board away: nobody sees it or scores on it. What was scored stays, and `put` brings it back.

        Raises NotFound.
        """
        before, now = self.get(board_id), self._clock.now()
        board = await self._write(
            "board.delete", board_id, actor, lambda entries: self._storage.delete_board(board_id, now, entries)
        )
        if board is None:
            raise NotFound(f"There is no board {board_id!r}.")
        self._take(board)
        await self._changed(before, board)

    async def freeze(self, board_id: str, actor: str, at: int | None = None) -> Board:
        """Keep from view what comes to a board from now on, or from an instant still to come; returns it as it is then.

        A board that is frozen stays as it is. Raises NotFound.
        """
        if at is None:
            return await self._alter("board.freeze", board_id, actor, self._freezing(board_id))
        return await self._alter(
            "board.freeze",
            board_id,
            actor,
            lambda entries: self._storage.schedule_freeze(board_id, at, entries),
            at=rfc3339(at),
        )

    async def reveal(self, board_id: str, actor: str) -> Board:
        """Show what was kept from view, and call off a freeze that was to come; returns the board as it is then.

        A board that is neither stays as it is. Raises NotFound.
        """
        now = self._clock.now()
        return await self._alter(
            "board.reveal", board_id, actor, lambda entries: self._storage.reveal_board(board_id, now, entries)
        )

    async def freeze_due(self) -> None:
        """Freeze the boards whose time has come, as far as no other server did. Raises Unavailable."""
        for board in self.all():
            if board.freezes_at is not None and board.freezes_at <= self._clock.now():
                await self._alter("board.freeze", board.id, "", self._freezing(board.id, due=True))

    def renewed(self, board: Board) -> Board | None:
        """A board that is not what it was any more, as it is now, if it has the same settings: frozen, or revealed."""
        known = self._boards.get(board.id, board)
        same = known.settings == board.settings and known.deleted_at is None
        return known if same and known.revision != board.revision else None

    def next_freeze(self) -> int | None:
        """When the next board is to be frozen."""
        return min((board.freezes_at for board in self.all() if board.freezes_at is not None), default=None)

    def marked(self, page: Page) -> Page:
        """A page as it is shown: of a frozen board, with the instant since when it is."""
        frozen_at = self.frozen.get(page.period.board)
        return page if frozen_at is None else replace(page, frozen_at=frozen_at)

    def _freezing(self, board_id: str, *, due: bool = False) -> Write:
        now = self._clock.now()
        return lambda entries: self._storage.freeze_board(board_id, now, entries, due=due)

    async def _alter(self, act: str, board_id: str, actor: str, write: Write, **detail: str) -> Board:
        """Change a board that is not known to be what it should be; returns it as it is then. Raises NotFound."""
        await self.refresh()
        before = self.get(board_id)
        board = await self._write(act, board_id, actor, write, **detail)
        if board is None:  # there was nothing to do, or another server has done it
            await self.refresh()
            return self.get(board_id)
        self._take(board)
        await self._changed(before, board)
        return board

    async def _write(self, act: str, board_id: str, actor: str, write: Write, **detail: str) -> Board | None:
        if self._audit is None:
            return await write(())
        return await self._audit.within(
            [self._audit.entry(act, actor, board_id, **detail)], write, written=lambda board: board is not None
        )

    async def _changed(self, before: Board | None, board: Board) -> None:
        """Have everybody told of a change made here."""
        for listener in self._listeners:
            await listener(before, board)
        self._tell(board)

    def _take(self, board: Board) -> None:
        """Know a board as it is now, unless a newer change of it was heard of before."""
        known = self._boards.get(board.id)
        if known is not None and known.revision > board.revision:
            return
        self._boards[board.id] = board
        if board.frozen_at is None:
            self.frozen.pop(board.id, None)
        else:
            self.frozen[board.id] = board.frozen_at

    def _tell(self, board: Board) -> None:
        for reader in self._readers:
            reader(board)

    async def _store(
        self, board_id: str, settings: BoardSettings, actor: str | None = None
    ) -> tuple[Board | None, Board]:
        """The board as it was here and as it is now; other changes may have come while it was stored."""
        now = self._clock.now()
        wanted = Board(board_id, settings, 0, now, now)
        if self._audit is None or actor is None:
            board = await self._storage.put_board(wanted)
        else:
            entry = self._audit.entry("board.put", actor, board_id)
            board = await self._audit.within([entry], lambda sealed: self._storage.put_board(wanted, sealed))
        before = self._boards.get(board_id)
        self._take(board)
        return None if before is None or before.deleted_at is not None else before, board
