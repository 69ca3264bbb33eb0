"""A lock on a data folder: two servers on one would each hold a ranking that lacks the other's scores."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scoreboard.errors import ConfigError

LOCK = "lock"


@contextmanager
def sole_user(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel lets go of it when the process ends, however it ends.

    Raises ConfigError where another process holds it.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{folder} is in use by another server; give this one a data folder of its own") from None
        yield
    finally:
        os.close(descriptor)
