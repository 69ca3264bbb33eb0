"""A frozen board on three replicas: no one of them shows what came after, whatever breaks, and all reveal it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from scoreboard.client import BoardView, Client, Live
from scoreboard.clock import SECOND, SystemClock, rfc3339
from scoreboard.storage.postgres import PostgresStorage
from scoreboard.wire import BatchItem, PageOut
from tests.cluster.cluster import SUMS, Cluster
from tests.cluster.load import Audience, Load, nothing_is_lost
from tests.cluster.site import Site

SEEN_WITHIN_S = 5.0
"""How soon all replicas show what one of them did, or what was found in the database."""


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that come back without the pause that spares a real server."""
    monkeypatch.setattr("scoreboard.client.live.pause_s", lambda attempt, retry_after_s=None: 0.05)


async def post(cluster: Cluster, board: str, scores: dict[str, int], url: str | None = None) -> None:
    """Scores of a backend, each accepted."""
    async with Client(url or cluster.url, key=cluster.key) as backend:
        items = [BatchItem(player_id=player, board=board, score=score) for player, score in scores.items()]
        assert {outcome.status for outcome in await backend.batch(items)} == {"accepted"}


async def pages(cluster: Cluster, board: str) -> list[PageOut]:
    """What each replica shows."""
    found = []
    for url in cluster.urls:
        async with Client(url) as client:
            found.append(await client.top(board, 20))
    return found


async def all_show(cluster: Cluster, board: str, *rows: tuple[str, int], frozen: bool) -> None:
    """Return once every replica shows these rows, frozen or not; fails where that takes long."""
    async with asyncio.timeout(SEEN_WITHIN_S):
        while True:
            shown = await pages(cluster, board)
            wanted = all(
                [(row.player_id, row.score) for row in page.rows] == list(rows) and bool(page.frozen_at) == frozen
                for page in shown
            )
            if wanted:
                return
            await asyncio.sleep(0.05)


@pytest.fixture
async def storage(cluster: Cluster) -> AsyncIterator[PostgresStorage]:
    """The database, as a replica has it that dies after its transaction: nobody is told."""
    storage = await PostgresStorage.open(cluster.database, connections=1)
    yield storage
    await storage.close()


async def test_what_one_replica_freezes_none_shows_and_what_one_reveals_all_show(cluster: Cluster, board: str) -> None:
    await post(cluster, board, {"f:a": 10, "f:b": 20})
    async with AsyncExitStack() as stack:
        lives = [await stack.enter_async_context(Live(url)) for url in cluster.urls]
        for live in lives:
            await live.subscribe(board)
        one = await stack.enter_async_context(Client(cluster.urls[0], key=cluster.key))
        frozen_at = (await one.freeze_board(board)).frozen_at
        for live in lives:
            await until(live, lambda view: view.frozen_at == frozen_at)
        before = await pages(cluster, board)
        assert len({(page.epoch, page.version, page.rows, page.frozen_at) for page in before}) == 1
        for url in cluster.urls:
            await post(cluster, board, {"f:a": 30, "f:new": 1}, url)
        assert await pages(cluster, board) == before
        assert (await cluster.command("verify", board))[0] == 0
        await (await stack.enter_async_context(Client(cluster.urls[2], key=cluster.key))).reveal_board(board)
        for live in lives:
            view = await until(live, lambda view: view.frozen_at is None)
            assert view.epoch > (before[0].epoch or 0)
            rows = [(row.player_id, row.score) for row in view.rows]
            assert rows == [("f:a", 100), ("f:b", 20), ("f:new", 3)] == cluster.top(board)
    await cluster.verified(board)


async def until(live: Live, wanted: Callable[[BoardView], bool]) -> BoardView:
    """The first view of which that holds."""
    async with asyncio.timeout(SEEN_WITHIN_S):
        async for update in live:
            assert isinstance(update, BoardView)
            if wanted(update):
                return update
    raise AssertionError("the iteration ended")


async def test_a_replica_that_has_not_heard_of_the_freeze_shows_nothing_of_what_came(
    cluster: Cluster, board: str, storage: PostgresStorage
) -> None:
    await post(cluster, board, {"f:a": 10})
    assert await storage.freeze_board(board, SystemClock().now(), []) is not None
    await post(cluster, board, {"f:a": 5, "f:b": 50})  # by clients that repeat what is refused
    await all_show(cluster, board, ("f:a", 10), frozen=True)
    await cluster.verified(board)


async def test_what_a_replica_revealed_that_died_of_it_is_shown_by_the_others(
    cluster: Cluster, board: str, storage: PostgresStorage
) -> None:
    await post(cluster, board, {"f:a": 10})
    async with Client(cluster.url, key=cluster.key) as backend:
        await backend.freeze_board(board)
    await post(cluster, board, {f"f:{number}": number for number in range(20, 30)})
    assert await storage.reveal_board(board, SystemClock().now(), []) is not None
    revealed = [(f"f:{number}", number) for number in reversed(range(20, 30))]
    await all_show(cluster, board, *revealed, ("f:a", 10), frozen=False)
    await cluster.verified(board)


