"""The schema of the database: made at once where there is none, else led to the newest by numbered migrations."""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable

from scoreboard.errors import ConfigError
from scoreboard.storage.outdated import outdated
from scoreboard.storage.postgres.connections import Connection

BASELINE = 1
"""The version that `schema.sql` began with; each migration has the number it leads to."""

MIGRATION_TIMEOUT_S = 3600.0
"""How long one migration may take, and how long the servers that wait for it do."""

LOCK = 0x73636F7265626F61
"""The advisory lock under which a server looks at the schema: `scoreboa` in ASCII."""


MISSING = "SELECT name FROM unnest(%(names)s::text[]) AS name WHERE to_regclass(name) IS NULL ORDER BY name"


def migrations() -> dict[int, str]:
    """The texts of the migrations by their numbers."""
    folder = files(__package__) / "migrations"
    found = {int(file.name[:4]): file.read_text("utf-8") for file in folder.iterdir() if _is_migration(file)}
    return dict(sorted(found.items()))


def newest_version() -> int:
    """The version of `schema.sql`."""
    return max(migrations(), default=BASELINE)


async def migrate(connection: Connection) -> None:
    """Bring the schema up to date; of several servers that start at once one does it.

    Raises ConfigError for a database newer than this server, or from before its release, and what statements raise.
    """
    await connection.run("SET statement_timeout = %(ms)s", {"ms": int(MIGRATION_TIMEOUT_S * 1000)})
    await connection.run("SELECT pg_advisory_lock(%(lock)s)", {"lock": LOCK}, within_s=MIGRATION_TIMEOUT_S)
    try:
        await _migrate(connection)
    finally:
        if connection.is_sound:
            await connection.run("SELECT pg_advisory_unlock(%(lock)s)", {"lock": LOCK})
            await connection.run("RESET statement_timeout")


async def _migrate(connection: Connection) -> None:
    version, newest = await _version(connection), newest_version()
    text = files("scoreboard").joinpath("schema.sql").read_text("utf-8")
    if version is None:
        await _apply(connection, text, newest)
    elif version > newest:
        raise ConfigError(f"the database has version {version}, newer than this server's {newest}: update the server")
    else:
        for number, step in migrations().items():
            if number > version:
                await _apply(connection, step, number)
        tables = {"names": re.findall(r"^CREATE TABLE (\w+)", text, re.MULTILINE)}
        missing, _ = await connection.run(MISSING, tables)
        if missing:
            raise ConfigError(outdated(f"table {missing[0][0]}"))


async def _apply(connection: Connection, text: str, version: int) -> None:
    # Several statements sent at once are one transaction.
    statements = f"{text};\nINSERT INTO schema_version (version) VALUES ({version})"
    await connection.run(statements, within_s=MIGRATION_TIMEOUT_S)


async def _version(connection: Connection) -> int | None:
    [(table,)], _ = await connection.run("SELECT to_regclass('schema_version')::text")
    if table is None:
        return None
    [(version,)], _ = await connection.run("SELECT max(version) FROM schema_version")
    return int(version)


def _is_migration(file: Traversable) -> bool:
    return file.name.endswith(".sql") and file.name[:4].isdigit()
