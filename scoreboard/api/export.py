"""A whole board as a file, sent while it is read: a page of rows is all that is held of it at any time."""

import asyncio
import csv
import io
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import Final, Literal

from aiohttp import web

from scoreboard.clock import rfc3339
from scoreboard.codec import encode_json
from scoreboard.errors import ScoreboardError
from scoreboard.leaderboard import etag
from scoreboard.model import Board, Page, Row
from scoreboard.wire import page_out

log = logging.getLogger(__name__)

Format = Literal["csv", "json"]
Following = Callable[[Page], Awaitable[Page | None]]

TYPES: Final[dict[Format, str]] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
COLUMNS: Final = ("position", "rank", "player_id", "name", "score")
LAST_COLUMN: Final = "achieved_at"

STALL_S: Final = 10.0
"""How long a reader may take for a page of rows; a slower one is cut off."""

PAUSE_S: Final = 0.002
"""What all others have for themselves between two pages: a ranking in this process is read without waiting."""

FORMULA: Final = re.compile(r"(^|;)(?=\s*[=+\-@＝＋－＠])")
"""Where a spreadsheet sees a formula begin; in some countries cells are divided by `;` whatever the file says."""


class Export:
    """A board on its way: the first page is read, each other one by `following`, when the one before it is sent."""

    def __init__(self, kind: Format, board: Board, first: Page, following: Following) -> None:
        self.kind = kind
        self.etag = etag(page_out(first))
        self._ties = [column.name for column in board.settings.tiebreakers]
        self._first = first
        self._following = following
        self._moved = False

    @property
    def filename(self) -> str:
        """What to save it as: board and period, of characters that any file system takes."""
        board, window, period = self._first.period
        return ".".join(("-".join(dict.fromkeys((board, window, period))), self.kind))

    async def parts(self) -> AsyncGenerator[bytes]:
        """The file, a page of rows at a time. Raises what reading raises."""
        first = page = self._first
        yield self._head()
        yield self._rows(first)
        while (below := await self._following(page)) is not None:
            page = below
            self._moved |= _version(page) != _version(first)
            yield self._rows(page)
        yield self._tail()

    def _rows(self, page: Page) -> bytes:
        if self.kind == "csv":
            return _csv(_cells(page.rows))
        rows = encode_json(page.rows)[1:-1]
        return rows if page is self._first or not rows else b"," + rows

    def _head(self) -> bytes:
        if self.kind == "csv":
            return _csv([[*COLUMNS, *map(_text, self._ties), LAST_COLUMN]])
        board, window, period = self._first.period
        facts = {"board": board, "window": window, "period": period, "epoch": self._first.epoch}
        facts |= {"version": self._first.version, "total": self._first.total}
        if self._first.frozen_at is not None:
            facts["frozen_at"] = rfc3339(self._first.frozen_at)
        return encode_json(facts)[:-1] + b',"rows":['

    def _tail(self) -> bytes:
        return b"" if self.kind == "csv" else b'],"moved":%b}' % encode_json(self._moved)


async def send(request: web.Request, export: Export) -> web.StreamResponse:
    """Send it as fast as it is taken; whoever takes too long, or what cannot be finished, is cut off.

    A connection that is cut before the last chunk tells the client that the file is not whole.
    """
    response = web.StreamResponse(headers={"Content-Type": TYPES[export.kind], "Cache-Control": "no-cache"})
    response.headers["Content-Disposition"] = f'attachment; filename="{export.filename}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    if export.etag is not None:
        response.headers["ETag"] = export.etag
        if export.etag in request.headers.get("If-None-Match", ""):
            response.set_status(304)
    await response.prepare(request)
    if request.method == "HEAD" or response.status == 304:
        return response
    try:
        async with aclosing(export.parts()) as parts:
            async for part in parts:
                async with asyncio.timeout(STALL_S):
                    await response.write(part)
                await asyncio.sleep(PAUSE_S)
    except Exception as fault:  # the answer has begun: what is left is to break it off
        if request.transport is not None:
            request.transport.abort()
        if not isinstance(fault, ScoreboardError | ConnectionError | TimeoutError):
            raise
        level = logging.WARNING if isinstance(fault, ScoreboardError) else logging.DEBUG
        log.log(level, "the export of %s was broken off: %s", export.filename, fault or "its reader takes nothing")
    return response


def _version(page: Page) -> tuple[int | None, ...]:
    return page.epoch, page.version, page.frozen_at


def _cells(rows: Sequence[Row]) -> Iterator[Sequence[object]]:
    for row in rows:
        player_id, name = _text(row.player_id), _text(row.name)
        yield (row.position, row.rank, player_id, name, row.score, *row.tiebreakers, row.achieved_at)


def _text(text: str) -> str:
    """Text that no spreadsheet runs."""
    return text if FORMULA.search(text) is None else FORMULA.sub(r"\1'", text)


def _csv(rows: Iterable[Sequence[object]]) -> bytes:
    """Lines as RFC 4180 has them."""
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows(rows)
    return lines.getvalue().encode()
