"""Admission state of a single process: plain tables with bounds, answered without waiting."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence

from scoreboard.admission.base import Admission, Knock
from scoreboard.clock import MINUTE, Clock
from scoreboard.limits import Limiter
from scoreboard.model import Committed, SessionState

MAX_SESSIONS = 200_000
MAX_RESERVATIONS = 100_000
MAX_LANES = 200_000
"""Beyond each of these the oldest entry is forgotten; the database still knows."""

Revoked = Callable[[Sequence[str]], None]

_IN_FLIGHT = "in flight"
_NEW = Admission()


class MemoryAdmissions:
    """`Admissions` in this process.

    `budget` is writes per minute and player, 0 for no limit; `revoked` is told of sessions that end.
    """

    def __init__(self, clock: Clock, budget: int, revoked: Revoked = lambda _: None) -> None:
        self._sessions: OrderedDict[str, SessionState] = OrderedDict()
        self._reservations: OrderedDict[str, Committed | None] = OrderedDict()
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._lanes: OrderedDict[tuple[str, str, str], tuple[int, str, int | None]] = OrderedDict()
        self._revoked = revoked
        self._writes = Limiter(budget, MINUTE, clock)

    async def admit(self, knocks: Sequence[Knock]) -> tuple[Admission, ...]:
        """Answer each knock, in order; a new action id is reserved by it."""
        return tuple([self._admit(knock) for knock in knocks])

    def _admit(self, knock: Knock) -> Admission:
        refusal = self._known(knock)
        if refusal is not None:
            return refusal
        if knock.session_id is not None:
            retry_after_s = self._writes.take(knock.player_id)
            if retry_after_s is not None:
                return Admission(retry_after_s=retry_after_s)
        self._reserve(knock.action_id)
        return _NEW if knock.lane is None else Admission(last_at=self._pass_lane(knock.lane, knock))

    def _known(self, knock: Knock) -> Admission | None:
        """The answer where session or reservation decide it, before any limit."""
        if knock.session_id is not None:
            state = self._sessions.get(knock.session_id)
            if state is None:
                return Admission(session="unknown")
            if state.revoked or state.expires_at <= knock.at:
                return Admission(session="revoked")
            if state.banned:
                return Admission(session="banned")
        if knock.action_id not in self._reservations:
            return None
        outcome = self._reservations[knock.action_id]
        return Admission(reserved="in flight" if outcome is None else "done", outcome=outcome)

    def _reserve(self, action_id: str) -> None:
        self._reservations[action_id] = None
        if len(self._reservations) > MAX_RESERVATIONS:
            self._reservations.popitem(last=False)

    def _pass_lane(self, lane: tuple[str, str, str], knock: Knock) -> int | None:
        """The time of the last other submission; a retry of the same action id is compared with the one before it."""
        last_at, action_id, earlier = self._lanes.pop(lane, (None, "", None))
        before = earlier if action_id == knock.action_id else last_at
        self._lanes[lane] = (knock.at, knock.action_id, before)
        if len(self._lanes) > MAX_LANES:
            self._lanes.popitem(last=False)
        return before

    async def settle(self, outcomes: Sequence[tuple[str, Committed | None]]) -> None:
        """What became of reserved action ids; None lets the id be tried again."""
        for action_id, outcome in outcomes:
            if outcome is None:
                self._reservations.pop(action_id, None)
            elif action_id in self._reservations:
                self._reservations[action_id] = outcome
            for waiter in self._waiting.pop(action_id, ()):
                if not waiter.done():
                    waiter.set_result(None)

    async def wait(self, action_id: str) -> None:
        """Return when the action id is no longer in flight."""
        if self._reservations.get(action_id, _IN_FLIGHT) is None:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(action_id, []).append(waiter)
            await waiter

    async def learn(self, state: SessionState) -> None:
        """Keep a session's state; a revocation heard of meanwhile is not undone."""
        known = self._sessions.pop(state.id, None)
        self._sessions[state.id] = known if known is not None and known.revoked else state
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)

    async def session(self, session_id: str) -> SessionState | None:
        """A session's state if it is known here."""
        return self._sessions.get(session_id)

    async def revoke(self, session_ids: Sequence[str]) -> None:
        """These sessions have ended."""
        self._revoked(session_ids)
        for session_id in session_ids:
            state = self._sessions.get(session_id)
            self._sessions[session_id] = SessionState(
                id=session_id,
                player_id=state.player_id if state else "",
                role=state.role if state else "player",
                expires_at=state.expires_at if state else 0,
                revoked=True,
                banned=False,
            )

    async def close(self) -> None:
        """Nothing to let go of."""
