"""What is said on a WebSocket besides the operations."""

from msgspec import UNSET, Struct, UnsetType, field

from scoreboard.model import BoardId, BoardPeriod, Label, Placing, Row
from scoreboard.wire.base import Input, Limit, Text, Token


class Since(Struct, frozen=True, forbid_unknown_fields=True):
    """What a resuming client last showed."""

    period: Label
    epoch: int
    version: int


class Subscribe(Input, frozen=True, kw_only=True):
    board: BoardId
    window: Label | None = None
    limit: Limit = 10
    me: bool = False
    since: Since | None = None


class Unsubscribe(Input, frozen=True, kw_only=True):
    subscription: Text


class Authenticate(Input, frozen=True, kw_only=True):
    token: Token | None = None


class Pushed(Struct, frozen=True, tag_field="type", kw_only=True):
    """Base of what the server sends unasked."""


class Snapshot(Pushed, frozen=True, tag="snapshot", kw_only=True):
    """The first rows. A board that is frozen, or is no longer, is told by a snapshot."""

    board: str
    window: str
    period: str
    limit: int
    epoch: int
    version: int
    total: int
    rows: tuple[Row, ...]
    frozen_at: str | UnsetType = UNSET


class Delta(Pushed, frozen=True, tag="delta", kw_only=True):
    """`rows` changed or moved and are placed by position; players in `gone` left the shown rows."""

    board: str
    window: str
    period: str
    limit: int
    epoch: int
    from_: int = field(name="from")
    version: int
    total: int
    rows: tuple[Row, ...]
    gone: tuple[str, ...]


class MePushed(Pushed, frozen=True, tag="me", kw_only=True):
    board: str
    window: str
    position: int | None
    rank: int | None
    score: int | None
    version: int


class Ping(Pushed, frozen=True, tag="ping", kw_only=True):
    pass


class State(Pushed, frozen=True, tag="state", kw_only=True):
    state: str


class Freshness(Pushed, frozen=True, tag="freshness", kw_only=True):
    """Whether boards may be behind: the ranking or the database cannot be reached, and what changes is shown later."""

    stale: bool


class Expiring(Pushed, frozen=True, tag="expiring", kw_only=True):
    """The access token ends in that many seconds; renew it on this socket."""

    expires_in: int


class Bye(Pushed, frozen=True, tag="bye", kw_only=True):
    code: int
    reason: str
    reconnect: bool
    retry_after_ms: int


def me_pushed(period: BoardPeriod, placing: Placing) -> MePushed:
    """Own standing as pushed."""
    return MePushed(
        board=period.board,
        window=period.window,
        position=placing.position,
        rank=placing.rank,
        score=placing.score,
        version=placing.version,
    )
