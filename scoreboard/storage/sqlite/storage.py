"""The whole system of record in one SQLite file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from scoreboard.storage.sqlite.audit import SqliteAudit
from scoreboard.storage.sqlite.boards import SqliteBoards
from scoreboard.storage.sqlite.connection import BUSY_TIMEOUT_MS, MAX_WAITING, Database, Place
from scoreboard.storage.sqlite.keys import SqliteKeys
from scoreboard.storage.sqlite.moderation import SqliteModeration
from scoreboard.storage.sqlite.outbox import SqliteOutbox
from scoreboard.storage.sqlite.players import SqlitePlayers
from scoreboard.storage.sqlite.retention import SqliteRetention
from scoreboard.storage.sqlite.reviews import SqliteReviews
from scoreboard.storage.sqlite.sessions import SqliteSessions
from scoreboard.storage.sqlite.standings import SqliteStandings
from scoreboard.storage.sqlite.statements import execute
from scoreboard.storage.sqlite.submissions import SqliteSubmissions
from scoreboard.storage.sqlite.webhooks import SqliteWebhooks


class SqliteStorage(
    SqlitePlayers,
    SqliteSessions,
    SqliteKeys,
    SqliteRetention,
    SqliteBoards,
    SqliteSubmissions,
    SqliteStandings,
    SqliteOutbox,
    SqliteReviews,
    SqliteModeration,
    SqliteAudit,
    SqliteWebhooks,
):
    """`scoreboard.storage.base.Storage`. A write is on the disk when its call returns."""

    kind: Literal["sqlite", "postgres"] = "sqlite"

    @property
    def is_up(self) -> bool:
        """A file is always there; what is wrong with it shows in each call."""
        return True

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
        max_waiting: int = MAX_WAITING,
        place: Place = "thread",
        held: Sequence[int] = (),
    ) -> "SqliteStorage":
        """Open the file, made if there is none, and bring its schema up to date.

        `max_waiting` bounds the calls that wait for their turn, `busy_timeout_ms` the wait for another program. `place`
        tells where submissions are committed, `held` the descriptors that a process which does it keeps open. Raises
        ConfigError for a file that cannot be used, Unavailable for one that cannot be reached now.
        """
        database = Database(path, busy_timeout_ms=busy_timeout_ms, max_waiting=max_waiting, place=place, held=held)
        await database.open()
        return cls(database)

    async def ping(self) -> None:
        """Answer if the database can be read and written; raises Unavailable."""
        await self._database.write(lambda connection: execute(connection, "ping"))

    async def close(self) -> None:
        """Finish what runs and let go of the file."""
        await self._database.close()
