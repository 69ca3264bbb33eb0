"""A real Redis Cluster of three masters."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import pytest

from tests.ports import free_port
from tests.redis_sentinel import SentinelRedis
from tests.redis_server import RedisServer, require_redis

DEADLINE_S = 30.0
NODES = 3


class RedisCluster:
    """Three masters that share the slots; it has what the tests use of a single server."""

    def __init__(self, program: str) -> None:
        options = {"cluster-enabled": "yes", "cluster-node-timeout": "2000"}
        self.nodes = [RedisServer(program, **options, **{"cluster-port": str(free_port())}) for _ in range(NODES)]
        self._running = ExitStack()

    def __enter__(self) -> Self:
        for node in self.nodes:
            self._running.enter_context(node)
        self._share_slots()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def url(self) -> str:
        """Where it listens; the last node is left to be found."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:-1])

    def command(self, *words: str) -> str:
        """The first answer of a command to every node."""
        answers = [node.command(*words) for node in self.nodes]
        return answers[0]

    def _share_slots(self) -> None:
        addresses = [f"127.0.0.1:{node.port}" for node in self.nodes]
        done = subprocess.run(
            ["redis-cli", "--cluster", "create", *addresses, "--cluster-yes"], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        _wait(lambda: all("cluster_state:ok" in node.command("CLUSTER", "INFO") for node in self.nodes))


def _wait(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[RedisCluster]:
    """One cluster for all tests, which nobody may stop."""
    with RedisCluster(require_redis()) as cluster:
        yield cluster


@pytest.fixture
def redis_cluster(shared_cluster: RedisCluster) -> RedisCluster:
    """The shared cluster, empty."""
    shared_cluster.command("FLUSHALL")
    return shared_cluster


AnyRedis = RedisServer | RedisCluster | SentinelRedis
"""Whatever has a URL and takes commands."""
