"""Password hashing that never slows the rest: argon2id in one worker thread behind a bounded queue.

The thread runs at a low priority, so that it takes what others leave of a busy machine.
"""

import asyncio
import contextlib
import os
import secrets
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from scoreboard.errors import Overloaded

Answer = TypeVar("Answer")

RETRY_AFTER_S = 1.0
NICENESS = 10

ROOM_FOR_STRANGERS = 0.75
"""The share of the queue that those may fill of whom nothing is known; a flood of them leaves the others the rest."""


class Passwords:
    """Hashes and verifies; at most `max_waiting` calls wait for the thread, further ones are refused as Overloaded.

    The default parameters are OWASP's for argon2id: two passes over 19 MiB, about 25 ms a call.
    """

    def __init__(
        self, max_waiting: int, *, time_cost: int = 2, memory_cost_kib: int = 19_456, parallelism: int = 1
    ) -> None:
        self._hasher = PasswordHasher(time_cost, memory_cost_kib, parallelism)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="passwords", initializer=_be_nice)
        self._max_waiting = max_waiting
        self._max_strangers = max(1, int(max_waiting * ROOM_FOR_STRANGERS))
        self._waiting = 0
        self._nobody = self._hasher.hash(secrets.token_bytes(32))

    async def hash(self, password: str) -> str:
        """The argon2id hash of a password, with its salt and parameters. Raises Overloaded."""
        return await self._run(lambda: self._hasher.hash(_encoded(password)), self._max_strangers)

    async def verify(self, password_hash: str | None, password: str, *, known: bool = False) -> bool:
        """Whether the password belongs to the hash. None takes as long as a wrong password does. Raises Overloaded.

        `known` tells that somebody asks of whom a right password was heard before.
        """
        room = self._max_waiting if known else self._max_strangers
        matches = await self._run(lambda: self._matches(password_hash or self._nobody, password), room)
        return matches and password_hash is not None

    def close(self) -> None:
        """Forget what waits and end the thread; a call that runs is finished first."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _encoded(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], Answer], room: int) -> Answer:
        if self._waiting >= room:
            raise Overloaded("Too many sign-ins at once", retry_after_s=RETRY_AFTER_S)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, work)
        finally:
            self._waiting -= 1


def _be_nice() -> None:
    """Lower the priority of the calling thread; Linux has one for each."""
    thread = threading.get_native_id()
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


def _encoded(password: str) -> bytes:
    # One keyboard composes an accented letter that another sends in two parts: both are the same password.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
