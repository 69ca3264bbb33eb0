"""A server to measure: its data folder filled beforehand, players signed in, and the requests they make."""

import asyncio
import json
import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count, cycle
from pathlib import Path

import msgspec

from scoreboard.bench.load import request
from scoreboard.bench.processes import Child, child
from scoreboard.boards import Boards
from scoreboard.client import Client
from scoreboard.clock import DAY, SystemClock, uuid7
from scoreboard.model import ActionRule, BoardPeriod, BoardSettings
from scoreboard.order import order_keys
from scoreboard.secrets import load_secret
from scoreboard.storage.sqlite import SqliteStorage
from scoreboard.storage.sqlite.connection import Database
from scoreboard.storage.sqlite.statements import write_rows
from scoreboard.tokens import ActionTokens, Keyring

BOARDS = ("main", *(f"side-{number}" for number in range(7)))
"""A player's submissions on one board wait for each other: who sends eight at once sends them to eight boards."""

PERIOD = BoardPeriod("main", "all", "all")
TOKEN_TTL_S = 3600
SEED_ROWS = 10_000
HIGHEST = 1_000_000

BOARD = BoardSettings(operator="sum", actions={"coin": ActionRule(max_score=100, ttl_s=TOKEN_TTL_S)})

_CONFIG = {
    "server": {"port": 0},
    "limits": {
        "requests_per_minute": 0,
        "sockets_per_address": 0,
        "sockets_per_player": 0,
        "player_writes_per_minute": 0,
        "key_requests_per_minute": 0,
        "messages_per_minute": 0,
    },
    "live": {"upgrades_per_s": 0},
    "boards": {board: msgspec.to_builtins(BOARD) for board in BOARDS},
}


def player(number: int) -> str:
    """The id of a player who is on the board from the start."""
    return f"bench:{number}"


class World:
    """A running server with players on its board `main`, some of them signed in."""

    def __init__(self, server: Child, folder: Path, players: int, tokens: Sequence[str]) -> None:
        self.server = server
        self.players = players
        self.tokens = tokens
        self.key = (folder / "admin.key").read_text().strip()
        self._actions = ActionTokens(Keyring.from_secrets(load_secret(folder / "secret.key")), SystemClock())

    def scores(self) -> Callable[[], bytes]:
        """`scores/update` requests: the signed-in players take turns, each with a fresh action token."""
        turns = cycle(enumerate(self.tokens))

        def make() -> bytes:
            number, token = next(turns)
            body = msgspec.json.encode({**self._action(number, "main"), "score": 7})
            return request("POST", "/api/v1/scores/update", f"Bearer {token}", body)

        return make

    def messages(self, number: int, place: int, frame: Callable[[object], bytes]) -> Callable[[], bytes]:
        """Framed `score` messages of one player, on the board of the place in flight."""

        def make() -> bytes:
            return frame({"type": "score", "id": place, **self._action(number, BOARDS[place]), "score": 7})

        return make

    def batches(self, size: int) -> Callable[[], bytes]:
        """`scores/batch` requests of players here and there."""
        numbers = count()

        def make() -> bytes:
            chosen = random.sample(range(self.players), size)
            items = [
                {"id": f"item-{next(numbers)}", "player_id": player(number), "board": "main", "score": 7}
                for number in chosen
            ]
            return self.backend("scores/batch", {"items": items})

        return make

    def backend(self, path: str, body: object) -> bytes:
        """A POST with the API key."""
        return request("POST", f"/api/v1/{path}", f"Key {self.key}", msgspec.json.encode(body))

    def _action(self, number: int, board: str) -> dict[str, str]:
        token, _ = self._actions.issue(player(number), board, "coin", TOKEN_TTL_S)
        return {"board": board, "action_token": token}


@asynccontextmanager
async def world(folder: Path, players: int, signed_in: int) -> AsyncIterator[World]:
    """A server of its own with so many players on its board."""
    await fill(folder, players)
    arguments = ["-m", "scoreboard", "serve", "--config", str(_configuration(folder)), "--data", str(folder)]
    async with child(arguments, folder / "server.log") as server:
        async with Client(server.url, key=(folder / "admin.key").read_text().strip()) as client:
            tokens = [(await client.exchange(player(number))).access_token for number in range(signed_in)]
        yield World(server, folder, players, tokens)


async def fill(folder: Path, players: int) -> Path:
    """Make the data folder with players and their standings; returns the database file."""
    await asyncio.to_thread(folder.mkdir)
    path = folder / "scoreboard.db"
    clock = SystemClock()
    storage = await SqliteStorage.open(path)
    await Boards(storage, clock).open(dict.fromkeys(BOARDS, BOARD))
    await storage.close()
    database, now = Database(path), clock.now()
    await database.open()
    for start in range(0, players, SEED_ROWS):
        await database.write(_seeding(range(start, min(start + SEED_ROWS, players)), now))
    await database.close()
    return path


def _seeding(numbers: Sequence[int], now: int) -> Callable[[sqlite3.Connection], None]:
    players: list[tuple[object, ...]] = []
    standings: list[tuple[object, ...]] = []
    encode = order_keys(BOARD).encode
    for number in numbers:
        name, score, at = player(number), random.randrange(HIGHEST), now - random.randrange(1, DAY)
        players.append((name, name, 1, "active", at))
        standings.append((*PERIOD, name, score, "[]", at, at, uuid7(at), 1, encode(score, (), at, name)))

    def write(connection: sqlite3.Connection) -> None:
        write_rows(connection, "write_players", players)
        write_rows(connection, "write_standings", standings)

    return write


def _configuration(folder: Path) -> Path:
    """The configuration file: no limits, and boards enough."""
    path = folder / "bench.yaml"
    path.write_text(json.dumps(_CONFIG))
    return path
