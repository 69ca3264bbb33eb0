"""Looks at everything the server depends on and says what is wrong with it, one line for each, changing nothing."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple

from scoreboard.app.backends import make_control, open_shared
from scoreboard.clock import SystemClock
from scoreboard.config import Settings, check_production, database_path, is_scaled_out
from scoreboard.control.base import Replica
from scoreboard.errors import ConfigError, ScoreboardError
from scoreboard.tasks import Tasks

NEAR_MS = 100
"""Clocks this near to each other are what NTP keeps."""

FAR_MS = 2_000
"""Clocks this far from each other make what they decide unfair, and end tokens early."""


class Finding(NamedTuple):
    """What was found of a part; only `bad` needs to be mended for the server to do its work."""

    state: Literal["ok", "warn", "bad"]
    part: str
    text: str


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Everything, part by part."""
    yield _configuration(settings)
    if not is_scaled_out(settings):
        yield await asyncio.to_thread(_file, database_path(settings))
        return
    # The drivers are read where they are used: a server that is alone does without them.
    async for finding in _postgres(settings):
        yield finding
    async for finding in _redis(settings):
        yield finding
    async for finding in _replicas(settings):
        yield finding


def _configuration(settings: Settings) -> Finding:
    try:
        check_production(settings)
    except ConfigError as fault:
        return Finding("bad", "configuration", str(fault))
    return Finding("ok", "configuration", settings.server.environment)


def _file(path: Path) -> Finding:
    """The database file, read beside a server that may have it open."""
    if not path.exists():
        return Finding("ok", "database", f"{path} is made at the first start")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            [(answer,)] = database.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.Error as fault:
        return Finding("bad", "database", f"{path}: {fault}")
    return Finding("ok" if answer == "ok" else "bad", "database", f"{path}: {answer}")


async def _postgres(settings: Settings) -> AsyncIterator[Finding]:
    from scoreboard.storage.postgres.examine import examine as examine_postgres

    clock, database = SystemClock(), settings.database
    try:
        facts = await examine_postgres(database.url, clock)
    except ScoreboardError as fault:
        yield Finding("bad", "database", str(fault))
        return
    schema = "no tables yet: scoreboard init makes them" if facts.schema is None else f"tables {facts.schema}"
    yield Finding("ok", "database", f"PostgreSQL {facts.version}, {schema}, {facts.connections} connections allowed")
    for problem in (*facts.problems, *(["it is a standby; name the first server"] if facts.is_standby else ())):
        yield Finding("bad", "database", problem)
    yield _skew("database", facts.ahead_ms)
    if database.replica_url:
        try:
            replica = await examine_postgres(database.replica_url, clock)
        except ScoreboardError as fault:
            yield Finding("warn", "standby", f"{fault} The first server answers in its place.")
            return
        if not replica.is_standby:
            yield Finding("bad", "standby", "it is no standby: its data may be another's")
        else:
            behind = facts.log_position - replica.log_position
            text = "has all of the log" if behind <= 0 else f"{behind} bytes of the log behind"
            yield Finding("ok", "standby", f"PostgreSQL {replica.version}, {text}")


async def _redis(settings: Settings) -> AsyncIterator[Finding]:
    from scoreboard.redis.examine import examine as examine_redis

    try:
        servers = await examine_redis(settings.redis.url, SystemClock())
    except ScoreboardError as fault:
        yield Finding("bad", "redis", str(fault))
        return
    for facts in servers:
        part = f"redis {facts.place}".strip()
        yield Finding("ok", part, f"Redis {facts.version}")
        for problem in facts.problems:
            yield Finding("bad", part, problem)
        yield _skew(part, facts.ahead_ms)


async def _replicas(settings: Settings) -> AsyncIterator[Finding]:
    """The servers that run now, by what they told each other."""
    clock, tasks = SystemClock(), Tasks()
    async with open_shared(settings, clock, tasks) as shared:
        try:
            replicas = await make_control(shared, clock).replicas()
        except ScoreboardError:  # that Redis is away was told before
            return
        finally:
            await tasks.cancel()
    for finding in judge_replicas(replicas):
        yield finding


def judge_replicas(replicas: Sequence[Replica]) -> list[Finding]:
    """Whether servers that run on one database belong together."""
    if not replicas:
        return [Finding("ok", "servers", "none is running")]
    apart = max(each.ahead_ms for each in replicas) - min(each.ahead_ms for each in replicas)
    secrets = {each.secret for each in replicas}
    found = [Finding(_distance(apart), "servers", f"{len(replicas)} running, clocks at most {apart} ms apart")]
    if len(secrets) > 1:
        found.append(Finding("bad", "servers", f"they sign with {len(secrets)} different secrets: give all the same"))
    return found


def _skew(part: str, ahead_ms: int) -> Finding:
    way = "ahead of" if ahead_ms > 0 else "behind"
    return Finding(_distance(ahead_ms), part, f"its clock is {abs(ahead_ms)} ms {way} this machine's")


def _distance(apart_ms: int) -> Literal["ok", "warn", "bad"]:
    if abs(apart_ms) <= NEAR_MS:
        return "ok"
    return "warn" if abs(apart_ms) <= FAR_MS else "bad"
