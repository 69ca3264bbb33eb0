"""Sign-ins as all replicas remember them, in Redis."""

import logging

from scoreboard.attempts.base import KNOWN_FOR, Attempt, Backoff, Patience
from scoreboard.attempts.memory import MemoryAttempts
from scoreboard.clock import MILLISECOND, SECOND, Clock
from scoreboard.errors import Unavailable
from scoreboard.redis import Command, Keys, Server, evaluate, load_script

log = logging.getLogger(__name__)

ENTER, LEAVE = (load_script("scoreboard.attempts", name) for name in ("enter", "leave"))


class RedisAttempts:
    """`Attempts` in Redis; while that cannot be reached, `local` answers with what was seen here meanwhile."""

    def __init__(self, server: Server, keys: Keys, clock: Clock, patience: Patience, local: MemoryAttempts) -> None:
        self._server = server
        self._keys = keys
        self._clock = clock
        self._patience = patience
        self._local = local

    async def enter(self, account: str, address: str) -> Attempt:
        """Ask to try a password; where it may be tried it counts as wrong until the contrary is told."""
        try:
            return await self._enter(account, address)
        except Unavailable as fault:
            log.debug("sign-ins are counted in this process: %s", fault)
            return await self._local.enter(account, address)

    async def _enter(self, account: str, address: str) -> Attempt:
        mark = self._known(account, address)
        (known,) = await self._server.call(Command(("EXISTS", mark), mark))
        attempt = Attempt(account, address, known=bool(known))
        # In two places, as a cluster may keep accounts and addresses apart: what one refuses the other takes back.
        places = self._counts(attempt)
        waits = await self._server.call(*(self._take(counts) for counts in places))
        if not any(waits):
            return attempt
        taken = [list(counts) for counts, wait in zip(places, waits, strict=True) if not wait]
        await self._server.call(*(evaluate(LEAVE, keys) for keys in taken))
        return Attempt(account, address, max(waits) / SECOND, attempt.known)

    async def succeeded(self, attempt: Attempt) -> None:
        """The password was right: it does not count, and the address is known to the account from now on."""
        await self._local.succeeded(attempt)
        pair, mark = self._pair(attempt), self._known(attempt.account, attempt.address)
        await self._tell(
            *(evaluate(LEAVE, list(counts)) for counts in self._counts(attempt)),
            Command(("DEL", pair), pair),
            Command(("SET", mark, 1, "PX", KNOWN_FOR // MILLISECOND), mark),
        )

    async def withdraw(self, attempt: Attempt) -> None:
        """The password was not looked at after all: it does not count."""
        await self._local.withdraw(attempt)
        await self._tell(*(evaluate(LEAVE, list(counts)) for counts in self._counts(attempt)))

    def _counts(self, attempt: Attempt) -> tuple[dict[str, Backoff], dict[str, Backoff]]:
        """What a try counts for, the account's in one place and the address's in another."""
        of_account = {self._pair(attempt): self._patience.pair}
        if not attempt.known:
            of_account[self._keys.sign_ins(attempt.account)] = self._patience.account
        return of_account, {self._keys.sign_ins_from(attempt.address): self._patience.address}

    def _take(self, counts: dict[str, Backoff]) -> Command:
        growing = [
            number
            for backoff in counts.values()
            for number in (backoff.free, backoff.first, backoff.longest, backoff.forgotten)
        ]
        return evaluate(ENTER, list(counts), self._clock.now(), *growing)

    def _pair(self, attempt: Attempt) -> str:
        return f"{self._keys.sign_ins(attempt.account)}:from/{attempt.address}"

    def _known(self, account: str, address: str) -> str:
        return f"{self._keys.sign_ins(account)}:known/{address}"

    async def _tell(self, *commands: Command) -> None:
        try:
            await self._server.call(*commands)
        except Unavailable as fault:  # one try more or less is remembered
            log.debug("what became of a sign-in could not be told: %s", fault)
