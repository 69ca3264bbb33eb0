"""Where Redis lives: one server, the master that Sentinels name, or the nodes of a cluster.

URLs: ``redis://[:password@]host:port[/db]`` (``rediss://`` with TLS, ``unix:///path``),
``redis+sentinel://[:password@]host:port[,host:port...]/master[/db]`` and
``redis+cluster://[:password@]host:port[,host:port...]``.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from redis import asyncio as driver
from redis import exceptions
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from scoreboard.errors import ConfigError

CONNECT_TIMEOUT_S = 0.5
ANSWER_TIMEOUT_S = 1.5

SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "redis+cluster")


class Topology(Protocol):
    """Finds the server of a key; a place is the name of one."""

    shares_slots: bool
    """Whether one script may touch any keys of a place."""

    async def place(self, key: str) -> str:
        """Where the key lives."""

    async def places(self) -> Sequence[str]:
        """All places that hold keys."""

    def connection(self, place: str) -> AbstractConnection:
        """A new connection to a place, not yet open."""

    def listener(self) -> AbstractConnection:
        """A new connection that hears messages from everywhere."""

    async def refresh(self) -> None:
        """Places may have changed: ask again."""

    async def close(self) -> None:
        """Let go of everything."""


def topology(url: str) -> Topology:
    """The topology of a URL. Raises ConfigError for one that is not understood."""
    scheme = urlsplit(url).scheme
    if scheme == "redis+sentinel":
        return _Sentinels(url)
    if scheme == "redis+cluster":
        return _Cluster(url)
    if scheme not in SCHEMES:
        raise ConfigError(f"redis.url: begins with none of {', '.join(SCHEMES)}")
    return _Single(driver.Redis.from_url(url, **_options()))


def _options() -> dict[str, Any]:
    # What is sent again by the driver might count twice: whoever calls knows what may be repeated.
    return {
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_timeout": ANSWER_TIMEOUT_S,
    }


class _Single:
    """One server, known to the driver as a client."""

    shares_slots = True

    def __init__(self, client: driver.Redis) -> None:
        self._client = client

    async def place(self, key: str) -> str:
        return ""

    async def places(self) -> Sequence[str]:
        return ("",)

    def connection(self, place: str) -> AbstractConnection:
        made: AbstractConnection = self._client.connection_pool.make_connection()
        return made

    def listener(self) -> AbstractConnection:
        return self.connection("")

    async def refresh(self) -> None:
        """There is only the one."""

    async def close(self) -> None:
        await self._client.aclose()


class _Sentinels(_Single):
    """The master that Sentinels name: asked at each connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        master, _, database = parts.path.strip("/").partition("/")
        if not master:
            raise ConfigError("redis.url: the name of the master is missing: redis+sentinel://host:26379/NAME")
        options = _options()
        self._sentinels = Sentinel(_hosts(parts.netloc, 26379), sentinel_kwargs=options, **options)
        super().__init__(self._sentinels.master_for(master, password=_password(parts.password), db=int(database or 0)))

    async def close(self) -> None:
        await super().close()
        for sentinel in self._sentinels.sentinels:
            await sentinel.aclose()


class _Cluster:
    """The nodes of a cluster; a key lives where its slot does."""

    shares_slots = False

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._options = {**_options(), "password": _password(parts.password)}
        self._startup = [ClusterNode(host, port) for host, port in _hosts(parts.netloc, 6379)]
        self._cluster: driver.RedisCluster | None = None
        self._asking = asyncio.Lock()

    async def place(self, key: str) -> str:
        if self._cluster is None:
            async with self._asking:
                if self._cluster is None:
                    await self._ask()
        assert self._cluster is not None
        return str(self._cluster.get_node_from_key(key).name)  # type: ignore[union-attr] # none only if asked for a replica

    async def places(self) -> Sequence[str]:
        await self.refresh()
        assert self._cluster is not None
        return [str(node.name) for node in self._cluster.get_primaries()]

    def connection(self, place: str) -> AbstractConnection:
        host, _, port = place.rpartition(":")
        return driver.Connection(host=host, port=int(port), **self._options)

    def listener(self) -> AbstractConnection:
        # Each hears what is told to any; another one next time, for this one may be down.
        nodes = self._startup if self._cluster is None else self._cluster.get_primaries()
        return self.connection(random.choice(nodes).name)

    async def refresh(self) -> None:
        async with self._asking:
            await self._ask()

    async def _ask(self) -> None:
        known = [] if self._cluster is None else self._cluster.get_nodes()
        nodes = [*self._startup, *(ClusterNode(node.host, node.port) for node in known)]
        fresh = driver.RedisCluster(startup_nodes=nodes, require_full_coverage=False, **self._options)
        try:
            await fresh.initialize()
        except BaseException as fault:
            await fresh.aclose()
            if isinstance(fault, exceptions.RedisClusterException):  # what the driver says where no node answers
                raise exceptions.ConnectionError(str(fault)) from None
            raise
        before, self._cluster = self._cluster, fresh
        if before is not None:
            await before.aclose()

    async def close(self) -> None:
        if self._cluster is not None:
            await self._cluster.aclose()


def _hosts(netloc: str, port: int) -> list[tuple[str, int]]:
    hosts = []
    for each in netloc.rpartition("@")[2].split(","):
        host, _, number = each.rpartition(":") if ":" in each else (each, "", "")
        if not host or (number and not number.isdigit()):
            raise ConfigError("redis.url: after // comes host:port[,host:port...]")
        hosts.append((host, int(number or port)))
    return hosts


def _password(quoted: str | None) -> str | None:
    return None if quoted is None else unquote(quoted)
