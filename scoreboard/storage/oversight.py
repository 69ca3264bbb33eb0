"""What moderators and admins ask of the system of record: held submissions, players kept out, and the audit trail.

As in `scoreboard.storage.base`, each method is one transaction. What is done writes its audit entries in the same one.
"""

from collections.abc import Sequence
from typing import Protocol

from scoreboard.model import AuditEntry, Board, BoardPeriod, HistoryItem, Player, Role
from scoreboard.oversight import (
    EVERYTHING,
    AuditFilter,
    Ban,
    Decided,
    Decision,
    Head,
    HiddenStanding,
    Note,
    Place,
    PlayerFilter,
    PlayerStatus,
    Position,
    Review,
    ReviewFilter,
    StatusChanged,
)


class Reviews(Protocol):
    """Held submissions, until they are decided and after."""

    async def reviews(self, wanted: ReviewFilter, after: str | None, limit: int) -> tuple[Review, ...]:
        """Reviews in the order of their submissions, those after the submission id `after`."""

    async def review(self, submission_id: str) -> Review | None:
        """One review."""

    async def open_reviews(self) -> int:
        """How many wait for a decision, up to MAX_OPEN."""

    async def claim_review(self, submission_id: str, by: str, now: int, until: int) -> bool:
        """Take an open review for oneself until an instant, or prolong that; False where it is not to be had.

        That is where it is unknown or decided, or another has claimed it until later than `now`.
        """

    async def release_review(self, submission_id: str, by: str) -> bool:
        """Give a claim back; False where it is not one's own."""

    async def note_review(self, submission_id: str, note: Note, entries: Sequence[AuditEntry]) -> bool:
        """Add a note; False where there is no such review, or it has MAX_NOTES."""

    async def approve(
        self, board: Board, periods: Sequence[BoardPeriod], decision: Decision, entries: Sequence[AuditEntry]
    ) -> Decided:
        """Count a held submission at its own time: the standing of each period is folded anew from the history.

        `periods` are those it counts in, all of them. Raises NotFound; Conflict where it was decided before, or another
        has claimed it; ScoreOutOfRange where the sum with it is out of range; Unavailable where the board has another
        `revision` by now.
        """

    async def reject(self, decision: Decision, ban: Ban | None, entries: Sequence[AuditEntry]) -> Decided:
        """Drop a held submission, and ban its player if told. Raises NotFound and Conflict as `approve` does."""

    async def board_sample(self, board: str, looked_at: int, limit: int) -> tuple[HistoryItem, ...]:
        """The board's newest counted submissions among the `looked_at` newest of all boards."""


class Moderation(Protocol):
    """Players who are kept out, and what is known of a player."""

    async def set_status(
        self,
        player_id: str,
        status: PlayerStatus,
        now: int,
        *,
        until: int | None = None,
        entries: Sequence[AuditEntry] = (),
    ) -> StatusChanged:
        """Ban (until an instant), hide, or lift what lies uppermost: the revision of each standing rises.

        A ban ends the player's sessions. Whoever was hidden before a ban is hidden after it. Raises NotFound, also for
        a player who was erased.
        """

    async def set_role(
        self, player_id: str, role: Role, now: int, entries: Sequence[AuditEntry]
    ) -> StatusChanged | None:
        """Give a player a role and end the sessions of the old one; None where nobody has that id, or it was erased."""

    async def ended_bans(self, now: int, limit: int) -> tuple[str, ...]:
        """Players whose bans ended before the instant and are not lifted yet, those first that ended first."""

    async def lift_ended_ban(self, player_id: str, now: int, entries: Sequence[AuditEntry]) -> StatusChanged | None:
        """Lift a ban that has ended by `now`; None where somebody else did, or banned anew."""

    async def erase_player(self, player_id: str, now: int, entries: Sequence[AuditEntry]) -> StatusChanged | None:
        """Remove all that tells who a player was, and hide what is left, for ever. None where that was done before.

        Name and credentials, sessions, addresses and metadata of submissions, what reviews say, and the details of
        audit entries about the player are gone. Raises NotFound.
        """

    async def players(self, wanted: PlayerFilter, after: str | None, limit: int) -> tuple[Player, ...]:
        """Players by id, those after `after`."""

    async def hidden_standing(self, period: BoardPeriod, player_id: str) -> HiddenStanding | None:
        """The standing of a hidden player; None where nothing counts, or the player is not hidden."""

    async def places(self, player_id: str, limit: int) -> tuple[Place, ...]:
        """The player's standings, by board, window and period."""


class Audit(Protocol):
    """The trail of who did what."""

    async def add_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append entries."""

    async def audit(
        self, before: Position | None, limit: int, wanted: AuditFilter = EVERYTHING
    ) -> tuple[AuditEntry, ...]:
        """Entries before a position, newest first."""

    async def audit_heads(self, limit: int) -> tuple[Head, ...]:
        """The last entry of each chain, the newest chains first."""

    async def audit_kept(self, since: int) -> dict[str, int]:
        """Of each chain with older entries: the number of its first from the instant on, or that its next will have."""

    async def forget_audit(self, before: int) -> None:
        """Delete the entries before the beginning of a month, in bounded steps."""

    async def audit_chain(self, chain: str, after: int, limit: int) -> tuple[AuditEntry, ...]:
        """A chain's entries by number, those after a number."""


class Oversight(Reviews, Moderation, Audit, Protocol):
    """All of it."""
