"""One running application per test."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.api.app import Api, backend, running
from tests.api.target import CONFIG, Target
from tests.server import Server

if not os.environ.get("SCOREBOARD_TEST_AUTOBAHN"):
    collect_ignore = ["test_autobahn.py"]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running(tmp_path) as api:
        yield api


@pytest.fixture
def key(api: Api, tmp_path: Path) -> Api:
    return backend(api, tmp_path)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """One server for all bad input: what one request breaks, the next one sees."""
    with Server(tmp_path_factory.mktemp("bad-input"), CONFIG) as server:
        target = Target(server)
        asyncio.run(target.prepare())
        yield target


@pytest.fixture
async def target(prepared: Target) -> AsyncIterator[Target]:
    """The server, unchanged afterwards and without a fault in its log."""
    before = await prepared.shown()
    yield prepared
    assert await prepared.shown() == before
    assert prepared.trouble() == ""
