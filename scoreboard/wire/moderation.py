"""Players as moderators and admins see them, and the audit trail."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from scoreboard.clock import rfc3339
from scoreboard.model import AuditEntry, HistoryItem, Player, PlayerId, Role
from scoreboard.oversight import Place, StoredStatus
from scoreboard.wire.accounts import SessionOut
from scoreboard.wire.base import Deadline, Input, Instant, Limit, Output, Text, Token


class PlayerList(Input, frozen=True, kw_only=True):
    """Players by id, those after `after`; `query` is the beginning of an id, a name or a username."""

    query: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    status: StoredStatus | None = None
    after: PlayerId | None = None
    limit: Limit = 50


class PlayerRef(Input, frozen=True, kw_only=True):
    player_id: PlayerId


class BanPlayer(PlayerRef, frozen=True, kw_only=True):
    """Until an instant, for ever unless told."""

    reason: Text = ""
    until: Deadline | None = None


class ChangePlayer(PlayerRef, frozen=True, kw_only=True):
    reason: Text = ""


class AppointPlayer(PlayerRef, frozen=True, kw_only=True):
    role: Literal["player", "moderator"]
    reason: Text = ""


class AuditList(Input, frozen=True, kw_only=True):
    """The trail, newest first; `act` stands for itself and all that begin with it and a dot."""

    actor: Annotated[str, Meta(max_length=128)] | None = None
    act: Annotated[str, Meta(max_length=64)] | None = None
    subject: Annotated[str, Meta(max_length=128)] | None = None
    since: Instant | None = None
    cursor: Token | None = None
    limit: Limit = 50


class KnownPlayerOut(Output, frozen=True, kw_only=True):
    id: str
    name: str
    username: str | None
    role: Role
    status: StoredStatus
    banned_until: str | None
    created_at: str


class KnownPlayersOut(Output, frozen=True, kw_only=True):
    """A page; `next` is what to ask for `after`, None at the end."""

    players: tuple[KnownPlayerOut, ...]
    next: str | None


class PlaceOut(Output, frozen=True, kw_only=True):
    """A standing, seen or not; None where nothing counts."""

    board: str
    window: str
    period: str
    score: int | None
    achieved_at: str | None


class SubmissionOut(Output, frozen=True, kw_only=True):
    submission_id: str
    board: str
    action: str | None
    score: int
    at: str
    state: str


class PlayerFileOut(Output, frozen=True, kw_only=True):
    """A player with the live sessions, the standings, and the newest submissions, newest first."""

    player: KnownPlayerOut
    sessions: tuple[SessionOut, ...]
    standings: tuple[PlaceOut, ...]
    submissions: tuple[SubmissionOut, ...]
    open_reviews: tuple[str, ...]


class AuditEntryOut(Output, frozen=True, kw_only=True):
    at: str
    actor: str
    act: str
    subject: str
    detail: Any
    chain: str
    number: int


class AuditOut(Output, frozen=True, kw_only=True):
    entries: tuple[AuditEntryOut, ...]
    next: str | None


def known_player_out(player: Player) -> KnownPlayerOut:
    """A player with what moderators know."""
    return KnownPlayerOut(
        id=player.id,
        name=player.name,
        username=player.username,
        role=player.role,
        status=status_of(player),
        banned_until=None if player.banned_until is None else rfc3339(player.banned_until),
        created_at=rfc3339(player.created_at),
    )


def status_of(player: Player) -> StoredStatus:
    """The player's status in a word."""
    if player.erased:
        return "erased"
    if player.banned:
        return "banned"
    return "hidden" if player.hidden else "active"


def place_out(place: Place) -> PlaceOut:
    """One standing of a player."""
    return PlaceOut(
        board=place.period.board,
        window=place.period.window,
        period=place.period.period,
        score=place.score,
        achieved_at=None if place.achieved_at is None else rfc3339(place.achieved_at),
    )


def audit_entry_out(entry: AuditEntry) -> AuditEntryOut:
    """An entry as shown; `detail` is None where its subject was erased."""
    return AuditEntryOut(
        at=rfc3339(entry.at),
        actor=entry.actor,
        act=entry.act,
        subject=entry.subject,
        detail=None if entry.detail is None else msgspec.json.decode(entry.detail),
        chain=entry.chain,
        number=entry.number,
    )


def submission_out(item: HistoryItem) -> SubmissionOut:
    """One of a player's submissions."""
    return SubmissionOut(
        submission_id=item.id,
        board=item.board,
        action=item.action,
        score=item.score,
        at=rfc3339(item.accepted_at),
        state=item.state,
    )
