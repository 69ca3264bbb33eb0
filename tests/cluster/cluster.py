"""Several real servers on one PostgreSQL and one Redis, behind a real HAProxy."""

import asyncio
import secrets
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import psycopg2

from scoreboard.client import Client
from scoreboard.model import ActionRule, BoardSettings, Rules
from tests.haproxy import Haproxy, require_haproxy
from tests.ports import free_port
from tests.server import Server

SUMS = BoardSettings(
    operator="sum",
    actions={"hit": ActionRule(max_score=100)},
    rules=Rules(too_fast="shadow", metronome="shadow", repetition="shadow", outlier="shadow", shared_address="shadow"),
)
"""Those who score under load are bots of one address, with two hands, and are to be let in: what one hand began before
a fault is old when it ends, and the other has scored on."""

VERIFIED_WITHIN_S = 5.0
"""How soon after a fault is over the ranking must be what the database says."""


class Cluster:
    """`count` servers that share everything; each has a folder and a port of its own, which it keeps over restarts."""

    def __init__(
        self, folder: Path, *, database: str, redis: str, count: int = 3, config: Mapping[str, Any] | None = None
    ) -> None:
        program = require_haproxy()
        secret = folder / "secret"
        secret.write_text(secrets.token_hex(32))
        secret.chmod(0o600)
        self.database = database
        shared: dict[str, dict[str, Any]] = {
            "server": {"trusted_proxies": ["127.0.0.1"]},
            "database": {"url": database},
            "redis": {"url": redis},
            "security": {"secret_file": str(secret)},
        }
        self.replicas = [
            Server(_made(folder / f"replica{number}"), _merged(shared, config or {})) for number in range(count)
        ]
        self._ports = [free_port() for _ in self.replicas]
        self._balancer = Haproxy(program, folder, [f"http://127.0.0.1:{port}" for port in self._ports])
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as running:
            for replica, port in zip(self.replicas, self._ports, strict=True):
                replica.launch(port)
                running.callback(replica.stop)
            for replica in self.replicas:
                replica.await_ready()
            running.enter_context(self._balancer)
            self._running = running.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def url(self) -> str:
        """Where clients go."""
        return self._balancer.url

    @property
    def urls(self) -> list[str]:
        """Every replica by itself."""
        return [replica.url for replica in self.replicas]

    @property
    def key(self) -> str:
        """An API key with every scope, known to all."""
        return self.replicas[0].key

    def restart(self, replica: Server, **variables: str) -> None:
        """Start a replica that ended, where it was."""
        replica.start(self._ports[self.replicas.index(replica)], **variables)

    async def make_board(self, board: str, settings: BoardSettings) -> None:
        """Make a board and return once every replica knows it."""
        async with Client(self.url, key=self.key) as backend:
            await backend.put_board(board, settings)
        await asyncio.gather(*(_known(url, board) for url in self.urls))

    async def says(self, part: str, state: str, within_s: float = 10.0) -> None:
        """Return when `/readyz` of every replica tells that state of one of its parts; fails where it takes longer."""
        await asyncio.gather(*(_says(url, part, state, within_s) for url in self.urls))

    def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What the database itself says."""
        connection = psycopg2.connect(self.database)
        try:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(statement, parameters)
            return cursor.fetchall()
        finally:
            connection.close()

    async def command(self, *words: str) -> tuple[int, str]:
        """Run a command of the program with the replicas' configuration: its exit status and what it said."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "scoreboard", *words, "--config", str(self.replicas[0].config)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    async def verified(self, board: str, within_s: float = VERIFIED_WITHIN_S) -> None:
        """Return once the command `verify` finds ranking, standings and histories of a board to agree; else fail."""
        deadline = time.monotonic() + within_s
        while True:
            status, said = await self.command("verify", board, "--history", "all")
            if status == 0 and "not ranked yet" not in said:
                return
            assert time.monotonic() < deadline, said

    def top(self, board: str, limit: int = 10) -> list[tuple[str, int]]:
        """The first players and scores of a board of sums by all that was ever counted, in order."""
        return [
            (player, int(score))
            for player, score in self.rows(
                """
                SELECT player_id, sum(history.score) FROM history JOIN players ON players.id = player_id
                WHERE board = %s AND state = 'counted' AND status = 'active'
                GROUP BY player_id
                ORDER BY 2 DESC, max(accepted_at) FILTER (WHERE score <> 0), player_id COLLATE "C" LIMIT %s
                """,
                board,
                limit,
            )
        ]


async def _says(url: str, part: str, state: str, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    async with aiohttp.ClientSession(url) as session:
        while True:
            async with session.get("/readyz") as response:
                checks = (await response.json())["checks"]
            if checks.get(part) == state:
                return
            assert time.monotonic() < deadline, checks
            await asyncio.sleep(0.05)


async def _known(url: str, board: str) -> None:
    async with Client(url) as client:
        while board not in {each.board for each in await client.boards()}:
            await asyncio.sleep(0.02)


def _merged(shared: Mapping[str, Mapping[str, Any]], config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration whose sections add to those that all have."""
    return {**config, **{name: {**section, **config.get(name, {})} for name, section in shared.items()}}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