async def test_a_replica_killed_while_a_board_is_frozen_comes_back_to_it(cluster: Cluster, board: str) -> None:
    await post(cluster, board, {"f:a": 10})
    async with Client(cluster.urls[0], key=cluster.key) as backend:
        await backend.freeze_board(board)
    cluster.replicas[0].kill()
    await post(cluster, board, {"f:a": 5})
    await asyncio.to_thread(cluster.restart, cluster.replicas[0])
    await all_show(cluster, board, ("f:a", 10), frozen=True)
    async with Client(cluster.urls[0], key=cluster.key) as backend:
        await backend.reveal_board(board)
    await all_show(cluster, board, ("f:a", 15), frozen=False)


async def test_one_of_the_replicas_freezes_a_board_at_its_time(cluster: Cluster, board: str) -> None:
    await post(cluster, board, {"f:a": 10})
    at = rfc3339(SystemClock().now() + SECOND)
    async with Client(cluster.url, key=cluster.key) as backend:
        assert (await backend.freeze_board(board, at)).freezes_at == at
    await all_show(cluster, board, ("f:a", 10), frozen=True)
    assert {page.frozen_at for page in await pages(cluster, board)} == {at}
    assert cluster.rows("SELECT count(*) FROM audit WHERE subject = %s AND act = 'board.freeze'", board) == [(2,)]
    await post(cluster, board, {"f:a": 5})
    await all_show(cluster, board, ("f:a", 10), frozen=True)


async def test_a_frozen_ranking_that_redis_lost_is_made_anew(site: Site) -> None:
    cluster, board = site.cluster, "lost"
    await cluster.make_board(board, SUMS)
    await post(cluster, board, {"f:a": 10, "f:b": 20})
    async with Client(cluster.url, key=cluster.key) as backend:
        await backend.freeze_board(board)
        await post(cluster, board, {"f:a": 30, "f:new": 99})
        assert site.redis.command("FLUSHALL") == "+OK"
        await post(cluster, board, {"f:b": 1})
        await all_show(cluster, board, ("f:b", 20), ("f:a", 10), frozen=True)
        await cluster.verified(board)
        await site.mended()
        site.redis.kill()
        await post(cluster, board, {"f:b": 1})
        for page in await pages(cluster, board):  # from the database
            assert [(row.player_id, row.score) for row in page.rows] == [("f:b", 20), ("f:a", 10)]
        await site.mended()
        await all_show(cluster, board, ("f:b", 20), ("f:a", 10), frozen=True)
        await backend.reveal_board(board)
        await all_show(cluster, board, ("f:new", 99), ("f:a", 40), ("f:b", 22), frozen=False)
        await cluster.verified(board)


async def test_what_is_frozen_or_revealed_while_redis_hangs_is_so_once_it_is_back(site: Site) -> None:
    cluster, board = site.cluster, "hangs"
    await cluster.make_board(board, SUMS)
    await post(cluster, board, {"f:a": 10})
    async with Client(cluster.url, key=cluster.key) as backend:
        for act, rows, frozen in (
            (backend.freeze_board, [("f:a", 10)], True),
            (backend.reveal_board, [("f:a", 15), ("f:b", 7)], False),
        ):
            site.redis.pause()
            try:
                await act(board)
                if frozen:
                    await post(cluster, board, {"f:a": 5, "f:b": 7})
            finally:
                site.redis.resume()
            await site.mended()
            await all_show(cluster, board, *rows, frozen=frozen)
    await cluster.verified(board)


async def test_freezing_and_revealing_under_load_costs_no_score(cluster: Cluster, board: str) -> None:
    async with Audience(cluster, board) as audience:
        async with Load(cluster, board) as load, Client(cluster.url, key=cluster.key) as backend:
            for _ in range(3):
                await backend.freeze_board(board)
                before = {(page.epoch, page.total, page.rows) for page in await settled(cluster, board)}
                await load.goes_on(60)
                assert {(page.epoch, page.total, page.rows) for page in await pages(cluster, board)} == before
                await backend.reveal_board(board)
                await load.goes_on(20)
        await nothing_is_lost(cluster, board, load, audience)


async def settled(cluster: Cluster, board: str) -> list[PageOut]:
    """What the replicas show once all that was committed before the freeze is ranked: the same everywhere."""
    async with asyncio.timeout(SEEN_WITHIN_S):
        while True:
            first, second = await pages(cluster, board), await pages(cluster, board)
            if first == second and all(page.frozen_at and page.rows == first[0].rows for page in first):
                return first
