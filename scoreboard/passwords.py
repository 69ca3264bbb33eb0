"""Password hashing that never slows the rest: argon2id in one worker thread behind a bounded queue."""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from scoreboard.errors import Overloaded

Answer = TypeVar("Answer")

RETRY_AFTER_S = 1.0


class Passwords:
    """Hashes and verifies; at most `max_waiting` calls wait for the thread, further ones are refused as Overloaded.

    The default parameters are OWASP's for argon2id: two passes over 19 MiB, about 25 ms a call.
    """

    def __init__(
        self, max_waiting: int, *, time_cost: int = 2, memory_cost_kib: int = 19_456, parallelism: int = 1
    ) -> None:
        self._hasher = PasswordHasher(time_cost, memory_cost_kib, parallelism)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")
        self._max_waiting = max_waiting
        self._waiting = 0
        self._nobody = self._hasher.hash(secrets.token_bytes(32))

    async def hash(self, password: str) -> str:
        """The argon2id hash of a password, with its salt and parameters. Raises Overloaded."""
        return await self._run(lambda: self._hasher.hash(_encoded(password)))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password belongs to the hash. None takes as long as a wrong password does. Raises Overloaded."""
        matches = await self._run(lambda: self._matches(password_hash or self._nobody, password))
        return matches and password_hash is not None

    def close(self) -> None:
        """Forget what waits and end the thread; a call that runs is finished first."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _encoded(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], Answer]) -> Answer:
        if self._waiting >= self._max_waiting:
            raise Overloaded("Too many sign-ins at once", retry_after_s=RETRY_AFTER_S)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, work)
        finally:
            self._waiting -= 1


def _encoded(password: str) -> bytes:
    # One keyboard composes an accented letter that another sends in two parts: both are the same password.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
