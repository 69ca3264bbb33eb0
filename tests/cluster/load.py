"""Clients under whom things break: they score and watch, and repeat what got no answer until it gets one."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import count
from types import TracebackType
from typing import Self, TypeVar

from scoreboard.client import BoardView, Client, Live
from scoreboard.errors import ActionTokenUsed, ScoreboardError
from scoreboard.wire import BatchItem
from tests.cluster.cluster import VERIFIED_WITHIN_S, Cluster

REST_PLAYERS = 4
SOCKET_PLAYERS = 2
BATCH = 10
PAUSE_S = 0.05
PATIENCE_S = 30.0
"""How long a client repeats one request: no fault here lasts so long."""

T = TypeVar("T")


async def insist(request: Callable[[], Awaitable[T]]) -> T:
    """Repeat a request while what it meets may pass."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        try:
            return await request()
        except ScoreboardError as fault:
            if not fault.temporary or asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(PAUSE_S)


class Load:
    """Players and a backend that score on one board through the load balancer for as long as it is open.

    Nobody gives a score up: whoever is in the middle of one when it closes sees it through, so that afterwards
    `acknowledged` is all there is: the score and player of each submission.
    """

    def __init__(self, cluster: Cluster, board: str) -> None:
        self.acknowledged: dict[str, tuple[str, int]] = {}
        self._cluster = cluster
        self._board = board
        self._dice = random.Random(board)
        self._stopping = False
        self._wanted: list[tuple[int, asyncio.Event]] = []
        self._players = [f"{board}:{number}" for number in range(REST_PLAYERS + SOCKET_PLAYERS)]
        self._clients: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        async with Client(self._cluster.url, key=self._cluster.key) as backend:
            tokens = [(await backend.exchange(player)).access_token for player in self._players]
        rest, sockets = tokens[:REST_PLAYERS], tokens[REST_PLAYERS:]
        ways = [*(self._by_rest(token) for token in rest), *(self._by_socket(token) for token in sockets)]
        self._clients = [asyncio.create_task(way) for way in (*ways, self._by_batch())]
        await self.goes_on(20)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if fault is None:
            await self.ends()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def ends(self, within_s: float = PATIENCE_S) -> None:
        """Begin nothing more, and return when all that was begun is acknowledged; fails where that takes longer."""
        self._stopping = True
        _, waiting = await asyncio.wait(self._clients, timeout=within_s)
        for client in set(self._clients) - waiting:
            client.result()
        assert not waiting, f"{len(waiting)} clients wait for an answer for more than {within_s} s"

    async def goes_on(self, scores: int = 40, within_s: float = PATIENCE_S) -> None:
        """Return when so many more are acknowledged; fails where that takes longer, or a client gave up."""
        reached = asyncio.Event()
        self._wanted.append((len(self.acknowledged) + scores, reached))
        waiting = asyncio.create_task(reached.wait())
        await asyncio.wait([waiting, *self._clients], timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        for client in self._clients:
            if client.done():
                client.result()
        assert waiting.done(), f"{len(self.acknowledged)} scores, and no {scores} more within {within_s} s"

    def _answered(self, submission_id: str, player: str, score: int) -> None:
        before = self.acknowledged.setdefault(submission_id, (player, score))
        assert before == (player, score), "one submission answered for two"
        for wanted, reached in self._wanted:
            if len(self.acknowledged) >= wanted:
                reached.set()

    async def _by_rest(self, token: str) -> None:
        async with Client(self._cluster.url, token=token, attempts=1, timeout_s=12) as client:
            player = (await insist(client.me)).id
            while not self._stopping:
                await self._score(client, player)

    async def _by_socket(self, token: str) -> None:
        async with Client(self._cluster.url, token=token, attempts=1) as client:
            player = (await insist(client.me)).id
            async with AsyncExitStack() as stack:
                live = await insist(lambda: stack.enter_async_context(client.live()))
                group = await stack.enter_async_context(asyncio.TaskGroup())
                for _ in range(2):
                    group.create_task(self._keep_scoring(live, player))

    async def _keep_scoring(self, client: Live, player: str) -> None:
        while not self._stopping:
            await self._score(client, player)

    async def _score(self, client: Client | Live, player: str) -> None:
        token = (await insist(lambda: client.start_action(self._board, "hit"))).action_token
        score = self._dice.randint(1, 100)
        try:
            answer = await insist(lambda: client.submit(self._board, token, score))
            assert answer.status == "accepted", answer
            submission_id = answer.submission_id
        except ActionTokenUsed as used:  # the first time, of which nothing was heard, it was counted
            assert used.result is not None
            assert used.result["status"] == "accepted"
            submission_id = str(used.result["submission_id"])
        self._answered(submission_id, player, score)

    async def _by_batch(self) -> None:
        async with Client(self._cluster.url, key=self._cluster.key, attempts=1, timeout_s=12) as client:
            for number in count():
                if self._stopping:
                    return
                await self._post(client, [self._item(f"{number}/{place}") for place in range(BATCH)])

    def _item(self, name: str) -> BatchItem:
        player = f"{self._board}:{self._dice.randrange(30)}"
        return BatchItem(
            id=f"{self._board}/{name}", player_id=player, board=self._board, score=self._dice.randint(1, 100)
        )

    async def _post(self, client: Client, items: Sequence[BatchItem]) -> None:
        while items:
            outcomes = await insist(partial(client.batch, items))
            for item, outcome in zip(items, outcomes, strict=True):
                if outcome.status == "accepted":
                    self._answered(str(outcome.submission_id), item.player_id, item.score)
                else:
                    assert outcome.temporary, outcome
            items = [item for item, outcome in zip(items, outcomes, strict=True) if outcome.status != "accepted"]


class Audience:
    """Spectators of one board: of each replica and of the load balancer, or where they are told to be."""

    def __init__(self, cluster: Cluster, board: str, urls: Sequence[str] = ()) -> None:
        self._urls = urls or [*cluster.urls, *[cluster.url] * 3]
        self._board = board
        self._open = AsyncExitStack()
        self._lives: list[Live] = []
        self._names: list[str] = []

    async def __aenter__(self) -> Self:
        for url in self._urls:
            live = await insist(partial(self._enter, url))
            self._lives.append(live)
            self._names.append(await live.subscribe(self._board))
        return self

    async def _enter(self, url: str) -> Live:
        return await self._open.enter_async_context(Live(url))

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def shows(self, expected: list[tuple[str, int]], within_s: float = VERIFIED_WITHIN_S) -> None:
        """Return when all of them are shown these players and scores."""
        await asyncio.gather(*(self._shown(number, expected, within_s) for number in range(len(self._lives))))

    async def _shown(self, number: int, expected: list[tuple[str, int]], within_s: float) -> None:
        live, name = self._lives[number], self._names[number]
        try:
            async with asyncio.timeout(within_s):
                while _rows(live.view(name)) != expected:
                    await anext(live)
        except TimeoutError:
            raise AssertionError(
                f"the client of {self._urls[number]} is shown {_rows(live.view(name))}, not {expected}"
            ) from None


def _rows(view: BoardView | None) -> list[tuple[str, int]]:
    return [] if view is None else [(row.player_id, row.score) for row in view.rows]


async def nothing_is_lost(cluster: Cluster, board: str, load: Load, audience: Audience) -> None:
    """Fail unless each score is stored once, all are shown the database's board, and the ranking is what it says."""
    stored = {
        submission_id: (player, score)
        for submission_id, player, score in cluster.rows(
            "SELECT id::text, player_id, score FROM history WHERE board = %s AND state = 'counted'", board
        )
    }
    assert stored == load.acknowledged
    sums: Counter[str] = Counter()
    for player, score in load.acknowledged.values():
        sums[player] += score
    standings = cluster.rows("SELECT player_id, score FROM standings WHERE board = %s", board)
    assert dict(standings) == sums
    await asyncio.gather(audience.shows(cluster.top(board)), cluster.verified(board))
