"""A whole board as a file."""

import asyncio
import csv
import io
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psycopg2
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from scoreboard import leaderboard
from scoreboard.api import export
from scoreboard.api.context import CONTEXT
from scoreboard.api.export import Export, Following
from scoreboard.api.problems import METRICS
from scoreboard.config import Settings
from scoreboard.errors import Unavailable
from scoreboard.metrics import Metrics
from scoreboard.model import Board, BoardPeriod, BoardSettings, Page, Row
from scoreboard.wire import Export as Asked
from tests.api.app import Api, backend, running
from tests.api.modes import settings

__all__ = ["settings"]

HOSTILE = (
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@SUM(1)",
    "＝1",
    "a;=1+1",
    'say "hi", you',
    "plain",
    "Zoë 🦊",
    "שלום",
)


async def post(api: Api, folder: Path, items: list[dict[str, Any]]) -> None:
    for start in range(0, len(items), 1000):
        answer = await backend(api, folder).post("scores/batch", {"items": items[start : start + 1000]})
        assert {item["status"] for item in answer.body["items"]} == {"accepted"}


def scores(count: int, board: str = "main") -> list[dict[str, Any]]:
    """A score each for so many players, three of whom share each rank."""
    return [{"player_id": f"x:{n}", "name": f"player {n}", "board": board, "score": n // 3} for n in range(count)]


def lines(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


async def whole(api: Api, board: str = "main") -> list[dict[str, Any]]:
    """The board as it is read page by page."""
    rows: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = (await api.get(f"boards/{board}/standings?limit=100{cursor}")).body
        rows += page["rows"]
        if page["next"] is None:
            return rows
        cursor = f"&cursor={page['next']}"


async def test_the_file_is_the_whole_board_in_order(settings: Settings, tmp_path: Path) -> None:
    async with running(tmp_path, settings) as api:
        await post(api, tmp_path, scores(1234))
        rows = await whole(api)
        assert len(rows) == 1234
        answer = await api.get("boards/main/export?format=json")
        assert answer.body["rows"] == rows
        assert (answer.body["total"], answer.body["moved"]) == (1234, False)
        table = lines((await api.get("boards/main/export")).body)
        assert table[0] == ["position", "rank", "player_id", "name", "score", "achieved_at"]
        assert table[1:] == [[str(row[name]) for name in table[0]] for row in rows]


async def test_tie_columns_are_columns_and_an_empty_board_is_a_heading(api: Api, key: Api, tmp_path: Path) -> None:
    await key.call("PUT", "admin/boards/laps", {"tiebreakers": [{"name": "penalty"}, {"name": "-x"}]})
    answer = await api.get("boards/laps/export")
    assert answer.body == "position,rank,player_id,name,score,penalty,'-x,achieved_at\r\n"
    assert (await api.get("boards/laps/export?format=json")).body["rows"] == []
    await post(api, tmp_path, [{"player_id": "x:1", "board": "laps", "score": -5, "tiebreakers": [-7]}])
    [_, row] = lines((await api.get("boards/laps/export")).body)
    assert row[:7] == ["1", "1", "x:1", "x:1", "-5", "-7", "0"]


async def test_no_name_is_run_by_a_spreadsheet_and_none_breaks_a_line(api: Api, tmp_path: Path) -> None:
    await post(
        api,
        tmp_path,
        [{"player_id": f"-{n}", "name": name, "board": "main", "score": 0} for n, name in enumerate(HOSTILE)],
    )
    table = lines((await api.get("boards/main/export")).body)
    assert [row[3] for row in table[1:]] == [
        "'=HYPERLINK(1)",
        "'+1",
        "'-1",
        "'@SUM(1)",
        "'＝1",
        "a;'=1+1",
        'say "hi", you',
        "plain",
        "Zoë 🦊",
        "שלום",
    ]
    assert {row[2][:2] for row in table[1:]} == {"'-"}
    exact = (await api.get("boards/main/export?format=json")).body["rows"]
    assert tuple(row["name"] for row in exact) == HOSTILE


async def test_what_it_is_called_and_when_it_is_still_the_same(api: Api, key: Api) -> None:
    await key.call("PUT", "admin/boards/laps", {"windows": ["week", "spring"], "seasons": {"spring": SPRING}})
    for query, name, kind in (
        ("", "laps-week-2026-W48.csv", "text/csv; charset=utf-8"),
        ("&format=json", "laps-week-2026-W48.json", "application/json"),
        ("&window=spring&period=spring", "laps-spring.csv", "text/csv; charset=utf-8"),
    ):
        query = f"period=2026-W48{query}" if "period" not in query else query
        answer = await api.get(f"boards/laps/export?{query}")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer.headers["Content-Type"] == kind
    again = await api.get("boards/main/export", If_None_Match=(await api.get("boards/main/top")).headers["Etag"])
    assert (again.status, again.body) == (304, None)
    head = await api.call("HEAD", "boards/main/export")
    assert (head.status, head.body, head.headers["Etag"]) == (200, None, again.headers["Etag"])


SPRING = {"start": "2027-03-01T00:00:00Z", "end": "2027-06-01T00:00:00Z"}


async def test_it_shows_nobody_who_is_shown_to_nobody(api: Api, key: Api, tmp_path: Path) -> None:
    await post(api, tmp_path, scores(9))
    await key.post("admin/players/x:8/ban", {})
    await key.post("admin/players/x:7/hide", {})
    table = lines((await api.get("boards/main/export")).body)
    assert [row[:3] for row in table[1:3]] == [["1", "1", "x:6"], ["2", "2", "x:3"]]
    assert len(table) == 1 + 7


async def test_who_may_and_what_is_refused(api: Api, key: Api) -> None:
    await key.call("PUT", "admin/boards/club", {"public": False})
    assert (await api.get("boards/club/export")).code == "unauthenticated"
    assert (await key.get("boards/club/export")).status == 200
    assert (await api.get("boards/nowhere/export")).code == "not_found"
    assert (await api.get("boards/main/export?format=xml")).code == "bad_request"
    assert (await api.get("boards/main/export?window=day")).code == "bad_request"


async def test_it_says_whether_the_board_moved_meanwhile(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaderboard, "WHOLE_ROWS", 4)
    await post(api, tmp_path, scores(9))
    assert api.http.app is not None
    context = api.http.app[CONTEXT]
    first = await context.leaderboard.first_of_whole(Asked(board="main"))
    file = Export("json", context.boards.get("main"), first, context.leaderboard.next_of_whole)
    parts = [part async for part in file.parts()]
    assert msgspec.json.decode(b"".join(parts))["moved"] is False
    await post(api, tmp_path, [{"player_id": "x:0", "board": "main", "score": 100}])
    moved = msgspec.json.decode(b"".join([part async for part in file.parts()]))
    assert moved["moved"] is True
    # Whoever leapt over the place that is read is missing; the others are there once, with the positions they have now.
    assert [row["player_id"] for row in moved["rows"]] == [f"x:{n}" for n in (6, 7, 8, 3, 4, 5, 1, 2)]
    assert [row["position"] for row in moved["rows"]] == [1, 2, 3, 4, 6, 7, 8, 9]


async def test_while_a_reader_takes_its_time_no_transaction_is_held_and_scores_go_on(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaderboard, "WHOLE_ROWS", 4)
    async with running(tmp_path, settings) as api:
        await post(api, tmp_path, scores(9))
        assert api.http.app is not None
        board, has_taken = api.http.app[CONTEXT].leaderboard, asyncio.Event()
        following = board.next_of_whole

        async def slowly(page: Page) -> Page | None:
            await has_taken.wait()
            return await following(page)

        monkeypatch.setattr(board, "next_of_whole", slowly)
        async with api.http.get("/api/v1/boards/main/export") as answer:
            assert (await answer.content.readline()).startswith(b"position")
            await answer.content.readline()
            await post(api, tmp_path, scores(9, "best"))
            async with asyncio.timeout(20):
                while _transactions(settings, tmp_path):  # others' come and go, its own would stay
                    await asyncio.sleep(0.01)
            has_taken.set()
            assert len(lines(await answer.text())) == 9 - 1


def _transactions(settings: Settings, folder: Path) -> int:
    """How many are open, as PostgreSQL tells; SQLite tells whether one keeps the log from being emptied."""
    if url := settings.database.url:
        with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            cursor.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {others} AND xact_start IS NOT NULL")
            [(open_ones,)] = cursor.fetchall()
            return int(open_ones)
    with closing(sqlite3.connect(folder / "scoreboard.db", isolation_level=None)) as database:
        [(is_busy, _, _)] = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return int(is_busy)


async def test_so_many_are_sent_at_once_and_an_address_may_have_half_of_them(api: Api) -> None:
    assert api.http.app is not None
    limits = api.http.app[CONTEXT].limits
    with limits.export("127.0.0.1"):
        assert (await api.get("boards/main/export")).status == 200
        with limits.export("127.0.0.1"):
            refused = await api.get("boards/main/export")
            assert (refused.code, refused.headers["Retry-After"]) == ("overloaded", "5")
            # Whoever has a whole board asks so whether it moved meanwhile: nothing is sent.
            assert (await api.call("HEAD", "boards/main/export")).status == 200
    with limits.export("192.0.2.1"), limits.export("192.0.2.1"), limits.export("192.0.2.2"), limits.export("192.0.2.2"):
        assert (await api.get("boards/main/export")).code == "overloaded"
    assert (await api.get("boards/main/export")).status == 200


PERIOD = BoardPeriod("main", "all", "all")
ROWS = tuple(Row(n, n, f"x:{n}", "a name" * 20, n, "2026-11-23T12:00:00.000000Z") for n in range(1, 501))
PAGE = Page(PERIOD, 1, 1, 10**9, ROWS, ())


@asynccontextmanager
async def sending(following: Following) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A server that sends a board of these pages; its address, and the requests that it has finished."""
    finished: list[web.Request] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await export.send(request, Export("csv", Board("main", BoardSettings(), 1, 0, 0), PAGE, following))
        finally:
            finished.append(request)

    app = web.Application()
    app[METRICS] = Metrics()
    app.router.add_get("/", handle)
    async with TestServer(app) as server:
        yield str(server.make_url("/")), finished


async def test_one_who_reads_no_more_is_cut_off_and_little_was_read_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "STALL_S", 0.1)
    read = 0

    async def following(page: Page) -> Page:
        nonlocal read
        read += 1
        return page

    async with sending(following) as (url, finished), aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            async with asyncio.timeout(20):
                while not finished:  # the client takes what fits its buffers, and no more
                    await asyncio.sleep(0)
            with pytest.raises(aiohttp.ClientError):
                await answer.read()
        assert 0 < read < 500  # of 80 KB each: what the kernel holds for both ends


async def test_one_that_cannot_be_finished_is_broken_off_and_not_taken_for_whole(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def following(_: Page) -> Page:
        raise Unavailable("The database is gone.")

    async with sending(following) as (url, _), aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            async with session.get(url) as answer:
                await answer.read()
    assert "The database is gone." in caplog.text


async def test_one_who_goes_away_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    gone = asyncio.Event()

    async def following(page: Page) -> Page:
        await gone.wait()
        return page

    async with sending(following) as (url, finished), aiohttp.ClientSession() as session:
        answer = await session.get(url)
        await answer.content.readany()
        answer.close()
        gone.set()
        async with asyncio.timeout(20):
            while not finished:
                await asyncio.sleep(0)
    assert caplog.text == ""
