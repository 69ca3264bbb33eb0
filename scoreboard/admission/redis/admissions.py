"""Admission state that replicas share: scripts in Redis, one call for all that ask in the same moment."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import msgpack

from scoreboard.admission.base import Admission, Knock, quota_of
from scoreboard.admission.memory import MemoryAdmissions, Revoked
from scoreboard.anticheat import history
from scoreboard.clock import DAY, HOUR, MILLISECOND, MINUTE, SECOND, Clock
from scoreboard.errors import Unavailable
from scoreboard.model import Committed, Role, SessionState, Submission
from scoreboard.redis import Keys, Script, Server, evaluate, load_script
from scoreboard.tasks import Tasks

log = logging.getLogger(__name__)

ADMIT, SETTLE, LEARN, SESSION, REVOKE, BAN = (
    load_script("scoreboard.admission.redis", name) for name in ("admit", "settle", "learn", "session", "revoke", "ban")
)

REMEMBERED_MS = 2 * HOUR // MILLISECOND
"""For how long a revocation or ban is kept against states that were read before it."""

SESSION_MS = 10 * MINUTE // MILLISECOND
"""For how long a session's state is kept; after that the database is asked again."""

ACTION_MS = DAY // MILLISECOND
"""For how long an action id is remembered at most; the database remembers it longer."""

TELL_AGAIN_AFTER_S = 0.25
MAX_UNTOLD = 10_000
"""Ends of sessions and bans that Redis is told of once it is back; beyond it the oldest are given up, and are heard of
when the sessions' states are read anew."""

LEASE_S = 3.0
"""After which an action id that was never settled counts as new: its server may be gone. Where it is only slow, the
database finds the second use a repeat."""

ASK_AGAIN_AFTER_S = 0.03
"""Pause between looks at an action id that is in flight on another server."""

_Place = tuple[str, str, str]


class _Telling(NamedTuple):
    """A change of what is kept of a player."""

    script: Script
    player_id: str
    arguments: tuple[str | int, ...]


