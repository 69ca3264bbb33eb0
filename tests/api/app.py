"""The real application on a port of its own, and short ways to call it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from scoreboard.api.shortcut import shorten
from scoreboard.app import create_app
from scoreboard.app.state import LIVE
from scoreboard.clock import Clock
from scoreboard.config import DataSettings, LimitSettings, Settings
from tests.api import described

NO_LIMITS = LimitSettings(
    requests_per_minute=0, registrations_per_hour=0, logins_per_minute=0, player_writes_per_minute=0
)


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The code of an error answer."""
        code: str = self.body["code"]
        return code


class Api:
    """REST calls as one caller."""

    def __init__(self, http: TestClient[web.Request, web.Application], credentials: str | None = None) -> None:
        self.http = http
        self._headers = {} if credentials is None else {"Authorization": credentials}

    def of(self, credentials: str) -> "Api":
        """The same server as another caller."""
        return Api(self.http, credentials)

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request under `/api/v1/`, or at the path itself where it begins with a slash."""
        address = path if path.startswith("/") else f"/api/v1/{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.request(method, address, headers={**self._headers, **named}, json=body) as response:
            text = await response.read()
            is_json = response.content_type.endswith("json")
            content = (msgspec.json.decode(text) if is_json else text.decode()) if text else None
            answer = Answer(response.status, dict(response.headers), content)
            described.check(method, response.url.path, answer.status, response.headers, answer.body)
            return answer

    async def get(self, path: str, **headers: str) -> Answer:
        """A GET."""
        return await self.call("GET", path, **headers)

    async def post(self, path: str, body: object = None, **headers: str) -> Answer:
        """A POST."""
        return await self.call("POST", path, body, **headers)

    async def registered(self, username: str) -> tuple["Api", str]:
        """A new player: calls made as them, and their id."""
        answer = await self.post("auth/register", {"username": username, "password": "correct horse"})
        assert answer.status == 201, answer
        return self.of(f"Bearer {answer.body['access_token']}"), answer.body["player"]["id"]

    async def token(self, board: str = "main", action: str = "coin") -> str:
        """A fresh action token."""
        answer = await self.post("actions", {"board": board, "action": action})
        assert answer.status == 201, answer
        token: str = answer.body["action_token"]
        return token

    async def score(self, score: int, token: str | None = None, board: str = "main") -> Answer:
        """Submit a score, by a fresh action unless a token is given."""
        token = await self.token(board) if token is None else token
        return await self.post("scores/update", {"board": board, "action_token": token, "score": score})

    async def rows(self, board: str = "main") -> list[tuple[int, str, int]]:
        """Rank, name and score of the board's first rows."""
        answer = await self.get(f"boards/{board}/top?limit=100")
        return [(row["rank"], row["name"], row["score"]) for row in answer.body["rows"]]


@asynccontextmanager
async def running(
    folder: Path, settings: Settings | None = None, *, shortened: bool = True, clock: Clock | None = None
) -> AsyncIterator[Api]:
    """The application on a data folder, stopped gently at the end; `shortened` as it is where it is served alone."""
    settings = settings or Settings(limits=NO_LIMITS)
    app = create_app(msgspec.structs.replace(settings, data=DataSettings(dir=str(folder))), clock)
    server = TestServer(app)
    async with TestClient(server) as http:
        if shortened:
            assert isinstance(server.runner, web.AppRunner)
            shorten(server.runner, app[LIVE].handle, cors=bool(settings.server.cors_origins))
        yield Api(http)


def backend(api: Api, folder: Path) -> Api:
    """Calls made with the key for local commands, which has every scope."""
    return api.of(f"Key {(folder / 'admin.key').read_text().strip()}")
