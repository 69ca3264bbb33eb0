"""What a submission must be asked before it is judged, answered in one look-up: the state that replicas share.

Session live, player not banned, the player's write budget, the reservation of the action id, and what the player did
before on this board by the same action: checked and updated atomically. The database decides in the end; this saves
work.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from scoreboard.clock import MINUTE, SECOND
from scoreboard.errors import Quota
from scoreboard.model import Committed, SessionState, Submission


def quota_of(budget: int) -> Quota:
    """What a player may write in a minute."""
    return Quota("player", budget, MINUTE // SECOND)


class Knock(Struct, frozen=True):
    """One submission asking to come in at an instant, with the score it claims."""

    action_id: str
    player_id: str
    session_id: str
    board: str
    action: str
    at: int
    kept_until: int
    score: int = 0


class Admission(Struct, frozen=True):
    """The answer.

    `session` is unknown where the caller must read it from the database and tell it (`learn`) before asking again.
    `reserved` tells that this player's action id on this board is `new`, still `in flight`, or `done` with `outcome`,
    or with None where the database must be asked for it.
    `history` are the player's submissions by that action on that board before this one, as `anticheat.history` packs
    them: what was claimed, whatever became of it, but not what was released. One that is tried `again` is told what it
    was told at first, and stands in the history of later ones once, at its first instant.
    `retry_after_s` is set where the budget is spent; then nothing was reserved.
    """

    session: Literal["live", "revoked", "banned", "unknown"] = "live"
    reserved: Literal["new", "in flight", "done"] = "new"
    outcome: Committed | None = None
    history: bytes = b""
    again: bool = False
    retry_after_s: float | None = None

    @property
    def granted(self) -> bool:
        """Whether nothing speaks against the submission."""
        return self.session == "live" and self.reserved == "new" and self.retry_after_s is None


class Admissions(Protocol):
    """The shared state in front of the submission path; `quota` is what a player may write."""

    quota: Quota

    async def admit(self, knock: Knock) -> Admission:
        """Answer a knock, after those that came before; a new action id is reserved by it."""

    async def settle(self, outcomes: Sequence[tuple[Submission, Committed | None]]) -> None:
        """What became of submissions, reserved or not.

        None where one was not committed, or nobody knows: it may be tried again, and is then not too fast.
        """

    async def wait(self, knock: Knock) -> None:
        """Return when the knock's action id is no longer in flight."""

    async def learn(self, state: SessionState) -> None:
        """Keep a session's state as it was read; a revocation or ban heard of meanwhile is not undone."""

    async def session(self, player_id: str, session_id: str) -> SessionState | None:
        """The state of a player's session if it is known here."""

    async def revoke(self, player_id: str, session_ids: Sequence[str]) -> None:
        """These sessions of a player have ended."""

    async def ban(self, player_id: str, banned: bool) -> None:
        """A player was banned, or is no longer; a state read before does not undo it."""

    def heard(self, player_id: str, banned: bool) -> None:
        """Another server banned a player, or lifted that: what is shared knows already."""

    async def close(self) -> None:
        """Let go of everything."""
