"""Where the servers of a run keep what they know: databases made for them, filled, and thrown away."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from scoreboard.bench.processes import Measured


class Store(Struct, frozen=True):
    """A filled database: the data folder of the server that uses it, and what its configuration says of it.

    `database` is a file or a URL; `beside` are the processes that serve it, as far as they are on this machine.
    """

    folder: Path
    database: str
    settings: Mapping[str, Any] = {}
    beside: Sequence[Measured] = ()


class Stores(Protocol):
    """Makes databases for one line of the report, in a folder of its own."""

    folder: Path

    def filled(self, name: str, players: int) -> AbstractAsyncContextManager[Store]:
        """A database with so many players on the board `main`, for as long as the block lasts."""


class Inserts(Struct, frozen=True):
    """What to write to without a server, and for how long; the players are those of a filled database."""

    database: str
    players: int
    seconds: float


class Inserted(Struct, frozen=True):
    """Submissions written, and the time and this process's CPU time spent in their transactions."""

    rows: int
    seconds: float
    cpu_s: float


BATCH = 256
"""Submissions in a transaction: as many as the server carries in one."""
