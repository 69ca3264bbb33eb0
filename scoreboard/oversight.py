"""The nouns of moderators and admins as frozen values: reviews, players kept out, and the audit trail."""

from typing import Literal, NamedTuple

from msgspec import Struct

from scoreboard.model import BoardPeriod, Evidence, HistoryItem, Player, Projection

PlayerStatus = Literal["active", "banned", "hidden"]
ReviewState = Literal["open", "approved", "rejected"]
StoredStatus = Literal["active", "banned", "hidden", "erased"]
"""The status of a player as stored."""

MAX_NOTES = 100
"""Notes that a review takes."""

MAX_OPEN = 10_000
"""Open reviews that are counted."""


class Note(NamedTuple):
    """What somebody wrote on a review."""

    at: int
    by: str
    text: str


class Review(Struct, frozen=True):
    """A held submission, why it was held, who looks at it until when, and what was decided.

    `rules_revision` is the revision of the board whose rules held it.
    """

    submission: HistoryItem
    address: str
    player_name: str
    player_status: StoredStatus
    evidence: tuple[Evidence, ...]
    rules_revision: int
    state: ReviewState
    claimed_by: str | None
    lease_until: int | None
    decided_by: str | None
    decided_at: int | None
    reason: str | None
    notes: tuple[Note, ...]


class ReviewFilter(Struct, frozen=True):
    """Which reviews to list; None for any."""

    state: ReviewState | None = None
    board: str | None = None
    player_id: str | None = None
    rule: str | None = None


class Decision(Struct, frozen=True):
    """Who decided a review, when and why."""

    submission_id: str
    by: str
    at: int
    reason: str


class Decided(Struct, frozen=True):
    """What a decision moved: standings to project, the outbox row that names them, and sessions that ended with it."""

    changes: tuple[Projection, ...] = ()
    outbox_id: int | None = None
    ended: tuple[str, ...] = ()


class Ban(Struct, frozen=True):
    """How a rejection bans the player: until when, None for ever."""

    until: int | None = None


class StatusChanged(Struct, frozen=True):
    """A player's new status: the player, the standings that were shown or hidden, and the sessions that ended."""

    player: Player
    changes: tuple[Projection, ...]
    outbox_id: int | None = None
    ended: tuple[str, ...] = ()


class PlayerFilter(Struct, frozen=True):
    """Which players to list: whose id or name begins with `query`, or whose username with `skeleton`; None for any."""

    query: str | None = None
    skeleton: str | None = None
    status: StoredStatus | None = None


class HiddenStanding(NamedTuple):
    """A standing that its player sees and nobody else."""

    name: str
    score: int
    tiebreakers: tuple[int, ...]
    achieved_at: int


class Place(NamedTuple):
    """A standing of one player; None where nothing is counted."""

    period: BoardPeriod
    score: int | None
    achieved_at: int | None


class AuditFilter(Struct, frozen=True):
    """Which entries to list; None for any. `act` stands for itself and all that begin with it and a dot."""

    actor: str | None = None
    act: str | None = None
    subject: str | None = None
    since: int | None = None


class Head(NamedTuple):
    """The last entry of a chain."""

    chain: str
    number: int
    hash: bytes
    act: str


Position = tuple[int, str, int]
"""Where in the trail an entry stands: its instant, chain and number."""

EVERYTHING = AuditFilter()
