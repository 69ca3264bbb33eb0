"""How the servers fare, as moderators are told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scoreboard.config import Settings
from tests.api.app import Api, backend, running
from tests.api.modes import settings, shared_settings
from tests.api.sockets import Line
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer

__all__ = ["settings"]


@pytest.fixture
async def api(settings: Settings, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(tmp_path, settings) as api:
        yield api


async def test_it_tells_what_waits_who_is_there_and_what_was_decided(api: Api, tmp_path: Path) -> None:
    key = backend(api, tmp_path)
    joined = (await api.post("auth/register", {"username": "ada", "password": "correct horse"})).body
    ada = api.of(f"Bearer {joined['access_token']}")
    lines = [Line(await api.http.ws_connect("/ws"), "json") for _ in range(2)]
    await lines[0].sign_in(joined["access_token"])
    await lines[1].sign_in(None)
    await lines[1].subscribe(board="main", limit=3)
    assert [(await ada.score(score)).status for score in (5, 6, 900)] == [200, 200, 202]
    told = (await key.get("admin/overview")).body
    assert told == {
        "open_reviews": 1,
        "servers": 1,
        "sockets": 2,
        "players": 1,
        "accepted": 2,
        "held": 1,
        "watching": {"main": 1},
        "alerts": [],
    }


async def test_it_is_for_moderators(api: Api) -> None:
    ada, _ = await api.registered("ada")
    assert (await ada.get("admin/overview")).code == "forbidden"
    assert (await api.get("admin/overview")).code == "unauthenticated"


async def test_several_servers_are_told_of_together(
    tmp_path: Path, postgres_server: PostgresServer, redis_server: RedisServer
) -> None:
    shared = shared_settings(tmp_path, postgres_server, redis_server)
    async with running(tmp_path / "one", shared) as one, running(tmp_path / "other", shared) as other:
        for api in (one, other):
            await Line(await api.http.ws_connect("/ws"), "json").sign_in(None)
        assert (await backend(one, tmp_path / "one").get("admin/overview")).body["servers"] == 2
        told = (await backend(other, tmp_path / "other").get("admin/overview")).body
        assert (told["servers"], told["sockets"]) == (2, 2)
