"""What an operator wants to know of a Redis, found out without changing anything."""

from typing import NamedTuple

from redis.asyncio.connection import AbstractConnection

from scoreboard.clock import SECOND, Clock
from scoreboard.redis.faults import as_error
from scoreboard.redis.server import KEEPS_ALL
from scoreboard.redis.topology import topology

OLDEST = (6, 2)


class Facts(NamedTuple):
    """One server process; `place` is empty where there is only the one, `ahead_ms` by how much its clock is ahead."""

    place: str
    version: str
    problems: tuple[str, ...]
    ahead_ms: int


async def examine(url: str, clock: Clock) -> list[Facts]:
    """The facts of each server at a URL. Raises Unavailable where one cannot be reached."""
    where = topology(url)
    try:
        return [await _examine(where.connection(place), place, clock) for place in await where.places()]
    except Exception as fault:  # whatever the driver says, the caller hears what it means
        raise as_error(fault) from fault
    finally:
        await where.close()


async def _examine(connection: AbstractConnection, place: str, clock: Clock) -> Facts:
    try:
        await connection.connect()
        await connection.send_command("INFO")
        lines = (await connection.read_response()).decode().split("\r\n")
        facts = dict(line.split(":", 1) for line in lines if ":" in line)
        before = clock.now()
        await connection.send_command("TIME")
        seconds, microseconds = await connection.read_response()
        middle = (before + clock.now()) // 2
    finally:
        await connection.disconnect()
    version, policy, role = facts["redis_version"], facts["maxmemory_policy"], facts["role"]
    problems = []
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        problems.append(f"version {version} is too old; {OLDEST[0]}.{OLDEST[1]} is needed")
    if policy != KEEPS_ALL:
        problems.append(f"maxmemory-policy is {policy}; set it to {KEEPS_ALL}")
    if role != "master":
        problems.append("this is a replica; name its master")
    ahead = int(seconds) * SECOND + int(microseconds) - middle
    return Facts(place, version, tuple(problems), round(ahead / 1000))
