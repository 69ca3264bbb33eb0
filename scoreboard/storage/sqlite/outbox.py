"""The outbox in SQLite."""

from collections.abc import Sequence

import msgspec

from scoreboard.model import BoardPeriod
from scoreboard.storage.base import OutboxRow, Touched
from scoreboard.storage.sqlite.part import Part
from scoreboard.storage.sqlite.statements import encode, execute, fetch


class SqliteOutbox(Part):
    """`scoreboard.storage.base.Outbox`."""

    async def outbox(self, before: int, limit: int) -> tuple[OutboxRow, ...]:
        """Rows committed before the instant, oldest first."""
        parameters = {"before": before, "limit": limit}
        rows = await self._database.read(lambda connection: fetch(connection, "outbox", parameters))
        return tuple(OutboxRow(outbox_id, at, _standings(touched)) for outbox_id, at, touched in rows)

    async def settle(self, outbox_ids: Sequence[int]) -> None:
        """Delete rows whose standings have been projected."""
        parameters = {"ids": encode(outbox_ids)}
        await self._database.write(lambda connection: execute(connection, "settle", parameters))


_touched = msgspec.json.Decoder(list[tuple[str, str, str, str]])


def _standings(text: str) -> tuple[Touched, ...]:
    return tuple(
        Touched(BoardPeriod(board, window, period), player) for board, window, period, player in _touched.decode(text)
    )
