"""What moderators, admins and backends do."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from scoreboard.model import BoardId, BoardSettings, Scope
from scoreboard.wire.base import Deadline, Input, Output, SubmissionId, Text


class PutBoard(BoardSettings, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A board's settings and its id from the path."""

    board: Annotated[BoardId, Meta(examples=["laps"])]


class FreezeBoard(Input, frozen=True, kw_only=True):
    """Freeze a board now, or `at` a time to come."""

    board: BoardId
    at: Deadline | None = None


class Void(Input, frozen=True, kw_only=True):
    submission_id: SubmissionId
    reason: Text = ""


class VoidOut(Output, frozen=True, kw_only=True):
    """A player's standing without the voided submission; `standing` is None where nothing is left."""

    submission_id: str
    board: str
    player_id: str
    standing: dict[str, int | None] | None


class OverviewOut(Output, frozen=True, kw_only=True):
    """How all servers fare together: what waits, who is there, and what was decided since each of them started.

    `watching` counts the followers of each board. `alerts` are the causes that the server which answers knows of now.
    """

    open_reviews: int
    servers: int
    sockets: int
    players: int
    accepted: int
    held: int
    watching: dict[str, int]
    alerts: tuple[str, ...]


class ReplicaOut(Output, frozen=True, kw_only=True):
    """One server as it last told of itself: sockets open there, players signed in on them, followers of each board."""

    id: str
    seen_at: str
    sockets: int
    players: int
    watching: dict[str, int]


class ConnectionsOut(Output, frozen=True, kw_only=True):
    """All servers."""

    replicas: tuple[ReplicaOut, ...]


class NewKey(Input, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=64, examples=["game server"])]
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, examples=[["exchange", "write"]])]


class KeyRef(Input, frozen=True, kw_only=True):
    key_id: Annotated[str, Meta(max_length=64, examples=["47d33c0346b3"])]


class KeyOut(Output, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: str
    revoked_at: str | None = None
    key: str | UnsetType = UNSET


class KeysOut(Output, frozen=True, kw_only=True):
    keys: tuple[KeyOut, ...]
