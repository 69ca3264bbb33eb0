"""Reading boards."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from scoreboard.clock import rfc3339
from scoreboard.model import BoardId, HistoryItem, Label, Page, PlayerId, Row, SubmissionState
from scoreboard.wire.base import Input, Limit, Output, Token

Window = Annotated[Label, Meta(examples=["week"])]
Period = Annotated[Label, Meta(examples=["2026-W48"])]


class BoardRef(Input, frozen=True, kw_only=True):
    board: BoardId


class InPeriod(Input, frozen=True, kw_only=True):
    """A board, and which period of which window; the current one of the board's first window unless told."""

    board: BoardId
    window: Window | None = None
    period: Period | None = None


class Top(InPeriod, frozen=True, kw_only=True):
    limit: Limit = 10


class Standings(InPeriod, frozen=True, kw_only=True):
    limit: Limit = 50
    cursor: Token | None = None


class OnePlayer(InPeriod, frozen=True, kw_only=True):
    player_id: PlayerId


class Around(OnePlayer, frozen=True, kw_only=True):
    k: Annotated[int, Meta(ge=0, le=50)] = 5


class Ranks(InPeriod, frozen=True, kw_only=True):
    players: Annotated[tuple[PlayerId, ...], Meta(min_length=1, max_length=500)]


class History(Input, frozen=True, kw_only=True):
    board: BoardId
    player_id: PlayerId
    limit: Limit = 50
    before: Annotated[str, Meta(max_length=64)] | None = None


class Export(InPeriod, frozen=True, kw_only=True):
    format: Literal["csv", "json"] = "csv"


class BoardOut(Output, frozen=True, kw_only=True):
    """A board; where it is frozen, since when, and where it will be, at what time."""

    board: str
    title: str
    order: str
    operator: str
    rank: str
    tiebreakers: tuple[dict[str, str], ...]
    windows: tuple[str, ...]
    seasons: dict[str, dict[str, str]]
    timezone: str
    week_start: str
    public: bool
    decimals: int
    min_score: Annotated[int, Meta(examples=[0])]
    max_score: Annotated[int, Meta(examples=[100])]
    live_limit: int
    actions: dict[str, dict[str, int | None]]
    frozen_at: str | UnsetType = UNSET
    freezes_at: str | UnsetType = UNSET


class BoardsOut(Output, frozen=True, kw_only=True):
    boards: tuple[BoardOut, ...]


class PageOut(Output, frozen=True, kw_only=True, omit_defaults=False):
    """Rows of a period with the version they belong to; `missing` and the cursors only where they were asked for.

    `frozen_at` is there while the board is frozen: the rows are those of that time.
    """

    board: str
    window: str
    period: str
    epoch: int | None
    version: int | None
    total: int
    stale: bool
    frozen_at: str | UnsetType = UNSET
    rows: tuple[Row, ...]
    next: str | None | UnsetType = UNSET
    previous: str | None | UnsetType = UNSET
    missing: tuple[str, ...] | UnsetType = UNSET


class PlayerRowOut(Output, frozen=True, kw_only=True, omit_defaults=True):
    """One player's row; `percentile` is the share of the board, 0 to 100, that stands at or below the player."""

    board: str
    window: str
    period: str
    epoch: int
    version: int
    position: int
    rank: int
    player_id: str
    name: str
    score: int
    tiebreakers: tuple[int, ...] = ()
    achieved_at: str
    total: int
    percentile: float
    frozen_at: str | UnsetType = UNSET


class ExportOut(Output, frozen=True, kw_only=True):
    """A whole board, with the version it had when its first rows were read; `moved` tells that it has changed since.

    Then whoever moved meanwhile may be missing, or there twice.
    """

    board: str
    window: str
    period: str
    epoch: int
    version: int
    total: int
    frozen_at: str | UnsetType = UNSET
    rows: tuple[Row, ...]
    moved: bool


class PeriodOut(Output, frozen=True, kw_only=True):
    window: str
    period: str
    start: str | None
    end: str | None
    current: bool


class PeriodsOut(Output, frozen=True, kw_only=True):
    periods: tuple[PeriodOut, ...]


class HistoryItemOut(Output, frozen=True, kw_only=True):
    submission_id: str
    score: int
    tiebreakers: tuple[int, ...]
    metadata: Any
    action: str | None
    at: str
    state: SubmissionState


class HistoryOut(Output, frozen=True, kw_only=True):
    board: str
    player_id: str
    submissions: tuple[HistoryItemOut, ...]


def instant_out(at: int | None) -> str | UnsetType:
    """An instant as shown, left out where there is none."""
    return UNSET if at is None else rfc3339(at)


def page_out(page: Page) -> PageOut:
    """A page as shown, without cursors."""
    return PageOut(
        board=page.period.board,
        window=page.period.window,
        period=page.period.period,
        epoch=page.epoch,
        version=page.version,
        total=page.total,
        stale=page.stale,
        frozen_at=instant_out(page.frozen_at),
        rows=page.rows,
    )


def history_item_out(item: HistoryItem, metadata: Any) -> HistoryItemOut:
    """One past submission; `metadata` is the parsed object or None."""
    return HistoryItemOut(
        submission_id=item.id,
        score=item.score,
        tiebreakers=item.tiebreakers,
        metadata=metadata,
        action=item.action,
        at=rfc3339(item.accepted_at),
        state=item.state,
    )
