"""Admission state of a single process: plain tables with bounds, answered without waiting."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from scoreboard.admission.base import Admission, Knock
from scoreboard.clock import MINUTE, Clock
from scoreboard.limits import Limiter
from scoreboard.model import Committed, SessionState, Submission

MAX_SESSIONS = 200_000
MAX_RESERVATIONS = 100_000
MAX_LANES = 200_000
"""Beyond each of these the oldest entry is forgotten; the database still knows."""

Revoked = Callable[[Sequence[str]], None]

_Place = tuple[str, str, str]
"""Action id, player and board of a reservation; action, player and board of a lane."""


class _Reservation:
    """An action id that came in; `last_at` is what its first knock was told, for a retry to be told the same."""

    __slots__ = ("in_flight", "last_at", "outcome")

    def __init__(self, last_at: int | None) -> None:
        self.last_at = last_at
        self.in_flight = True
        self.outcome: Committed | None = None


class MemoryAdmissions:
    """`Admissions` in this process.

    `budget` is writes per minute and player, 0 for no limit; `revoked` is told of sessions that end.
    """

    def __init__(self, clock: Clock, budget: int, revoked: Revoked = lambda _: None) -> None:
        self._sessions: OrderedDict[str, SessionState] = OrderedDict()
        self._reservations: OrderedDict[_Place, _Reservation] = OrderedDict()
        self._waiting: dict[_Place, list[asyncio.Future[None]]] = {}
        self._lanes: OrderedDict[_Place, int] = OrderedDict()
        self._writes = Limiter(budget, MINUTE, clock)
        self._revoked = revoked

    async def admit(self, knocks: Sequence[Knock]) -> Sequence[Admission]:
        """Answer each knock, in order; a new action id is reserved by it."""
        return [self._admit(knock) for knock in knocks]

    def _admit(self, knock: Knock) -> Admission:
        refusal = self._check_session(knock)
        if refusal is not None:
            return refusal
        place = (knock.action_id, knock.player_id, knock.board)
        reservation = self._reservations.get(place)
        if reservation is not None and reservation.in_flight:
            return Admission(reserved="in flight")
        if reservation is not None and reservation.outcome is not None:
            return Admission(reserved="done", outcome=reservation.outcome)
        retry_after_s = self._writes.take(knock.player_id)
        if retry_after_s is not None:
            return Admission(retry_after_s=retry_after_s)
        if reservation is None:
            reservation = self._reserve(place, self._pass_lane(knock))
        reservation.in_flight = True
        return Admission(last_at=reservation.last_at)

    def _check_session(self, knock: Knock) -> Admission | None:
        state = self._sessions.get(knock.session_id)
        if state is None:
            return Admission(session="unknown")
        if state.revoked or state.expires_at <= knock.at:
            return Admission(session="revoked")
        return Admission(session="banned") if state.banned else None

    def _reserve(self, place: _Place, last_at: int | None) -> _Reservation:
        reservation = self._reservations[place] = _Reservation(last_at)
        if len(self._reservations) > MAX_RESERVATIONS:
            self._reservations.popitem(last=False)
        return reservation

    def _pass_lane(self, knock: Knock) -> int | None:
        """The time of the last submission of this action before this one."""
        lane = (knock.action, knock.player_id, knock.board)
        last_at = self._lanes.pop(lane, None)
        self._lanes[lane] = knock.at
        if len(self._lanes) > MAX_LANES:
            self._lanes.popitem(last=False)
        return last_at

    async def settle(self, outcomes: Sequence[tuple[Submission, Committed | None]]) -> None:
        """What became of submissions; None lets one be tried again."""
        for submission, outcome in outcomes:
            place = (submission.action_id, submission.player_id, submission.board)
            reservation = self._reservations.get(place)
            if reservation is not None:
                reservation.in_flight = False
                reservation.outcome = None if outcome is None else replace(outcome, changes=())
            for waiter in self._waiting.pop(place, ()):
                if not waiter.done():
                    waiter.set_result(None)

    async def wait(self, knock: Knock) -> None:
        """Return when the knock's action id is no longer in flight."""
        place = (knock.action_id, knock.player_id, knock.board)
        reservation = self._reservations.get(place)
        if reservation is not None and reservation.in_flight:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(place, []).append(waiter)
            await waiter

    async def learn(self, state: SessionState) -> None:
        """Keep a session's state; a revocation heard of meanwhile is not undone."""
        known = self._sessions.get(state.id)
        self._keep(known if known is not None and known.revoked else state)

    async def session(self, session_id: str) -> SessionState | None:
        """A session's state if it is known here."""
        return self._sessions.get(session_id)

    async def revoke(self, session_ids: Sequence[str]) -> None:
        """These sessions have ended."""
        for session_id in session_ids:
            known = self._sessions.get(session_id) or SessionState(session_id, "", "player", 0, True, False)
            self._keep(replace(known, revoked=True))
        self._revoked(session_ids)

    def _keep(self, state: SessionState) -> None:
        self._sessions[state.id] = state
        self._sessions.move_to_end(state.id)
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)

    async def close(self) -> None:
        """Nothing to let go of."""
