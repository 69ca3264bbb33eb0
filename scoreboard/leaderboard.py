"""Reading boards: top, pages, neighbours, one player, periods and history."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from msgspec import UNSET

from scoreboard import periods
from scoreboard.boards import Boards
from scoreboard.clock import Clock, rfc3339
from scoreboard.errors import BadRequest, NotFound, Unavailable
from scoreboard.model import ActionRule, Board, BoardPeriod, HistoryItem, Page
from scoreboard.pipeline import Hidden, Rebuilder
from scoreboard.ranking.base import Neighbours, NotLoaded, Ranking
from scoreboard.storage.base import Storage
from scoreboard.tasks import Tasks
from scoreboard.tokens import Cursors
from scoreboard.wire import (
    Around,
    BoardOut,
    BoardRef,
    BoardsOut,
    History,
    HistoryOut,
    InPeriod,
    OnePlayer,
    PageOut,
    PeriodOut,
    PeriodsOut,
    PlayerRowOut,
    Ranks,
    Standings,
    Top,
    history_item_out,
    instant_out,
    page_out,
)

PATIENCE_S = 0.25
"""How long a read of a current period waits for its ranking to be loaded; then it is answered from the database."""

STALE_ROWS = 100
"""Rows read from the database, once for all who ask meanwhile: as many as one may ask for."""

WHOLE_ROWS = 250
"""Rows of a page of the whole board: as many as are read and written out in about a millisecond."""

MAX_TOPS = 1024
"""Encoded tops kept; at that number all are forgotten and made again as they are asked for."""


class TopPage:
    """The top of a board at one version, encoded once for everyone who asks."""

    __slots__ = ("etag", "json", "output")

    def __init__(self, output: PageOut) -> None:
        self.output = output
        self.json = msgspec.json.encode(output)
        self.etag = etag(output)


def _stale(top: TopPage) -> TopPage:
    return TopPage(msgspec.structs.replace(top.output, stale=True))


class Place(msgspec.Struct, frozen=True, array_like=True):
    """What a cursor says: the period, and where in it the next page begins."""

    period: BoardPeriod
    key: bytes
    backwards: bool


class Leaderboard:
    """Answers every question about who stands where."""

    def __init__(
        self,
        boards: Boards,
        ranking: Ranking,
        rebuilder: Rebuilder,
        storage: Storage,
        cursors: Cursors,
        clock: Clock,
        tasks: Tasks,
        hidden: Hidden,
    ) -> None:
        self._boards = boards
        self._ranking = ranking
        self._rebuilder = rebuilder
        self._storage = storage
        self._cursors = cursors
        self._clock = clock
        self._tasks = tasks
        self._hidden = hidden
        self._stale: dict[BoardPeriod, asyncio.Task[Page | Unavailable]] = {}
        self._tops: dict[tuple[BoardPeriod, int], TopPage] = {}
        boards.on_news(lambda _: self._tops.clear())  # they tell whether a board is frozen

    def period(self, asked: InPeriod) -> BoardPeriod:
        """The board period that a request means: by default the current one of the board's first window.

        Raises NotFound for an unknown board, BadRequest for a window or period the board does not have.
        """
        board = self._boards.get(asked.board)
        settings = board.settings
        window = asked.window or settings.windows[0]
        if window not in settings.windows:
            raise BadRequest(f"This board has the windows {', '.join(settings.windows)}, not {window!r}.")
        if asked.period is not None:
            periods.bounds(settings, window, asked.period)
            return BoardPeriod(board.id, window, asked.period)
        current = periods.period_at(settings, window, self._clock.now())
        return BoardPeriod(board.id, window, current or window)  # out of season: the season itself

    async def top(self, asked: Top) -> TopPage:
        """The first rows, encoded once per version; marked stale where database or ranking cannot be reached."""
        period = self.period(asked)
        known = self._tops.get((period, asked.limit))
        try:
            top = await self._ranked_top(period, asked.limit, known)
        except Unavailable:
            return await self._stale_top(period, asked.limit, known)
        return top if self._storage.is_up else _stale(top)

    async def _ranked_top(self, period: BoardPeriod, limit: int, known: TopPage | None) -> TopPage:
        if known is not None and await self._is_newest(period, known.output):
            return known
        if not await self._ready(period):
            return TopPage(self._out(await self._stored(period, limit)))
        page = await self._page(period, lambda: self._ranking.top(period, limit))
        if len(self._tops) >= MAX_TOPS:
            self._tops.clear()
        top = self._tops[period, limit] = TopPage(self._out(page))
        return top

    async def _stale_top(self, period: BoardPeriod, limit: int, known: TopPage | None) -> TopPage:
        """From the database, or where that is away too, as it was last seen here."""
        try:
            return TopPage(self._out(await self._stored(period, limit)))
        except Unavailable:
            if known is None:
                raise
            return _stale(known)

    async def standings(self, asked: Standings) -> PageOut:
        """One page of the whole board, with cursors to the next and the previous."""
        period, start = self._start(asked)
        try:
            if asked.cursor is not None or await self._ready(period):
                return await self._ranked_standings(period, start, asked)
        except Unavailable:
            if asked.cursor is not None:
                raise
        return self._out(await self._stored(period, asked.limit))

    async def _ranked_standings(self, period: BoardPeriod, start: Neighbours, asked: Standings) -> PageOut:
        page = await self._page(period, lambda: self._ranking.page(period, start, asked.limit))
        more = bool(page.rows) and page.rows[-1].position < page.total
        less = bool(page.rows) and page.rows[0].position > 1
        return msgspec.structs.replace(
            self._out(page),
            next=self._cursor(period, page.keys[-1], False) if more else None,
            previous=self._cursor(period, page.keys[0], True) if less else None,
        )

    async def first_of_whole(self, asked: InPeriod) -> Page:
        """The first page of the whole board, to read it to its end; see `next_of_whole`."""
        return await self._whole(self.period(asked), Neighbours())

    async def next_of_whole(self, page: Page) -> Page | None:
        """The page below, as it is now; None where there is none. What has not moved meanwhile is on one of them."""
        if not page.rows or page.rows[-1].position >= page.total:
            return None
        return await self._whole(page.period, Neighbours(page.keys[-1]))

    async def _whole(self, period: BoardPeriod, start: Neighbours) -> Page:
        return self._boards.marked(await self._page(period, lambda: self._ranking.page(period, start, WHOLE_ROWS)))

    def _start(self, asked: Standings) -> tuple[BoardPeriod, Neighbours]:
        if asked.cursor is None:
            return self.period(asked), Neighbours()
        try:
            place = msgspec.msgpack.decode(self._cursors.open(asked.cursor), type=Place)
        except msgspec.DecodeError:
            raise BadRequest("The cursor is not valid.") from None
        if place.period.board != asked.board:
            raise BadRequest("The cursor belongs to another board.")
        return place.period, Neighbours(place.key, place.backwards)

    def _cursor(self, period: BoardPeriod, key: bytes, backwards: bool) -> str:
        return self._cursors.sign(msgspec.msgpack.encode(Place(period, key, backwards)))

    async def around(self, asked: Around, own: bool = False) -> PageOut:
        """The player and the neighbours; a hidden player on the board only where it is their `own`.

        Raises NotFound where the player is not on the board.
        """
        period = self.period(asked)
        page = await self._page(period, lambda: self._ranking.around(period, asked.player_id, asked.k))
        if not page.rows and own and asked.player_id in self._hidden:
            page = await self._hidden.around(period, asked.player_id, asked.k) or page
        if not page.rows:
            raise NotFound("This player is not on the board.")
        return self._out(page)

    async def player(self, asked: OnePlayer, own: bool = False) -> PlayerRowOut:
        """One player's row; a hidden one's only where it is their `own`.

        Raises NotFound where the player is not on the board.
        """
        period = self.period(asked)
        page = await self._page(period, lambda: self._ranking.rows_of(period, [asked.player_id]))
        if not page.rows and own and asked.player_id in self._hidden:
            page = await self._hidden.around(period, asked.player_id, 0) or page
        if not page.rows or page.epoch is None or page.version is None:
            raise NotFound("This player is not on the board.")
        row = page.rows[0]
        return PlayerRowOut(
            board=period.board,
            window=period.window,
            period=period.period,
            epoch=page.epoch,
            version=page.version,
            **msgspec.structs.asdict(row),
            total=page.total,
            percentile=round(100 * (page.total - row.position + 1) / page.total, 2),
            frozen_at=instant_out(self._boards.frozen.get(period.board)),
        )

    async def ranks(self, asked: Ranks) -> PageOut:
        """The rows of the players named, and who of them is not on the board."""
        period = self.period(asked)
        wanted = tuple(dict.fromkeys(asked.players))
        page = await self._page(period, lambda: self._ranking.rows_of(period, wanted))
        found = {row.player_id for row in page.rows}
        missing = tuple(player_id for player_id in wanted if player_id not in found)
        return msgspec.structs.replace(self._out(page), missing=missing)

    async def periods(self, asked: BoardRef) -> PeriodsOut:
        """The periods that have standings, and the current ones, the newest first within each window."""
        board = self._boards.get(asked.board)
        current = self._boards.current(board)
        found = sorted({*current, *await self._storage.periods(board.id)}, reverse=True)
        return PeriodsOut(periods=tuple(_period_out(board, period, period in current) for period in found))

    async def history(self, asked: History, trusted: bool, official: bool = False) -> HistoryOut:
        """A player's submissions, newest first; others than the player see what counts and no metadata.

        `trusted` is the player or a backend, `official` the player or whoever may know what a frozen board keeps from
        view. Raises NotFound for an unknown player, and for a banned or hidden one where not trusted.
        """
        board = self._boards.get(asked.board)
        player = await self._storage.player(asked.player_id)
        if player is None or ((player.banned or player.hidden) and not trusted):
            raise NotFound("There is no such player.")
        items = await self._storage.history(
            board.id, asked.player_id, asked.before, asked.limit, counted_only=not trusted, frozen=not official
        )
        return HistoryOut(
            board=board.id,
            player_id=asked.player_id,
            submissions=tuple(history_item_out(item, _metadata(item, trusted)) for item in items),
        )

    def boards(self, everything: bool) -> BoardsOut:
        """The boards; only public ones unless `everything`."""
        shown = [board for board in self._boards.all() if everything or board.settings.public]
        return BoardsOut(boards=tuple(board_out(board) for board in shown))

    def board(self, asked: BoardRef) -> BoardOut:
        """One board."""
        return board_out(self._boards.get(asked.board))

    async def _is_newest(self, period: BoardPeriod, shown: PageOut) -> bool:
        try:
            return await self._ranking.version(period) == (shown.epoch, shown.version)
        except NotLoaded:
            return False

    async def _ready(self, period: BoardPeriod) -> bool:
        """Whether to read from the ranking: unless it is being loaded and that takes longer than a moment.

        Past periods are few and waited for: they are read from the ranking in any case.
        """
        if await self._ranking.loaded(period) or period not in self._boards.current(self._boards.get(period.board)):
            return True
        return await self._rebuilder.ensure_soon(period, PATIENCE_S)

    async def _stored(self, period: BoardPeriod, limit: int) -> Page:
        """The first rows from the database, read once for all who ask meanwhile. Raises Unavailable."""
        reading = self._stale.get(period)
        if reading is None:
            reading = self._stale[period] = self._tasks.start(self._read_stored(period), f"read {period}")
            reading.add_done_callback(lambda _: self._stale.pop(period))
        page = await asyncio.shield(reading)
        if isinstance(page, Unavailable):
            raise page
        return msgspec.structs.replace(page, rows=page.rows[:limit], keys=page.keys[:limit])

    async def _read_stored(self, period: BoardPeriod) -> Page | Unavailable:
        try:
            return await self._storage.page(self._boards.get(period.board), period, STALE_ROWS)
        except Unavailable as fault:  # for each who asked, and no fault of the task
            return fault

    def _out(self, page: Page) -> PageOut:
        return page_out(self._boards.marked(page))

    async def _page(self, period: BoardPeriod, read: Callable[[], Awaitable[Page]]) -> Page:
        """Read from the ranking, loading a period that has standings but is not loaded; empty where it has none."""
        try:
            return await read()
        except NotLoaded:
            if not await self._has_standings(period):
                return Page(period, 0, 0, 0, (), ())
        await self._rebuilder.ensure(period)
        return await read()

    async def _has_standings(self, period: BoardPeriod) -> bool:
        return period in self._boards.current(self._boards.get(period.board)) or period in await self._storage.periods(
            period.board
        )


def etag(output: PageOut | PlayerRowOut) -> str | None:
    """The entity tag of rows: their epoch and version, and that they are frozen; none if they are from the database."""
    if isinstance(output, PageOut) and output.stale:
        return None
    if output.version is None:
        return None
    return f'"{output.epoch}.{output.version}{"" if output.frozen_at is UNSET else ".frozen"}"'


def board_out(board: Board) -> BoardOut:
    """A board as shown."""
    settings = board.settings
    return BoardOut(
        board=board.id,
        title=settings.title or board.id,
        order=settings.order,
        operator=settings.operator,
        rank=settings.rank,
        tiebreakers=tuple({"name": column.name, "order": column.order} for column in settings.tiebreakers),
        windows=settings.windows,
        seasons={name: msgspec.structs.asdict(season) for name, season in settings.seasons.items()},
        timezone=settings.timezone,
        week_start=settings.week_start,
        public=settings.public,
        decimals=settings.decimals,
        min_score=settings.min_score,
        max_score=settings.max_score,
        live_limit=settings.live_limit,
        actions={name: _action_out(rule) for name, rule in settings.actions.items()},
        frozen_at=instant_out(board.frozen_at),
        freezes_at=instant_out(board.freezes_at),
    )


def _action_out(rule: ActionRule) -> dict[str, int | None]:
    """An action as shown: its physics. What happens to those who break it is nobody's business but the board's."""
    shown: dict[str, int | None] = msgspec.structs.asdict(rule)
    del shown["rules"]
    return shown


def _period_out(board: Board, period: BoardPeriod, current: bool) -> PeriodOut:
    start, end = periods.bounds(board.settings, period.window, period.period)
    return PeriodOut(
        window=period.window,
        period=period.period,
        start=None if start is None else rfc3339(start),
        end=None if end is None else rfc3339(end),
        current=current,
    )


def _metadata(item: HistoryItem, trusted: bool) -> object:
    return msgspec.json.decode(item.metadata) if trusted and item.metadata is not None else None
