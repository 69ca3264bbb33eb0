"""The whole system of record in one PostgreSQL database."""

from typing import Literal

from scoreboard.clock import Clock, SystemClock
from scoreboard.errors import Unavailable
from scoreboard.storage.postgres.accounts import PostgresKeys, PostgresPlayers, PostgresSessions
from scoreboard.storage.postgres.audit import PostgresAudit
from scoreboard.storage.postgres.boards import PostgresBoards
from scoreboard.storage.postgres.connections import Connections
from scoreboard.storage.postgres.database import Database
from scoreboard.storage.postgres.faults import RETRY_AFTER_S, Lost, unreachable
from scoreboard.storage.postgres.moderation import PostgresModeration
from scoreboard.storage.postgres.retention import PostgresRetention
from scoreboard.storage.postgres.reviews import PostgresReviews
from scoreboard.storage.postgres.schema import migrate
from scoreboard.storage.postgres.standby import Standby
from scoreboard.storage.postgres.standings import PostgresOutbox, PostgresStandings
from scoreboard.storage.postgres.submissions import PostgresSubmissions
from scoreboard.storage.postgres.webhooks import PostgresWebhooks

CONNECTIONS = 8


class PostgresStorage(
    PostgresPlayers,
    PostgresSessions,
    PostgresKeys,
    PostgresRetention,
    PostgresBoards,
    PostgresSubmissions,
    PostgresStandings,
    PostgresOutbox,
    PostgresReviews,
    PostgresModeration,
    PostgresAudit,
    PostgresWebhooks,
):
    """`scoreboard.storage.base.Storage`. A write is on the server's disk when its call returns."""

    kind: Literal["sqlite", "postgres"] = "postgres"

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        connections: int = CONNECTIONS,
        replica_url: str = "",
        replica_lag_s: float = 2,
        clock: Clock | None = None,
    ) -> "PostgresStorage":
        """Connect to a database and bring its schema up to date; its standby at `replica_url` need not be there.

        Raises ConfigError for one that is newer than this server, Unavailable for one that cannot be reached now.
        """
        clock = clock or SystemClock()
        pool = Connections(url, clock, connections)
        try:
            await pool.fill()
            async with pool.use() as connection:
                await migrate(connection)
            database = Database(pool)
            await database.write("make_partitions", now=clock.now())
        except Lost:
            await pool.close()
            raise unreachable() from None
        except BaseException:
            await pool.close()
            raise
        if not replica_url:
            return cls(database)
        replica = Database(Connections(replica_url, clock, connections))
        return cls(database, Standby(database, replica, clock, replica_lag_s))

    @property
    def is_up(self) -> bool:
        """Whether the server answered the last time."""
        return self._database.is_up

    @property
    def round_trips(self) -> int:
        """Statements sent for writes."""
        return self._database.round_trips

    async def ping(self) -> None:
        """Answer if the database can be read and written; raises Unavailable."""
        [(writable,)] = await self._database.read("ping")
        if not writable:
            raise Unavailable("The database is read-only.", retry_after_s=RETRY_AFTER_S)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._database.close()
        if self._standby is not None:
            await self._standby.close()
