"""What others do to those who score: a flood of guessed passwords, and more requests than can be served."""

import asyncio
import random
from collections.abc import Callable

import msgspec

from scoreboard.bench.load import is_ok, request
from scoreboard.bench.report import Check, Line, Sample, compared
from scoreboard.bench.rounds import Load, Plan, http_load, in_turns
from scoreboard.bench.stores import Stores
from scoreboard.bench.world import World, world

CONNECTIONS = 64
PLAYERS = 1_000
GUESSERS = 32
"""Connections that guess passwords, each the next one as soon as the last was answered."""

ACCOUNTS = 10_000
P99_RISE_MS = 20.0

TOO_MANY = 3
"""How many times the connections that the server has room for ask."""

GOODPUT = 0.8

LOGINS = {
    "server": {"port": 0, "trusted_proxies": ["127.0.0.1"]},
    "limits": {"requests_per_minute": 0, "player_writes_per_minute": 0},
}
"""Sign-ins are limited as they are by default, and come from wherever a guess says that it does."""

NARROW = {"limits": {"requests_per_minute": 0, "player_writes_per_minute": 0, "concurrent_requests": CONNECTIONS}}


async def flood(stores: Stores, plan: Plan) -> list[Line]:
    """`scores/update` while passwords are guessed from many addresses, beside the same without."""
    async with world(stores, PLAYERS, plan.signed_in, settings=LOGINS) as ours:
        scoring = await _scoring(ours, CONNECTIONS, is_ok)
        guessing = await http_load(ours.server, _guess, GUESSERS, is_right=_is_refused)

        async def flooded(seconds: float) -> Sample:
            sample, _ = await asyncio.gather(scoring.round(seconds), guessing.round(seconds))
            return sample

        pair = await in_turns(plan, flooded, scoring.round)
    line = compared("flood", f"scores/update while passwords are guessed over {GUESSERS} connections", *pair)
    rise = Check("p99_rise_ms", P99_RISE_MS, False, line.figures["p99_ms"] - line.limits["p99_ms"])
    return [msgspec.structs.replace(line, checks=[rise])]


async def overload(stores: Stores, plan: Plan) -> list[Line]:
    """Scores taken from three times as many connections as there is room for, beside as many as there is."""
    async with world(stores, PLAYERS, plan.signed_in, settings=NARROW) as ours:
        peak = await _scoring(ours, CONNECTIONS, is_ok)
        taken = _Taken()
        crowd = await _scoring(ours, TOO_MANY * CONNECTIONS, taken.is_right)

        async def crowded(seconds: float) -> Sample:
            before = taken.count
            sample = await crowd.round(seconds)
            return msgspec.structs.replace(sample, per_s=(taken.count - before) / seconds, latencies=())

        pair = await in_turns(plan, crowded, peak.round)
    title = f"scores taken of {TOO_MANY * CONNECTIONS} connections with room for {CONNECTIONS}"
    return [compared("overload", title, *pair, ratio=GOODPUT)]


class _Taken:
    """Counts the scores that were taken among those that had to come back."""

    def __init__(self) -> None:
        self.count = 0

    def is_right(self, answer: bytes) -> bool:
        """Whether it was taken, or told to come back."""
        self.count += is_ok(answer)
        return is_ok(answer) or answer.startswith(b"HTTP/1.1 503")


async def _scoring(ours: World, connections: int, is_right: Callable[[bytes], bool]) -> Load:
    return await http_load(ours.server, ours.scores(), connections, used=ours.processes(), is_right=is_right)


def _guess() -> bytes:
    """A wrong password for any account, from any address."""
    body = {"username": f"player{random.randrange(ACCOUNTS)}", "password": "correct horse"}
    address = ".".join(str(random.randrange(1, 255)) for _ in range(3))
    return request(
        "POST", "/api/v1/auth/login", body=msgspec.json.encode(body), headers=[f"X-Forwarded-For: 10.{address}"]
    )


def _is_refused(answer: bytes) -> bool:
    return answer.startswith((b"HTTP/1.1 401", b"HTTP/1.1 429", b"HTTP/1.1 503"))
