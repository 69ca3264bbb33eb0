"""Standings in PostgreSQL, as rankings are rebuilt from them and checked against them, and the outbox."""

from collections.abc import Mapping, Sequence

import msgspec

from scoreboard.clock import SECOND
from scoreboard.model import Board, BoardPeriod, Page, Projection
from scoreboard.order import order_keys
from scoreboard.storage.base import MAX_BACKLOG, Backlog, Confirmed, OutboxRow, Refolded, Touched
from scoreboard.storage.postgres.part import Part
from scoreboard.storage.postgres.rows import encode, projection
from scoreboard.storage.ranked import ranked
from scoreboard.storage.spans import span


class PostgresStandings(Part):
    """`scoreboard.storage.base.Standings`. What a ranking is made of is never read from a standby, which may lag."""

    async def projections(self, touched: Sequence[Touched]) -> tuple[Projection, ...]:
        """These standings as they are now; unknown ones are left out."""
        wanted = encode([(*period, player_id) for period, player_id in touched])
        return tuple(projection(row) for row in await self._database.read("projections", wanted=wanted))

    async def standings_of(self, period: BoardPeriod, after: str | None, limit: int) -> tuple[Projection, ...]:
        """The period's standings in the byte order of player ids, those after the player `after`."""
        rows = await self._database.read("standings_of", **period._asdict(), after=after or "", limit=limit)
        return tuple(projection(row) for row in rows)

    async def refolded(self, board: Board, period: BoardPeriod, after: str | None, limit: int) -> tuple[Refolded, ...]:
        """The period's standings beside their histories, by player as above; nothing is changed."""
        since, until = span(board.settings, period)
        rows = await self._database.read(
            "refolded",
            **period._asdict(),
            after=after or "",
            limit=limit,
            since=since,
            until=until,
            operator=board.settings.operator,
            signs=list(order_keys(board.settings).signs),
        )
        return tuple(Refolded(*row) for row in rows)

    async def digest(self, period: BoardPeriod) -> tuple[int, int]:
        """Number of visible standings and the sum of their scores."""
        [(count, total)] = await self._database.read("digest", **period._asdict())
        return count, int(total)

    async def page(self, board: Board, period: BoardPeriod, limit: int, *, latest: bool = False) -> Page:
        """The period's first rows straight from the database, marked stale; the `latest`, whatever a standby has."""
        rows = await (self._database if latest else self._reading).read("page", **period._asdict(), limit=limit)
        total = rows[0][2] if rows else 0
        return ranked(board, period, total, [(bytes(key), name) for key, name, _ in rows])

    async def periods(self, board: str, *, everything: bool = False) -> tuple[BoardPeriod, ...]:
        """The board's periods that have a standing, by window and period; `everything`: also those kept from view."""
        rows = await self._database.read("periods", board=board, everything=everything)
        return tuple(BoardPeriod(board, window, period) for window, period in rows)

    async def next_epoch(self, period: BoardPeriod) -> int:
        """Issue an epoch for a rebuild of the period: higher than every one issued before for any period."""
        [(epoch,)] = await self._database.write("next_epoch")
        return int(epoch)

    async def confirm_epoch(self, period: BoardPeriod, epoch: int, home: str) -> bool:
        """From now on the period's ranking is the one built under this epoch in that place."""
        return await self._database.execute("confirm_epoch", **period._asdict(), epoch=epoch, home=home) == 1

    async def confirmed_epoch(self, period: BoardPeriod) -> Confirmed | None:
        """The ranking that stands for the period."""
        rows = await self._database.read("confirmed_epoch", **period._asdict())
        return Confirmed(*rows[0]) if rows else None


class PostgresOutbox(Part):
    """`scoreboard.storage.base.Outbox`."""

    async def take_outbox(self, now: int, before: int, limit: int, lease_s: float) -> tuple[OutboxRow, ...]:
        """Rows committed before the instant that nobody else has taken, oldest first."""
        lease = now + int(lease_s * SECOND)
        rows = await self._database.write("take_outbox", now=now, before=before, limit=limit, lease=lease)
        return tuple(OutboxRow(outbox_id, at, _standings(touched)) for outbox_id, at, touched in sorted(rows))

    async def settle(self, outbox_ids: Sequence[int], epochs: Mapping[BoardPeriod, int]) -> None:
        """Delete rows whose standings have been projected to rankings that still stand."""
        used = encode([(*period, str(epoch)) for period, epoch in epochs.items()])
        await self._database.execute("settle", ids=list(outbox_ids), epochs=used)

    async def backlog(self) -> Backlog:
        """How much is not settled."""
        [row] = await self._database.read("backlog", limit=MAX_BACKLOG)
        return Backlog(*row)


_touched = msgspec.json.Decoder(list[tuple[str, str, str, str]])


def _standings(text: str) -> tuple[Touched, ...]:
    return tuple(
        Touched(BoardPeriod(board, window, period), player) for board, window, period, player in _touched.decode(text)
    )
