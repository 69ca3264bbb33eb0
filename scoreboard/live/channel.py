"""What everybody who follows one board period at one limit is shown: pure, no clock and no connection.

A channel remembers the rows of the versions it really sent, and for a client that has one of those makes the
shortest way to the newest: nothing, a delta or a snapshot. Each is encoded once, however many want it.
"""

from collections import OrderedDict
from collections.abc import Sequence

from scoreboard.live.base import Codec, Known
from scoreboard.live.frames import encode, frame
from scoreboard.model import BoardPeriod, Page, Row
from scoreboard.wire import Delta, Snapshot, instant_out


class Channel:
    """The newest rows of one board period, up to `limit`, and at most `remembered` versions that were sent."""

    def __init__(self, period: BoardPeriod, limit: int, remembered: int) -> None:
        self.period = period
        self.limit = limit
        self._remembered = remembered
        self._head: Known | None = None
        self._total = 0
        self._frozen_at: int | None = None
        self._rows: tuple[Row, ...] = ()
        self._sent: OrderedDict[int, tuple[Row, ...]] = OrderedDict()
        self._frames: dict[tuple[int | None, Codec], bytes | None] = {}

    @property
    def head(self) -> Known | None:
        """Epoch and version of the newest rows; None before there are any."""
        return self._head

    def show(self, page: Page) -> bool:
        """Take the page as the newest; tells whether what viewers see of it changed. An older one is ignored."""
        if page.epoch is None or page.version is None or (self._head and self._head > (page.epoch, page.version)):
            return False
        rows = page.rows[: self.limit]
        rebuilt = self._head is None or self._head[0] != page.epoch or self._frozen_at != page.frozen_at
        changed = rebuilt or rows != self._rows
        if rebuilt:
            self._sent.clear()
        self._head, self._total, self._rows = (page.epoch, page.version), page.total, rows
        self._frozen_at = page.frozen_at
        self._frames.clear()
        return changed

    def remembers(self, known: Known | None) -> bool:
        """Whether that version was sent here, and its rows are still known."""
        return known is not None and self._head is not None and known[0] == self._head[0] and known[1] in self._sent

    def frame_for(self, known: Known | None, codec: Codec) -> bytes | None:
        """The frame that brings a client from what it shows to the newest; None where it shows the newest rows.

        What this channel never sent is not known, were it the newest version: it may have been shown at another limit.
        """
        if self._head is None:
            return None
        wanted = (known[1] if known is not None and self.remembers(known) else None, codec)
        if wanted not in self._frames:
            payload = self._payload(self._head, *wanted)
            self._frames[wanted] = None if payload is None else frame(codec, payload)
        return self._frames[wanted]

    def _payload(self, head: Known, version: int | None, codec: Codec) -> bytes | None:
        before = None if version is None else self._sent[version]
        if before == self._rows:
            return None
        self._remember(head[1])
        if version is None or before is None:
            return encode(codec, self._snapshot(head))
        return self._shorter(codec, head, version, before)

    def _shorter(self, codec: Codec, head: Known, version: int, before: tuple[Row, ...]) -> bytes:
        moved, gone = difference(before, self._rows)
        delta = encode(codec, self._delta(head, version, moved, gone))
        # A row is longer than an id, so fewer entries are fewer bytes; only otherwise must both be tried.
        if len(moved) + len(gone) < len(self._rows):
            return delta
        return min(delta, encode(codec, self._snapshot(head)), key=len)

    def _remember(self, version: int) -> None:
        self._sent[version] = self._rows
        self._sent.move_to_end(version)
        if len(self._sent) > self._remembered:
            self._sent.popitem(last=False)

    def _snapshot(self, head: Known) -> Snapshot:
        board, window, period = self.period
        return Snapshot(
            board=board,
            window=window,
            period=period,
            limit=self.limit,
            epoch=head[0],
            version=head[1],
            total=self._total,
            rows=self._rows,
            frozen_at=instant_out(self._frozen_at),
        )

    def _delta(self, head: Known, version: int, moved: Sequence[Row], gone: tuple[str, ...]) -> Delta:
        board, window, period = self.period
        return Delta(
            board=board,
            window=window,
            period=period,
            limit=self.limit,
            epoch=head[0],
            from_=version,
            version=head[1],
            total=self._total,
            rows=tuple(moved),
            gone=gone,
        )


def difference(before: Sequence[Row], after: Sequence[Row]) -> tuple[list[Row], tuple[str, ...]]:
    """The rows that are new, moved or changed, and the ids of players that are no longer among them."""
    old = {row.player_id: row for row in before}
    moved = [row for row in after if old.pop(row.player_id, None) != row]
    return moved, tuple(old)
