"""The outbox in SQLite."""

from collections.abc import Mapping, Sequence

import msgspec

from scoreboard.clock import SECOND
from scoreboard.model import BoardPeriod
from scoreboard.storage.base import MAX_BACKLOG, Backlog, OutboxRow, Touched
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import encode, execute, fetch


class SqliteOutbox(Part):
    """`scoreboard.storage.base.Outbox`."""

    async def take_outbox(self, now: int, before: int, limit: int, lease_s: float) -> tuple[OutboxRow, ...]:
        """Rows committed before the instant that nobody else has taken, oldest first."""
        parameters = {"now": now, "before": before, "limit": limit, "lease": now + int(lease_s * SECOND)}
        rows = await self._database.write(lambda connection: fetch(connection, "take_outbox", parameters))
        return tuple(OutboxRow(outbox_id, at, _standings(touched)) for outbox_id, at, touched in sorted(rows))

    async def settle(self, outbox_ids: Sequence[int], epochs: Mapping[BoardPeriod, int]) -> None:
        """Delete rows whose standings have been projected to rankings that still stand."""
        used = [(*period, epoch) for period, epoch in epochs.items()]
        parameters = {"ids": encode(outbox_ids), "epochs": encode(used)}
        await self._database.write(lambda connection: execute(connection, "settle", parameters))

    async def backlog(self) -> Backlog:
        """How much is not settled."""
        [row] = await self._database.read(lambda connection: fetch(connection, "backlog", {"limit": MAX_BACKLOG}))
        return Backlog(*row)


_touched = msgspec.json.Decoder(list[tuple[str, str, str, str]])


def _standings(text: str) -> tuple[Touched, ...]:
    return tuple(
        Touched(BoardPeriod(board, window, period), player) for board, window, period, player in _touched.decode(text)
    )
