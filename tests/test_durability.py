"""kill -9 at any moment: every acknowledged score is there exactly once, and every repeat gets the first outcome."""

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scoreboard.client import Client
from scoreboard.contest import load
from scoreboard.errors import ActionTokenUsed, Unavailable
from scoreboard.replay import Replay
from scoreboard.tasks import Tasks
from scoreboard.wire import BatchItem
from tests.server import Server

BOARD = "crash"
ROUNDS = 5
BATCH = 20
REST_PLAYERS = ("d:rest-1", "d:rest-2", "d:rest-3")
SOCKET_PLAYERS = ("d:socket-1", "d:socket-2")
BATCH_PLAYERS = tuple(f"d:batch-{number}" for number in range(7))
CONFIG = {
    "boards": {
        BOARD: {"operator": "sum", "actions": {"hit": {"max_score": 100}}},
    }
}
LAPS = Path(__file__).parent / "data" / "laps" / "events.ndjson"


@dataclass
class Claim:
    """One score that was sent; `submission_id` once it was acknowledged."""

    player: str
    score: int
    token: str = ""
    item: BatchItem | None = None
    submission_id: str = ""


@dataclass
class Ledger:
    """What the clients know; `reached` is set when `target` claims are acknowledged."""

    claims: list[Claim] = field(default_factory=list)
    acknowledged: int = 0
    target: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def sent(self, claim: Claim) -> Claim:
        self.claims.append(claim)
        return claim

    def answered(self, claim: Claim, submission_id: str) -> None:
        assert submission_id
        claim.submission_id = submission_id
        self.acknowledged += 1
        if self.acknowledged >= self.target:
            self.reached.set()

    async def grows_by(self, count: int) -> None:
        self.target = self.acknowledged + count
        self.reached.clear()
        await self.reached.wait()

    def totals(self, *, acknowledged_only: bool) -> Counter[str]:
        found: Counter[str] = Counter()
        for claim in self.claims:
            if claim.submission_id or not acknowledged_only:
                found[claim.player] += claim.score
        return found


@pytest.fixture(params=["thread", "process"])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(tmp_path, CONFIG | {"database": {"sqlite_writer": request.param}}) as running:
        yield running


async def play_by_rest(url: str, token: str, player: str, ledger: Ledger, dice: random.Random) -> None:
    """Score until the server is gone."""
    try:
        async with Client(url, token=token, attempts=1) as client:
            while True:
                started = await client.start_action(BOARD, "hit")
                claim = ledger.sent(Claim(player, dice.randint(1, 100), started.action_token))
                answer = await client.submit(BOARD, claim.token, claim.score)
                ledger.answered(claim, answer.submission_id)
    except Unavailable:
        return


async def play_by_socket(url: str, token: str, player: str, ledger: Ledger, dice: random.Random) -> None:
    """Score over one WebSocket, four at a time, until the server is gone."""
    try:
        async with Client(url, token=token) as client, client.live() as live, asyncio.TaskGroup() as group:

            async def score() -> None:
                while True:
                    started = await live.start_action(BOARD, "hit")
                    claim = ledger.sent(Claim(player, dice.randint(1, 100), started.action_token))
                    answer = await live.submit(BOARD, claim.token, claim.score)
                    ledger.answered(claim, answer.submission_id)

            for _ in range(4):
                group.create_task(score())
    except* Unavailable:
        pass


async def play_by_batch(url: str, key: str, ledger: Ledger, dice: random.Random) -> None:
    """Post batches over several players until the server is gone."""
    try:
        async with Client(url, key=key, attempts=1) as client:
            while True:
                claims = [ledger.sent(new_item(ledger, dice)) for _ in range(BATCH)]
                await post(client, claims, ledger)
    except Unavailable:
        return


def new_item(ledger: Ledger, dice: random.Random) -> Claim:
    player, score = dice.choice(BATCH_PLAYERS), dice.randint(1, 100)
    item = BatchItem(id=f"item-{len(ledger.claims)}", player_id=player, board=BOARD, score=score)
    return Claim(player, score, item=item)


async def post(client: Client, claims: list[Claim], ledger: Ledger) -> None:
    outcomes = await client.batch([claim.item for claim in claims if claim.item is not None])
    for claim, outcome in zip(claims, outcomes, strict=True):
        assert outcome.status == "accepted", outcome
        assert isinstance(outcome.submission_id, str)
        if claim.submission_id:
            assert outcome.submission_id == claim.submission_id
        else:
            ledger.answered(claim, outcome.submission_id)


async def signed_in(server: Server) -> dict[str, str]:
    """An access token for each player."""
    async with Client(server.url, key=server.key) as client:
        players = (*REST_PLAYERS, *SOCKET_PLAYERS)
        answers = await asyncio.gather(*(client.exchange(player) for player in players))
    return {answer.player.id: answer.access_token for answer in answers}


