"""Forgetting the older part of the history in PostgreSQL, month by month."""

from scoreboard.model import Board
from scoreboard.order import order_keys
from scoreboard.storage.postgres.boards import PostgresBoards
from scoreboard.storage.postgres.database import Transaction
from scoreboard.storage.postgres.standings import PostgresStandings
from scoreboard.storage.postgres.submissions import SWEEP_ROWS
from scoreboard.storage.retention import beginnings, month_of

CHUNK = 5_000
"""Players whose submissions are folded by one statement."""


class PostgresRetention(PostgresBoards, PostgresStandings):
    """`scoreboard.storage.base.Retention`."""

    async def forget_history(self, before: int) -> int:
        """Forget the submissions of whole months before the instant, but for what they came to."""
        boards = [(board, await self.periods(board.id, everything=True)) for board in await self.boards()]

        async def advance(transaction: Transaction) -> None:
            [(horizon, waits)] = await transaction.fetch("lock_horizon")
            until = month_of(before) if waits is None else min(month_of(before), month_of(waits))
            if until <= horizon:
                return
            for board, periods in boards:
                kept = beginnings(board, periods, until)
                for since in kept:
                    await _put_checkpoints(transaction, board, since, horizon, until)
                await transaction.execute("drop_checkpoints", board=board.id, kept=kept)
            await transaction.execute("move_horizon", at=until)

        await self._database.transact(advance)
        await self._database.write("drop_history")
        forgotten, swept = 0, SWEEP_ROWS
        while swept == SWEEP_ROWS:
            swept = await self._database.execute("sweep_history", limit=SWEEP_ROWS)
            forgotten += swept
        return forgotten


async def _put_checkpoints(transaction: Transaction, board: Board, since: int, horizon: int, until: int) -> None:
    """Fold what is to be forgotten of periods that begin at an instant into what was forgotten of them before."""
    after: str | None = ""
    while after is not None:
        [(after,)] = await transaction.fetch(
            "checkpoint",
            board=board.id,
            since=since,
            begin=max(since, horizon),
            until=until,
            operator=board.settings.operator,
            signs=list(order_keys(board.settings).signs),
            after=after,
            limit=CHUNK,
        )
