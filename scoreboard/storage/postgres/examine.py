"""What an operator wants to know of a PostgreSQL, found out without changing anything."""

from typing import NamedTuple

from scoreboard.clock import Clock
from scoreboard.storage.postgres.connections import Connections
from scoreboard.storage.postgres.database import Database
from scoreboard.storage.postgres.schema import newest_version

OLDEST = 150_000
"""The oldest version that will do, as the server counts them: 15.0."""


class Facts(NamedTuple):
    """A server and its database; `schema` is None without tables, `ahead_ms` tells how far its clock is ahead."""

    version: str
    is_standby: bool
    schema: int | None
    connections: int
    problems: tuple[str, ...]
    ahead_ms: int
    log_position: int


async def examine(url: str, clock: Clock) -> Facts:
    """The facts of the database at a URL. Raises Unavailable where it cannot be reached."""
    connections = Connections(url, clock, 1)
    database = Database(connections)
    try:
        await connections.fill()
        before = clock.now()
        [row] = await database.read("examine")
        middle = (before + clock.now()) // 2
        number, version, is_standby, connections_allowed, *durable, now, has_tables, position = row
        schema = await _schema(database) if has_tables else None
    finally:
        await database.close()
    problems = [] if number >= OLDEST else [f"version {version} is too old; 15 is needed"]
    problems += [
        f"{name} is off: scores that were answered may be lost"
        for name, on in zip(("fsync", "full_page_writes", "synchronous_commit"), durable, strict=True)
        if not on
    ]
    if schema is not None and schema > newest_version():
        problems.append(f"its tables have version {schema}, this program knows {newest_version()}: update it")
    return Facts(
        version, is_standby, schema, connections_allowed, tuple(problems), round((now - middle) / 1000), position
    )


async def _schema(database: Database) -> int:
    [(version,)] = await database.read("schema_version")
    return int(version)
