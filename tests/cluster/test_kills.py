"""A replica is killed in the middle of everything: nothing that was acknowledged is lost, and nothing counts twice."""

import asyncio
import random

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.load import Audience, Load, nothing_is_lost

REPEATED_WITHIN_S = 8.0
"""How long a client may have to repeat what a replica died of, on a busy machine."""


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that come back without the pause that spares a real server."""
    monkeypatch.setattr("scoreboard.client.live.pause_s", lambda attempt, retry_after_s=None: 0.05)


@pytest.mark.parametrize("mark", ["committed:150", "ranked:150", "published:150"])
async def test_a_replica_killed_at_a_marked_step_costs_no_score(cluster: Cluster, board: str, mark: str) -> None:
    victim = cluster.replicas[1]
    await asyncio.to_thread(victim.stop)
    await asyncio.to_thread(cluster.restart, victim, SCOREBOARD_CRASH_AT=mark)
    async with Audience(cluster, board) as audience:
        async with Load(cluster, board) as load:
            await asyncio.to_thread(victim.ended)
            await load.goes_on(100)
            await load.ends(within_s=REPEATED_WITHIN_S)
        await asyncio.to_thread(cluster.restart, victim)
        await nothing_is_lost(cluster, board, load, audience)


async def test_replicas_killed_at_any_moment_cost_no_score(cluster: Cluster, board: str) -> None:
    dice = random.Random(20_261_125)
    async with Audience(cluster, board) as audience:
        async with Load(cluster, board) as load:
            for victim in dice.sample(cluster.replicas, 3):
                await load.goes_on(dice.randint(20, 120))
                victim.kill()
                await load.goes_on(40)
                await asyncio.to_thread(cluster.restart, victim)
            await load.ends(within_s=REPEATED_WITHIN_S)
        await nothing_is_lost(cluster, board, load, audience)
