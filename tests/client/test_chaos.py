"""Clients that lose their connections at random, and their server too: what they show is always right."""

import asyncio
import random
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from scoreboard.client import BoardView, Client, Live
from scoreboard.client.link import Codec
from scoreboard.wire import BatchItem
from tests.ports import free_port
from tests.server import Server

BOARD = "main"
LIMIT = 5
PLAYERS = 12
SCORES = 40
CLIENTS = 4
KILLS = 2
LONG_S = 60.0

Shown = tuple[tuple[int, str, int], ...]


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connects again without the pause that spares a real server."""
    monkeypatch.setattr("scoreboard.client.live.pause_s", lambda attempt, retry_after_s=None: 0.02)


class Truth:
    """What the board really was, version by version: each score is written alone and the board read after it."""

    def __init__(self, server: Server, chance: random.Random) -> None:
        self.boards: dict[tuple[int, int], Shown] = {}
        self.newest = (0, 0)
        self._server = server
        self._chance = chance

    async def score(self) -> None:
        """One more score."""
        async with Client(self._server.url, key=self._server.key) as backend:
            item = BatchItem(
                player_id=f"c:{self._chance.randrange(PLAYERS)}", board=BOARD, score=self._chance.randint(1, 99)
            )
            await backend.batch([item])
            await self.look(backend)

    async def look(self, client: Client) -> None:
        """Note the board as it is."""
        page = await client.top(BOARD, limit=LIMIT)
        assert page.epoch is not None
        assert page.version is not None
        self.newest = (page.epoch, page.version)
        self.boards[self.newest] = tuple((row.position, row.player_id, row.score) for row in page.rows)


class Watcher:
    """One client, and everything it showed."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.shown: list[tuple[tuple[int, int], Shown]] = []
        self.changed = asyncio.Event()

    async def watch(self) -> None:
        await self.live.subscribe(BOARD, limit=LIMIT)
        async for view in self.live:
            assert isinstance(view, BoardView)
            rows = tuple((row.position, row.player_id, row.score) for row in view.rows)
            self.shown.append(((view.epoch, view.version), rows))
            self.changed.set()

    async def until_it_shows(self, rows: Shown) -> None:
        while not self.shown or self.shown[-1][1] != rows:
            self.changed.clear()
            await self.changed.wait()

    def check(self, truth: Truth) -> None:
        versions = [version for version, _ in self.shown]
        assert versions == sorted(set(versions)), "a version went backwards or came twice"
        # Of a version that a restart overtook before it was read nothing is known.
        known = [(rows, truth.boards[version]) for version, rows in self.shown if version in truth.boards]
        assert known
        assert all(rows == right for rows, right in known)


async def storm(server: Server, port: int, truth: Truth, watchers: list[Watcher], chance: random.Random) -> None:
    """Scores, between which connections are dropped and the server is killed."""
    kills = set(chance.sample(range(SCORES), KILLS))
    for number in range(SCORES):
        await truth.score()
        if chance.random() < 0.3:
            await chance.choice(watchers).live.drop()
        if number in kills:
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start, port)


@pytest.mark.parametrize(("codec", "seed"), [("json", 1), ("msgpack", 2)])
async def test_no_client_ever_shows_an_older_version_or_a_wrong_row(tmp_path: Path, codec: Codec, seed: int) -> None:
    chance, port = random.Random(seed), free_port()
    server = Server(tmp_path)
    server.start(port)
    try:
        async with asyncio.timeout(LONG_S):
            await _survive(server, port, codec, chance)
    finally:
        server.kill()


async def _survive(server: Server, port: int, codec: Codec, chance: random.Random) -> None:
    truth = Truth(server, chance)
    async with Client(server.url) as client:
        await truth.look(client)
    async with AsyncExitStack() as stack:
        lives = [await stack.enter_async_context(Live(server.url, codec=codec)) for _ in range(CLIENTS)]
        watchers = [Watcher(live) for live in lives]
        watching = [asyncio.create_task(watcher.watch()) for watcher in watchers]
        stack.callback(lambda: [task.cancel() for task in watching])
        await storm(server, port, truth, watchers, chance)
        async with Client(server.url) as client:
            await truth.look(client)
        await asyncio.gather(*(watcher.until_it_shows(truth.boards[truth.newest]) for watcher in watchers))
    for watcher in watchers:
        watcher.check(truth)
