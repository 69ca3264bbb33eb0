"""Everybody comes back at once: the rate of admission, and those who are served meanwhile."""

import asyncio
import random

import aiohttp
import pytest

from scoreboard.api.ws import UPGRADE_SHARES, upgrade_rate
from scoreboard.clock import MILLISECOND, SECOND, ManualClock
from scoreboard.config import LimitSettings, LiveSettings
from tests.api.sockets import LONG_S, House, house

CLIENTS = 60
PER_S = 40
EVERYBODY = LimitSettings(requests_per_minute=0, sockets_per_address=0, messages_per_minute=0)


@pytest.mark.parametrize("per_s", [1, 7, 10, 500])
def test_no_second_admits_more_than_the_rate_and_what_may_come_at_once(per_s: int) -> None:
    clock = ManualClock()
    rate = upgrade_rate(per_s, clock)
    admitted: list[int] = []
    for _ in range(3_000):
        clock.advance(MILLISECOND)
        while rate.take("upgrade") is None:
            admitted.append(clock.now())
    for first in admitted:
        within = sum(first <= at < first + SECOND for at in admitted)
        assert within <= per_s + max(per_s // UPGRADE_SHARES, 1)
    assert len(admitted) >= 3 * per_s - 1


def test_a_rate_of_nothing_is_no_limit() -> None:
    rate = upgrade_rate(0, ManualClock())
    assert all(rate.take("upgrade") is None for _ in range(1_000))


async def come_back(place: House, chance: random.Random) -> int:
    """Try until admitted, as a client does; returns how often it was told to wait."""
    refusals = 0
    while True:
        try:
            await place.line()
        except aiohttp.WSServerHandshakeError as refusal:
            assert refusal.status == 503
            assert refusal.headers is not None
            assert int(refusal.headers["Retry-After"]) >= 1
            refusals += 1
            await asyncio.sleep(chance.uniform(0.05, 0.25))  # what it was told is longer than a test should last
        else:
            return refusals


async def test_a_storm_is_let_in_bit_by_bit_while_those_inside_are_answered() -> None:
    chance = random.Random(7)
    async with house(LiveSettings(upgrades_per_s=PER_S), EVERYBODY) as place:
        inside = await place.line("ada")
        storm = asyncio.gather(*(come_back(place, chance) for _ in range(CLIENTS)))
        answered = 0
        async with asyncio.timeout(LONG_S):
            while not storm.done():
                assert (await inside.ask("echo", text="still here"))["text"] == "still here"
                answered += 1
        assert sum(await storm) > 0
        assert answered > 0
        assert len(place.registry) == CLIENTS + 1
