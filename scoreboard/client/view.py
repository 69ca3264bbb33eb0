"""A board as a live client shows it: snapshots and deltas applied in the order of their versions."""

from msgspec import Struct

from scoreboard.wire import Delta, Row, Since, Snapshot


class Gap(Exception):
    """A delta does not continue what is shown; the board must be asked for afresh."""


class BoardView(Struct, frozen=True):
    """The shown rows of one board period, best first, with the version they belong to.

    `frozen_at` tells since when the board is frozen, whose rows they are.
    """

    board: str
    window: str
    period: str
    limit: int
    epoch: int
    version: int
    total: int
    rows: tuple[Row, ...]
    frozen_at: str | None = None

    @property
    def since(self) -> Since:
        """Where a resumed subscription continues."""
        return Since(self.period, self.epoch, self.version)


def from_snapshot(shown: BoardView | None, new: Snapshot) -> BoardView:
    """The view after a snapshot; `shown` itself where the snapshot tells nothing newer."""
    frozen_at = new.frozen_at or None
    if shown is not None and shown.period == new.period:
        known, told = (shown.epoch, shown.version), (new.epoch, new.version)
        if told < known or (told == known and frozen_at == shown.frozen_at):
            return shown
    return BoardView(
        new.board,
        new.window,
        new.period,
        new.limit,
        new.epoch,
        new.version,
        new.total,
        tuple(_sorted(new.rows)),
        frozen_at,
    )


def from_delta(shown: BoardView | None, new: Delta) -> BoardView:
    """The view after a delta; `shown` itself where the delta is not newer. Raises Gap where it does not continue it."""
    if shown is None or (shown.period, shown.epoch) != (new.period, new.epoch):
        raise Gap
    if new.version <= shown.version:
        return shown
    if new.from_ != shown.version:
        raise Gap
    moved = {row.player_id for row in new.rows} | set(new.gone)
    rows = _sorted([*(row for row in shown.rows if row.player_id not in moved), *new.rows])
    return BoardView(
        new.board, new.window, new.period, new.limit, new.epoch, new.version, new.total, tuple(rows), shown.frozen_at
    )


def _sorted(rows: tuple[Row, ...] | list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.position)
