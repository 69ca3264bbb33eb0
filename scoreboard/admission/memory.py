"""Admission state of a single process: plain tables with bounds, answered without waiting."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from scoreboard.admission.base import Admission, Knock, quota_of
from scoreboard.anticheat import history
from scoreboard.clock import MINUTE, SECOND, Clock
from scoreboard.limits import Limiter
from scoreboard.model import Committed, SessionState, Submission

MAX_SESSIONS = 200_000
MAX_RESERVATIONS = 100_000
MAX_LANES = 200_000
"""Beyond each of these the oldest entry is forgotten; the database still knows."""

MAX_BANNED = 100_000
"""Players known as banned beyond what their sessions say; beyond it the oldest is forgotten, and the database knows."""

Revoked = Callable[[str, Sequence[str]], None]
"""Told of a player and the sessions of theirs that ended."""

_Place = tuple[str, str, str]
"""Action id, player and board of a reservation; action, player and board of a lane."""


class _Reservation(Struct):
    """An action id that came in `at` an instant; a retry is told what was there before it."""

    at: int
    in_flight: bool = True
    outcome: Committed | None = None


class MemoryAdmissions:
    """`Admissions` in this process.

    `budget` is writes per minute and player, 0 for no limit; `revoked` is told of sessions that end. What was learnt of
    a session is believed for `session_ttl_s` seconds, for ever unless told.
    """

    def __init__(
        self,
        clock: Clock,
        budget: int,
        revoked: Revoked = lambda *_: None,
        session_ttl_s: float | None = None,
    ) -> None:
        self._clock = clock
        self._session_ttl = None if session_ttl_s is None else int(session_ttl_s * SECOND)
        self._sessions: OrderedDict[str, SessionState] = OrderedDict()
        self._learnt_at: dict[str, int] = {}
        self._banned: OrderedDict[str, None] = OrderedDict()
        self._reservations: OrderedDict[_Place, _Reservation] = OrderedDict()
        self._waiting: dict[_Place, list[asyncio.Future[None]]] = {}
        self._lanes: OrderedDict[_Place, bytes] = OrderedDict()
        self.quota = quota_of(budget)
        self._writes = Limiter(budget, MINUTE, clock)
        self._revoked = revoked

    async def admit(self, knock: Knock) -> Admission:
        """Answer a knock; a new action id is reserved by it."""
        return self.answer(knock)

    def answer(self, knock: Knock) -> Admission:
        """The same, at once."""
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
        again = reservation is not None
        if reservation is None:
            reservation = self._reserve(place, knock.at)
        reservation.in_flight = True
        return Admission(history=self._pass_lane(knock, reservation.at), again=again)

    def _check_session(self, knock: Knock) -> Admission | None:
        state = self._known(knock.session_id)
        if state is None:
            return Admission(session="unknown")
        if state.banned:
            return Admission(session="banned")
        return Admission(session="revoked") if state.revoked or state.expires_at <= knock.at else None

    def _known(self, session_id: str) -> SessionState | None:
        state = self._sessions.get(session_id)
        if state is None or self._session_ttl is None or state.revoked:
            return state
        fresh = self._clock.now() - self._learnt_at.get(session_id, 0) <= self._session_ttl
        return state if fresh else None

    def _reserve(self, place: _Place, at: int) -> _Reservation:
        reservation = self._reservations[place] = _Reservation(at)
        if len(self._reservations) > MAX_RESERVATIONS:
            self._reservations.popitem(last=False)
        return reservation

    def _pass_lane(self, knock: Knock, at: int) -> bytes:
        """The player's history before an instant at which this one takes its place in it."""
        lane = (knock.action, knock.player_id, knock.board)
        past, self._lanes[lane] = history.entered(self._lanes.pop(lane, b""), at, knock.score)
        if len(self._lanes) > MAX_LANES:
            self._lanes.popitem(last=False)
        return past

    def _release(self, submission: Submission, reservation: _Reservation) -> None:
        """What did not come in after all is not part of the player's history, until it is tried again."""
        lane = (submission.action or "", submission.player_id, submission.board)
        if lane in self._lanes:
            self._lanes[lane] = history.removed(self._lanes[lane], reservation.at)

    async def settle(self, outcomes: Sequence[tuple[Submission, Committed | None]]) -> None:
        """What became of submissions; None lets one be tried again."""
        for submission, outcome in outcomes:
            place = (submission.action_id, submission.player_id, submission.board)
            reservation = self._reservations.get(place)
            if reservation is not None:
                reservation.in_flight = False
                reservation.outcome = None if outcome is None else replace(outcome, changes=())
                if outcome is None:
                    self._release(submission, reservation)
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
        """Keep a session's state; a revocation or ban heard of meanwhile is not undone."""
        known = self._sessions.get(state.id)
        if known is not None and known.revoked:
            state = known
        self._keep(replace(state, banned=True) if state.player_id in self._banned else state)

    async def session(self, player_id: str, session_id: str) -> SessionState | None:
        """The state of a player's session if it is known here."""
        return self._known(session_id)

    async def revoke(self, player_id: str, session_ids: Sequence[str]) -> None:
        """These sessions of a player have ended."""
        for session_id in session_ids:
            known = self._sessions.get(session_id) or SessionState(session_id, player_id, "player", 0, True, False)
            self._keep(replace(known, revoked=True))
        self._revoked(player_id, session_ids)

    async def ban(self, player_id: str, banned: bool) -> None:
        """A player was banned, or is no longer."""
        self.heard(player_id, banned)

    def heard(self, player_id: str, banned: bool) -> None:
        """The same, as another server told."""
        self._banned.pop(player_id, None)
        if banned:
            self._banned[player_id] = None
            if len(self._banned) > MAX_BANNED:
                self._banned.popitem(last=False)
        for state in [state for state in self._sessions.values() if state.player_id == player_id]:
            self._sessions[state.id] = replace(state, banned=banned)

    def _keep(self, state: SessionState) -> None:
        self._sessions[state.id] = state
        self._sessions.move_to_end(state.id)
        if self._session_ttl is not None:
            self._learnt_at[state.id] = self._clock.now()
        if len(self._sessions) > MAX_SESSIONS:
            forgotten, _ = self._sessions.popitem(last=False)
            self._learnt_at.pop(forgotten, None)

    async def close(self) -> None:
        """Nothing to let go of."""