class RedisAdmissions:
    """`Admissions` in Redis; while that cannot be reached, `local` answers, and the database decides as always.

    `budget` is writes per minute and player, 0 for no limit; `revoked` is told of sessions that end.

    What Redis knows of sessions and bans carries the run id of the process that was told: one that took its place may
    hold an older copy, and what that says is not believed.
    """

    def __init__(
        self,
        server: Server,
        keys: Keys,
        clock: Clock,
        budget: int,
        local: MemoryAdmissions,
        tasks: Tasks,
        *,
        revoked: Revoked = lambda *_: None,
        lease_s: float = LEASE_S,
    ) -> None:
        self._server = server
        self._keys = keys
        self._clock = clock
        self.quota = quota_of(budget)
        self._cost = MINUTE // budget if budget else 0
        self._window = self._cost * budget
        self._local = local
        self._tasks = tasks
        self._loop = asyncio.get_running_loop()  # looked up once: each look-up is a system call before Python 3.12
        self._revoked = revoked
        self._lease_ms = int(lease_s * 1_000)
        self._asking: list[tuple[Knock, asyncio.Future[Admission]]] = []
        self._busy = False
        self._waiting: dict[_Place, list[asyncio.Future[None]]] = defaultdict(list)
        self._untold: deque[_Telling] = deque(maxlen=MAX_UNTOLD)

    async def admit(self, knock: Knock) -> Admission:
        """Answer a knock, after those that came before; a new action id is reserved by it."""
        future: asyncio.Future[Admission] = self._loop.create_future()
        self._asking.append((knock, future))
        if not self._busy:
            self._busy = True
            self._tasks.start(self._ask(), "admission")
        return await future

    async def settle(self, outcomes: Sequence[tuple[Submission, Committed | None]]) -> None:
        """What became of submissions. Does not wait for Redis: it is told with whatever it is asked next, or soon."""
        await self._local.settle(outcomes)
        for submission, _ in outcomes:
            for waiter in self._waiting.pop(_place(submission), ()):
                if not waiter.done():
                    waiter.set_result(None)
        rows = [
            (self._keys.player(each.player_id), each.board, each.action or "", each.action_id, int(outcome is not None))
            for each, outcome in outcomes
        ]
        groups = self._by_slot([(row[0], row) for row in rows])
        try:
            self._server.post(*(self._command(SETTLE, key, some) for key, some in groups.items()))
        except Unavailable as fault:
            log.debug("admissions could not be settled: %s", fault)

    async def wait(self, knock: Knock) -> None:
        """Return when the knock's action id may no longer be in flight: told here, or soon, if it is elsewhere."""
        waiter = self._loop.create_future()
        waiters = self._waiting[_place(knock)]
        waiters.append(waiter)
        await asyncio.wait([waiter], timeout=ASK_AGAIN_AFTER_S)
        if waiter in waiters:
            waiters.remove(waiter)
        if not waiters and self._waiting.get(_place(knock)) is waiters:
            del self._waiting[_place(knock)]

    async def learn(self, state: SessionState) -> None:
        """Keep a session's state as it was read; a revocation or ban heard of meanwhile is not undone."""
        await self._local.learn(state)
        kept_ms = max(1, min(SESSION_MS, (state.expires_at - self._clock.now()) // MILLISECOND))
        facts = (state.id, state.role, state.expires_at, int(state.revoked), int(state.banned), kept_ms)
        try:
            await self._tell(_Telling(LEARN, state.player_id, facts))
        except Unavailable as fault:
            log.debug("a session could not be kept: %s", fault)

    async def session(self, player_id: str, session_id: str) -> SessionState | None:
        """The state of a player's session if it is known here."""
        key = self._keys.player(player_id)
        try:
            found = await self._server.evaluate(SESSION, [key], await self._server.home(key), session_id)
        except Unavailable:
            return await self._local.session(player_id, session_id)
        if not found:
            return None
        role, expires_at, revoked, banned = found
        return SessionState(
            session_id, player_id, cast(Role, role.decode()), int(expires_at), revoked == b"1", bool(banned)
        )

    async def revoke(self, player_id: str, session_ids: Sequence[str]) -> None:
        """These sessions of a player have ended."""
        await self._local.revoke(player_id, session_ids)
        await self._tell_surely(_Telling(REVOKE, player_id, (REMEMBERED_MS, *session_ids)))
        self._revoked(player_id, session_ids)

    async def ban(self, player_id: str, banned: bool) -> None:
        """A player was banned, or is no longer."""
        await self._local.ban(player_id, banned)
        await self._tell_surely(_Telling(BAN, player_id, (int(banned), REMEMBERED_MS)))

    def heard(self, player_id: str, banned: bool) -> None:
        """Another server did that: only what is kept here for when Redis is away must follow."""
        self._local.heard(player_id, banned)

    async def close(self) -> None:
        """Return when Redis knows what became of the last submissions."""
        await self._server.posted()

    async def _ask(self) -> None:
        """Put all who ask to Redis, again and again until nobody does."""
        try:
            while self._asking:
                asking, self._asking = self._asking, []
                answers = await self._answers([knock for knock, _ in asking])
                for (_, future), answer in zip(asking, answers, strict=True):
                    if not future.done():
                        future.set_result(answer)
        finally:
            self._busy = False

    async def _answers(self, knocks: Sequence[Knock]) -> Sequence[Admission]:
        try:
            found = await self._call(ADMIT, [(knock.player_id, self._row(knock)) for knock in knocks])
        except Unavailable:
            return [self._local.answer(knock) for knock in knocks]
        return [_admission(answer) for answer in found]

    async def _call(self, script: Script, rows: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Any]:
        """One answer per row, from one call for each slot."""
        keyed = [(self._keys.player(player_id), row) for player_id, row in rows]
        groups = self._by_slot(keyed)
        answers = await self._server.call(
            *[self._command(script, key, some, await self._server.home(key)) for key, some in groups.items()]
        )
        if len(groups) == 1:
            return list(answers[0])
        found = {key: iter(answer) for key, answer in zip(groups, answers, strict=True)}
        return [next(found[key]) for key, _ in keyed]

    def _by_slot(self, keyed: Sequence[tuple[str, tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
        """Rows that one call may carry, by the key that tells where: all of them, but in a cluster."""
        if self._server.shares_slots:
            return {keyed[0][0]: [row for _, row in keyed]}
        groups: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for key, row in keyed:
            groups[key].append(row)
        return groups

    def _command(self, script: Script, key: str, rows: Sequence[tuple[Any, ...]], home: str = "") -> Any:
        packed = msgpack.packb(rows, use_bin_type=False)
        return evaluate(script, [key], packed, self._cost, self._window, home)

    def _row(self, knock: Knock) -> tuple[Any, ...]:
        kept_ms = max(1, (knock.kept_until - knock.at) // MILLISECOND)
        return (
            self._keys.player(knock.player_id),
            knock.session_id,
            knock.board,
            knock.action,
            knock.action_id,
            knock.at,
            self._lease_ms,
            min(kept_ms, ACTION_MS),
            history.entry(knock.at, knock.score),
        )

    async def _tell(self, telling: _Telling) -> None:
        key = self._keys.player(telling.player_id)
        await self._server.evaluate(telling.script, [key], await self._server.home(key), *telling.arguments)

    async def _tell_surely(self, telling: _Telling) -> None:
        """Tell Redis now, or once it is back, in order."""
        if not self._untold:
            try:
                await self._tell(telling)
                return
            except Unavailable as fault:  # meanwhile the database knows, and is asked
                log.debug("the shared state of a player is to be changed later: %s", fault)
        self._untold.append(telling)
        if len(self._untold) == 1:
            self._tasks.start(self._tell_again(), "admissions to tell")

    async def _tell_again(self) -> None:
        while self._untold:
            telling = self._untold[0]
            try:
                await self._tell(telling)
            except Unavailable:
                await asyncio.sleep(TELL_AGAIN_AFTER_S)
            else:
                if self._untold and self._untold[0] is telling:
                    self._untold.popleft()


def _admission(answer: Sequence[Any]) -> Admission:
    session, reserved, past, wait = answer
    if session != b"live":
        return Admission(session=session.decode())
    if reserved == b"spent":
        return Admission(retry_after_s=wait / SECOND)
    if reserved in (b"new", b"again"):
        return Admission(history=past, again=reserved == b"again")
    return Admission(reserved="done" if reserved == b"done" else "in flight")


def _place(one: Knock | Submission) -> _Place:
    return one.action_id, one.player_id, one.board