async def one_round(server: Server, tokens: dict[str, str], ledger: Ledger, dice: random.Random) -> None:
    """Load from every side, and a kill in the middle of it."""
    tasks = Tasks()
    clients = [
        *(play_by_rest(server.url, tokens[player], player, ledger, dice) for player in REST_PLAYERS),
        *(play_by_socket(server.url, tokens[player], player, ledger, dice) for player in SOCKET_PLAYERS),
        play_by_batch(server.url, server.key, ledger, dice),
    ]
    running = [tasks.start(client, f"client {number}") for number, client in enumerate(clients)]
    watch = asyncio.create_task(ledger.grows_by(dice.randint(50, 400)))
    await asyncio.wait([watch, *running], return_when=asyncio.FIRST_COMPLETED)
    assert watch.done(), "a client ended before the kill"
    server.kill()
    await asyncio.gather(*running)


async def standings(server: Server) -> dict[str, int]:
    async with Client(server.url) as spectator:
        return {row.player_id: row.score async for row in spectator.standings(BOARD)}


async def repeat(server: Server, tokens: dict[str, str], ledger: Ledger, claims: list[Claim]) -> None:
    """Send these claims once more, as a client does that never heard an answer."""
    async with Client(server.url, key=server.key) as backend:
        items = [claim for claim in claims if claim.item is not None]
        for start in range(0, len(items), BATCH):
            await post(backend, items[start : start + BATCH], ledger)
    for claim in claims:
        if claim.item is None:
            async with Client(server.url, token=tokens[claim.player]) as player:
                await repeat_one(player, claim, ledger)


async def repeat_one(client: Client, claim: Claim, ledger: Ledger) -> None:
    try:
        answer = await client.submit(BOARD, claim.token, claim.score)
    except ActionTokenUsed as used:
        assert used.result is not None
        submission_id = used.result["submission_id"]
        assert used.result["status"] == "accepted"
    else:
        assert not claim.submission_id, "an acknowledged score was counted again"
        submission_id = answer.submission_id
    if claim.submission_id:
        assert submission_id == claim.submission_id
    else:
        ledger.answered(claim, submission_id)


def assert_bounded(shown: dict[str, int], ledger: Ledger) -> None:
    """Each player has all that was acknowledged and no more than was sent."""
    least, most = ledger.totals(acknowledged_only=True), ledger.totals(acknowledged_only=False)
    for player in most:
        assert least[player] <= shown.get(player, 0) <= most[player], player


@pytest.mark.parametrize("seed", [20_261_123])
async def test_every_acknowledged_score_survives_kills_and_counts_once(server: Server, seed: int) -> None:
    dice, ledger = random.Random(seed), Ledger()
    tokens = await signed_in(server)
    for _ in range(ROUNDS):
        await one_round(server, tokens, ledger, dice)
        server.start()
        assert_bounded(await standings(server), ledger)
    unanswered = [claim for claim in ledger.claims if not claim.submission_id]
    answered = [claim for claim in ledger.claims if claim.submission_id]
    assert unanswered, "no kill came while a score was on its way"
    await repeat(server, tokens, ledger, unanswered + dice.sample(answered, 60))
    expected = dict(ledger.totals(acknowledged_only=False))
    assert await standings(server) == expected
    assert server.terminate() == 0
    assert_stored(server.data / "scoreboard.db", ledger, expected)
    server.start()
    assert await standings(server) == expected


def assert_stored(path: Path, ledger: Ledger, expected: dict[str, int]) -> None:
    """What the file itself says: each claim once, and standings that are the sum of the history."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        history = database.execute("SELECT id FROM history WHERE state = 'counted'").fetchall()
        sums = database.execute("SELECT player_id, SUM(score) FROM history GROUP BY player_id").fetchall()
        standing = database.execute("SELECT player_id, score FROM standings WHERE window = 'all'").fetchall()
    assert sorted(row[0] for row in history) == sorted(claim.submission_id for claim in ledger.claims)
    assert dict(sums) == expected
    assert dict(standing) == expected


async def test_a_replay_interrupted_by_a_kill_ends_identical_when_resumed(server: Server) -> None:
    contest = load(LAPS)
    for stop_at in (2, 5, 8):
        posted = asyncio.Event()
        async with Client(server.url, key=server.key, attempts=1) as client:
            replay = Replay(client, contest, speed=2_000.0, resume=True, progress=Counting(stop_at, posted))
            running = asyncio.create_task(replay.run())
            await asyncio.wait([running, asyncio.create_task(posted.wait())], return_when=asyncio.FIRST_COMPLETED)
            server.kill()
            with pytest.raises(Unavailable):
                await running
        server.start()
    async with Client(server.url, key=server.key) as client:
        outcome = await Replay(client, contest, resume=True).run()
    assert outcome.is_complete
    assert outcome.differences == ()


class Counting:
    """Sets an event once so many events were posted."""

    def __init__(self, target: int, reached: asyncio.Event) -> None:
        self._left = target
        self._reached = reached

    def __call__(self, count: int) -> None:
        self._left -= count
        if self._left <= 0:
            self._reached.set()
