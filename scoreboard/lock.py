"""Locks on a data folder: two servers on one would each hold a ranking that lacks the other's scores."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scoreboard.errors import ConfigError

LOCK = "lock"
WRITER_LOCK = "writer.lock"
WAIT_S = 10.0
"""How long a server waits for a process that still writes for one that was killed: it has one transaction to end."""

LOOK_AGAIN_S = 0.01


@contextmanager
def sole_user(folder: Path) -> Iterator[int]:
    """Hold the folder's locks; the kernel lets go of them when the process ends, however it ends.

    Gives the descriptor of a second lock, to be inherited by a process that writes for this one: it is held until both
    have ended. Blocks while such a process of an earlier server is about to end. Raises ConfigError where another
    process holds the folder.
    """
    descriptors = [os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600) for name in (LOCK, WRITER_LOCK)]
    try:
        for descriptor, within_s in zip(descriptors, (0.0, WAIT_S), strict=True):
            if not _lock(descriptor, within_s):
                raise ConfigError(f"the data folder {folder} is in use by another server; give this one its own")
        yield descriptors[-1]
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _lock(descriptor: int, within_s: float) -> bool:
    deadline_s = time.monotonic() + within_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(LOOK_AGAIN_S)
        else:
            return True
