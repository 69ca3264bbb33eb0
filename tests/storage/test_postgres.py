from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from scoreboard.storage.base import Storage
from scoreboard.storage.postgres import PostgresStorage
from tests.postgres import PostgresServer
from tests.storage.accounts import KeysContract, PlayersContract, SessionsContract
from tests.storage.contract import CommitContract, VoidContract
from tests.storage.folding import FoldContract
from tests.storage.freezing import FreezeContract
from tests.storage.oversight import DeletedBoardContract, ModerationContract, ReviewContract, TrailContract
from tests.storage.reading import (
    DurabilityContract,
    EpochContract,
    OutboxContract,
    ReadingContract,
    StatusContract,
)
from tests.storage.retention import RetentionContract
from tests.storage.webhooks import WebhookContract
from tests.storage.windows import WindowContract
from tests.storage.world import Backend


class PostgresBackend:
    def __init__(self, url: str) -> None:
        self.url = url

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Storage]:
        storage = await PostgresStorage.open(self.url, connections=3)
        yield storage
        await storage.close()


class TestPostgres(
    PlayersContract,
    SessionsContract,
    KeysContract,
    CommitContract,
    VoidContract,
    FoldContract,
    WindowContract,
    ReadingContract,
    EpochContract,
    OutboxContract,
    StatusContract,
    ReviewContract,
    ModerationContract,
    DeletedBoardContract,
    FreezeContract,
    TrailContract,
    WebhookContract,
    DurabilityContract,
    RetentionContract,
):
    @pytest.fixture
    def backend(self, postgres_server: PostgresServer) -> Backend:
        return PostgresBackend(postgres_server.new_database())
