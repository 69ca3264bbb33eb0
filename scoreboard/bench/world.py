"""Servers to measure: their database filled beforehand, players signed in, and the requests they make."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import TypeVar

import msgspec

from scoreboard.bench.board import BOARD, BOARDS, MOST, TOKEN_TTL_S, player
from scoreboard.bench.load import request
from scoreboard.bench.processes import Group, Measured, Process, child
from scoreboard.bench.stores import Store, Stores
from scoreboard.client import Client
from scoreboard.clock import SystemClock
from scoreboard.secrets import load_or_create_secret
from scoreboard.tokens import ActionTokens, Keyring

T = TypeVar("T")

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


class World:
    """Running servers with players on their board `main`, some of them signed in."""

    def __init__(self, servers: Sequence[Process], store: Store, players: int, tokens: Sequence[str]) -> None:
        self.servers = servers
        self.store = store
        self.players = players
        self.tokens = tokens
        self.key = _key(store.folder)
        self._actions = ActionTokens(Keyring.from_secrets(_secret(store.folder)), SystemClock())

    @property
    def server(self) -> Process:
        """The first of the servers, where there is only one: that one."""
        return self.servers[0]

    def processes(self, servers: int = 1) -> Measured:
        """What works for so many of the servers: they themselves, and what they share."""
        return Group([*self.servers[:servers], *self.store.beside])

    def scores(self, part: int = 0, parts: int = 1) -> Callable[[], bytes]:
        """`scores/update` requests: the signed-in players, or a part of them, take turns with fresh action tokens."""
        turns = _turns(list(enumerate(self.tokens))[part::parts])

        def make() -> bytes:
            number, token = next(turns)
            body = msgspec.json.encode({**self._action(number, "main"), "score": _score()})
            return request("POST", "/api/v1/scores/update", f"Bearer {token}", body)

        return make

    def messages(self, number: int, place: int, frame: Callable[[object], bytes]) -> Callable[[], bytes]:
        """Framed `score` messages of one player, on the board of the place in flight."""

        def make() -> bytes:
            return frame({"type": "score", "id": place, **self._action(number, BOARDS[place]), "score": _score()})

        return make

    def batches(self, size: int) -> Callable[[], bytes]:
        """`scores/batch` requests of players here and there."""
        numbers = count()

        def make() -> bytes:
            chosen = random.sample(range(self.players), size)
            items = [
                {"id": f"item-{next(numbers)}", "player_id": player(number), "board": "main", "score": _score()}
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


def _turns(players: list[T]) -> Iterator[T]:
    """Each once, again and again, in another order each time: people do not keep time."""
    while True:
        random.shuffle(players)
        yield from players


@asynccontextmanager
async def world(
    stores: Stores,
    players: int,
    signed_in: int,
    *,
    name: str = "world",
    servers: int = 1,
    settings: Mapping[str, object] = {},
    cores: frozenset[int] | None = None,
) -> AsyncIterator[World]:
    """Servers with a store of their own and so many players on their board.

    `settings` stand in place of the usual; the servers run on these cores or any.
    """
    async with stores.filled(name, players) as store, AsyncExitStack() as stack:
        _secret(store.folder)
        folders = [store.folder / f"replica-{number}" if number else store.folder for number in range(servers)]
        running = [await stack.enter_async_context(_server(store, folder, settings, cores)) for folder in folders]
        async with Client(running[0].url, key=_key(store.folder)) as client:
            tokens = [(await client.exchange(player(number))).access_token for number in range(signed_in)]
        yield World(running, store, players, tokens)


@asynccontextmanager
async def _server(
    store: Store, folder: Path, settings: Mapping[str, object], cores: frozenset[int] | None
) -> AsyncIterator[Process]:
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    arguments = [
        "-m",
        "scoreboard",
        "serve",
        "--config",
        str(configuration(store, folder, settings)),
        "--data",
        str(folder),
    ]
    async with child(arguments, folder / "server.log", cores) as server:
        yield server


def configuration(store: Store, folder: Path, settings: Mapping[str, object] = {}) -> Path:
    """The configuration file of a server: no limits unless told, and boards enough."""
    secret = {"secret_file": str(store.folder / "secret.key")}
    path = folder / "bench.yaml"
    path.write_text(json.dumps({**_CONFIG, **settings, "security": secret, **store.settings}))
    return path


def _score() -> int:
    """Never the same for long, as of people: the rules look longer at those who score the same again and again."""
    return random.randint(1, MOST)


def _secret(folder: Path) -> bytes:
    """What signs the tokens of all servers; made before the first one starts."""
    return load_or_create_secret(folder / "secret.key")


def _key(folder: Path) -> str:
    return (folder / "admin.key").read_text().strip()
