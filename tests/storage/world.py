"""What the storage's contract needs of a backend, and a world with boards and submissions in which to try one."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from scoreboard.clock import DAY, ManualClock, uuid7
from scoreboard.model import AuditEntry, Board, BoardPeriod, BoardSettings, Committed, Submission
from scoreboard.order import Decoded, order_keys
from scoreboard.periods import board_periods
from scoreboard.storage.base import Committal, OutboxRow, Storage, Voided


class Backend(Protocol):
    """A kind of storage; what is written stays from one `open` to the next."""

    def open(self) -> AbstractAsyncContextManager[Storage]:
        """The storage, closed at the end."""


class World:
    """An open storage, a clock, and shorthands for what a server would do with them."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.clock = ManualClock()
        self.boards: dict[str, Board] = {}

    async def board(self, board_id: str = "main", **settings: Any) -> Board:
        """Store a board."""
        now = self.clock.now()
        self.boards[board_id] = await self.storage.put_board(Board(board_id, BoardSettings(**settings), 0, now, now))
        return self.boards[board_id]

    def submission(self, player_id: str, score: int, board: str = "main", **fields: Any) -> Submission:
        """A submission to a board; `fields` replace what is made up here."""
        at: int = fields.pop("at", None) or self.clock.now()
        submission_id = fields.pop("id", None) or uuid7(at)
        given: dict[str, Any] = {
            "action_id": f"action of {submission_id}",
            "kept_until": at + DAY,
            "tiebreakers": (),
            "periods": board_periods(self.boards[board], at),
            "creates_player": True,
        }
        return Submission(
            id=submission_id, player_id=player_id, board=board, score=score, accepted_at=at, **(given | fields)
        )

    async def commit(self, *batch: Submission) -> Committal:
        """One transaction."""
        boards = [self.boards[item.board] for item in batch]
        return await self.storage.commit(boards, batch, self.clock.now())

    async def submit(self, player_id: str, score: int, board: str = "main", **fields: Any) -> Committed:
        """One submission in a transaction of its own."""
        committal = await self.commit(self.submission(player_id, score, board, **fields))
        return committal.outcomes[0]

    async def void(self, board: str, submission_id: str, periods: Sequence[BoardPeriod] | None = None) -> Voided | None:
        """Void a submission in the periods given, or in all that it counts in."""
        entry = AuditEntry(self.clock.now(), "moderator", "submission.void", submission_id)
        item = await self.storage.submission(submission_id)
        if periods is None:
            periods = () if item is None else board_periods(self.boards[board], item.accepted_at)
        return await self.storage.void(self.boards[board], submission_id, periods, [entry])

    async def outbox(self, before: int | None = None, limit: int = 10) -> tuple[OutboxRow, ...]:
        """Transactions that are not settled, taken for no time."""
        now = self.clock.now()
        return await self.storage.take_outbox(now, now if before is None else before, limit, lease_s=0)

    async def shown(self, board: str = "main", window: str = "all", period: str = "all") -> list[tuple[str, int]]:
        """Player and score of every visible standing of a period, best first."""
        return [(row.player_id, row.score) for row in await self.standings(board, window, period)]

    async def standings(self, board: str = "main", window: str = "all", period: str = "all") -> list[Decoded]:
        """Every visible standing of a period, best first."""
        keys = order_keys(self.boards[board].settings)
        visible = await self.storage.standings_of(BoardPeriod(board, window, period), None, 10_000)
        return [keys.decode(key) for key in sorted(standing.key for standing in visible if standing.key is not None)]

    async def misfolded(self) -> list[str]:
        """Whose standings in which periods are not what their histories come to."""
        found = []
        for board in await self.storage.boards():
            for period in await self.storage.periods(board.id):
                after: str | None = None
                while page := await self.storage.refolded(board, period, after, 7):
                    found += [f"{player_id} in {period}" for player_id, agrees in page if not agrees]
                    after = page[-1].player_id
        return found
