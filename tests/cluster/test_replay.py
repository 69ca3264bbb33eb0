"""Recorded contests, played through the load balancer into three replicas, end as they officially did."""

from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.test_replay import LOGS, command


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.parent.name}-{log.stem}")
async def test_a_recorded_contest_ends_with_the_official_standings_on_every_replica(
    log: Path, cluster: Cluster, request: pytest.FixtureRequest
) -> None:
    suffix = f"-{LOGS.index(log)}"
    status, output, errors = await command(log, "--url", cluster.url, "--key", cluster.key, "--suffix", suffix)
    assert status == 0, output + errors
    assert "identical" in output
    for url in cluster.urls:  # each is sent all of it again, which must count nothing twice, and shows its own board
        resumed = await command(log, "--url", url, "--key", cluster.key, "--suffix", suffix, "--resume")
        assert resumed[0] == 0, resumed
