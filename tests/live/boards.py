"""What the tests of the live parts share: a real ranking with boards, and a client that applies what it is sent."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from scoreboard.live.base import Codec
from scoreboard.model import BoardPeriod, BoardSettings, Page, Projection
from scoreboard.order import order_keys
from scoreboard.ranking.base import Changed, Notify
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.wire import Delta, MePushed, Row, Snapshot

MAIN = BoardPeriod("main", "all", "all")


class Boards:
    """Boards with their settings and a real ranking; every change of it goes to `listeners`."""

    def __init__(self, **settings: BoardSettings) -> None:
        self.settings = settings or {"main": BoardSettings(operator="latest")}
        self.listeners: list[Notify] = []
        self.changes: list[Changed] = []
        self.loads: list[BoardPeriod] = []
        self.ranking = MemoryRanking(self.settings_of, self._changed)
        self._revision = 0
        self._epoch = 0

    def settings_of(self, board: str) -> BoardSettings:
        return self.settings[board]

    async def load(self, period: BoardPeriod) -> None:
        """Rebuild a period as empty."""
        self.loads.append(period)
        self._epoch += 1
        await self.ranking.load(period, self._epoch, _no_pages())

    async def put(self, player: str, score: int | None, period: BoardPeriod = MAIN, name: str | None = None) -> None:
        """Give a player a score, or take the player off the board."""
        self._revision += 1
        key = None
        if score is not None:
            key = order_keys(self.settings[period.board]).encode(score, (), self._revision, player)
        shown = name or player
        await self.ranking.project([Projection(period, player, self._revision, key, shown, self._revision)])

    def _changed(self, changes: Sequence[Changed]) -> None:
        self.changes.extend(changes)
        for listener in self.listeners:
            listener(changes)


async def _no_pages() -> AsyncIterator[Sequence[Projection]]:
    nothing: tuple[Sequence[Projection], ...] = ()
    for page in nothing:
        yield page


class _Type(msgspec.Struct):
    type: str


class View:
    """A client's picture of one subscription; asserts that it may apply what it is sent."""

    def __init__(self) -> None:
        self.period = ""
        self.version: tuple[int, int] = (0, 0)
        self.rows: dict[int, Row] = {}
        self.kinds: list[str] = []

    def apply(self, message: Snapshot | Delta) -> None:
        if isinstance(message, Snapshot):
            self._snapshot(message)
        else:
            self._delta(message)
        self.version = (message.epoch, message.version)
        assert sorted(self.rows) == list(range(1, len(self.rows) + 1))

    def _snapshot(self, message: Snapshot) -> None:
        assert message.period != self.period or (message.epoch, message.version) >= self.version
        self.kinds.append("snapshot")
        self.period = message.period
        self.rows = {row.position: row for row in message.rows}

    def _delta(self, message: Delta) -> None:
        assert (message.period, message.epoch, message.from_) == (self.period, *self.version)
        assert message.version > message.from_
        self.kinds.append("delta")
        replaced = {row.player_id for row in message.rows} | set(message.gone)
        kept = [row for row in self.rows.values() if row.player_id not in replaced]
        self.rows = {row.position: row for row in (*kept, *message.rows)}
        assert len(self.rows) == len(kept) + len(message.rows)

    def shows(self, page: Page, limit: int) -> bool:
        """Whether the client sees exactly the page's first rows."""
        return [self.rows[position] for position in sorted(self.rows)] == list(page.rows[:limit])


def decode(frame: bytes, codec: Codec) -> Snapshot | Delta | MePushed | dict[str, object]:
    """The message in a server frame."""
    length = frame[1]
    start = {126: 4, 127: 10}.get(length, 2)
    payload = frame[start:]
    library = msgspec.json if codec == "json" else msgspec.msgpack
    assert frame[0] == (0x81 if codec == "json" else 0x82)
    kind = library.decode(payload, type=_Type).type
    known: dict[str, type[Snapshot] | type[Delta] | type[MePushed]] = {
        "snapshot": Snapshot,
        "delta": Delta,
        "me": MePushed,
    }
    message: Snapshot | Delta | MePushed | dict[str, object]
    message = library.decode(payload, type=known[kind]) if kind in known else library.decode(payload)
    return message
