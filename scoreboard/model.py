"""The nouns of the server as frozen values. Instants are microseconds since the Unix epoch; scores are integers."""

from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct, field

MAX_SCORE = 2**53 - 1
"""The largest magnitude of a score or tie column: Redis doubles and JavaScript hold no more exactly."""

MAX_TIE_COLUMNS = 4

OWN_PREFIX = "p_"
"""What the ids of players registered here begin with, and no others."""

Score = Annotated[int, Meta(ge=-MAX_SCORE, le=MAX_SCORE, examples=[25])]
Bound = Annotated[int, Meta(ge=-MAX_SCORE, le=MAX_SCORE)]
"""What scores may not be below, or above."""

PlayerId = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:\-]+\Z", examples=["steam:7656"])]
BoardId = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9_.\-]*\Z", examples=["main"])]
Label = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_.\-]+\Z")]
"""The name of an action, tie column or season."""

Order = Literal["desc", "asc"]
Operator = Literal["best", "latest", "sum"]
RankRule = Literal["competition", "dense", "unique"]
Role = Literal["player", "moderator", "admin"]
Scope = Literal["exchange", "write", "import", "moderate", "admin"]
Status = Literal["accepted", "held", "rejected"]
SubmissionState = Literal["counted", "held", "rejected", "voided"]
Enforcement = Literal["off", "shadow", "hold", "reject"]
RuleName = Literal["max_increment", "too_fast", "rate", "metronome", "repetition", "jump", "outlier", "shared_address"]

SCOPES: tuple[Scope, ...] = ("exchange", "write", "import", "moderate", "admin")


class TieColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """A declared tie column: the n-th entry of a submission's `tiebreakers`."""

    name: Label
    order: Order = "desc"


class Season(Struct, frozen=True, forbid_unknown_fields=True):
    """A named period with dates; RFC 3339, half-open `[start, end)`."""

    start: str
    end: str


class ActionRule(Struct, frozen=True, forbid_unknown_fields=True):
    """What a player may do on a board, and the physics its owner states for it.

    `max_per_minute` is the most that the scores of one player's last minute may add up to. `rules` holds what is to
    happen otherwise than the board says.
    """

    max_score: Score | None = None
    max_per_minute: Score | None = None
    min_duration_ms: Annotated[int, Meta(ge=0, le=86_400_000)] = 0
    min_interval_ms: Annotated[int, Meta(ge=0, le=86_400_000)] = 0
    ttl_s: Annotated[int, Meta(ge=1, le=86_400)] = 600
    rules: dict[RuleName, Enforcement] = field(default_factory=dict)


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to a submission that a rule objects to; one key for each rule."""

    max_increment: Enforcement = "hold"
    too_fast: Enforcement = "hold"
    rate: Enforcement = "hold"
    metronome: Enforcement = "hold"
    repetition: Enforcement = "hold"
    jump: Enforcement = "shadow"
    outlier: Enforcement = "hold"
    shared_address: Enforcement = "hold"


class BoardSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How a board orders, folds and shows scores; the same names in `config.yaml` and on the wire."""

    title: Annotated[str, Meta(max_length=128, examples=["Fastest lap"])] = ""
    order: Annotated[Order, Meta(examples=["asc"])] = "desc"
    operator: Annotated[Operator, Meta(examples=["best"])] = "best"
    rank: RankRule = "competition"
    tiebreakers: Annotated[tuple[TieColumn, ...], Meta(max_length=MAX_TIE_COLUMNS)] = ()
    windows: Annotated[tuple[Label, ...], Meta(min_length=1, max_length=8, examples=[["week", "all"]])] = ("all",)
    seasons: dict[Label, Season] = field(default_factory=dict)
    timezone: Annotated[str, Meta(max_length=64)] = "UTC"
    week_start: Literal["monday", "sunday", "saturday"] = "monday"
    public: bool = True
    decimals: Annotated[int, Meta(ge=0, le=9)] = 0
    min_score: Bound = -MAX_SCORE
    max_score: Bound = MAX_SCORE
    live_limit: Annotated[int, Meta(ge=1, le=100)] = 100
    actions: dict[Label, ActionRule] = field(default_factory=dict)
    rules: Rules = Rules()


class Board(Struct, frozen=True):
    """A leaderboard as stored; one with `deleted_at` is kept, but shown to nobody.

    What came after `frozen_at` is kept from view until the board is revealed; at `freezes_at` it will be frozen.
    """

    id: str
    settings: BoardSettings
    revision: int
    created_at: int
    updated_at: int
    deleted_at: int | None = None
    frozen_at: int | None = None
    freezes_at: int | None = None


class BoardPeriod(NamedTuple):
    """One period of one window of one board, for example `("main", "day", "2026-11-23")`."""

    board: str
    window: str
    period: str


class Player(Struct, frozen=True):
    """Who scores. `revision` counts changes of the name, so that an older name never replaces a newer one.

    An erased player counts as banned, for ever; any other ban ends at `banned_until`, if that is not None.
    """

    id: str
    name: str
    role: Role
    created_at: int
    revision: int = 1
    username: str | None = None
    banned: bool = False
    hidden: bool = False
    erased: bool = False
    banned_until: int | None = None


class Session(Struct, frozen=True):
    """One sign-in: a family of refresh tokens, each the successor of the one before.

    `token_hash` is the SHA-256 of the refresh token now valid, the `counter`-th of the family; `previous_hash` that of
    the token it replaced at `rotated_at`.
    """

    id: str
    player_id: str
    created_at: int
    expires_at: int
    token_hash: bytes
    counter: int = 0
    previous_hash: bytes | None = None
    rotated_at: int = 0
    last_used_at: int = 0
    revoked_at: int | None = None
    address: str = ""
    user_agent: str = ""


class SessionState(Struct, frozen=True):
    """What every authenticated call needs to know of a session and its player."""

    id: str
    player_id: str
    role: Role
    expires_at: int
    revoked: bool
    banned: bool


class ApiKey(Struct, frozen=True):
    """A backend's credential; `digest` is the SHA-256 of the key, which is shown once and never stored."""

    id: str
    name: str
    digest: bytes
    scopes: tuple[Scope, ...]
    created_at: int
    revoked_at: int | None = None


class Evidence(Struct, frozen=True):
    """Why a rule objected: its name, what was done for it, the numbers it saw, and the version of the rule set."""

    rule: str
    enforcement: Enforcement
    facts: dict[str, int | float | str]
    version: int = 1


class Submission(Struct, frozen=True):
    """One judged score claim, ready for its commit.

    `action_id` is unique among all submissions kept in `actions`; `fingerprint` tells whether a repeat of it is the
    same request; `kept_until` is when that row may be forgotten. `periods` holds one entry for each of the board's
    windows, the first window first. `metadata` is the client's flat object as JSON text. `player_name` is set where
    an unknown player may be created.
    """

    id: str
    action_id: str
    kept_until: int
    player_id: str
    board: str
    score: int
    tiebreakers: tuple[int, ...]
    accepted_at: int
    periods: tuple[BoardPeriod, ...]
    status: Status = "accepted"
    code: str | None = None
    action: str | None = None
    metadata: str | None = None
    evidence: tuple[Evidence, ...] = ()
    fingerprint: bytes | None = None
    creates_player: bool = False
    player_name: str | None = None
    address: str = ""


class Projection(Struct, frozen=True):
    """A standing as the ranking needs it.

    `key` is its order key, or None where it must not be seen (banned, hidden, nothing counted). A projection with a
    lower `revision` than the one known is refused, one with an equal revision overwrites; the same holds for the
    name and `name_revision`.
    """

    period: BoardPeriod
    player_id: str
    revision: int
    key: bytes | None
    name: str
    name_revision: int


class Committed(Struct, frozen=True):
    """What became of one submission in its transaction.

    `repeat` says that the action id was taken before and the rest tells the first use; `mismatch` that it was taken
    by a different request. `score` and `previous` are the standing of the board's first window after and before;
    `changes` are all standings that the transaction moved (empty for a repeat).
    """

    status: Status
    submission_id: str
    board: str
    player_id: str
    applied: bool = False
    score: int | None = None
    previous: int | None = None
    code: str | None = None
    repeat: bool = False
    mismatch: bool = False
    changes: tuple[Projection, ...] = ()


class Placing(Struct, frozen=True):
    """Where a player stands in a board period; None where the player is not on it."""

    epoch: int
    version: int
    position: int | None = None
    rank: int | None = None
    score: int | None = None


class Row(Struct, frozen=True, omit_defaults=True, gc=False):
    """One visible row of a board period, as it is made for a page and as everybody is shown it: rows are many.

    `achieved_at` is an RFC 3339 time.
    """

    position: int
    rank: int
    player_id: str
    name: str
    score: int
    achieved_at: str
    tiebreakers: tuple[int, ...] = ()


class Page(Struct, frozen=True):
    """Rows of a board period, best first, with the version they belong to; one atomic read.

    `keys` are the order keys of the rows, one for each. `stale` marks an answer from the database, whose epoch and
    version are unknown (None); `frozen_at` tells since when the board is frozen, whose rows they are.
    """

    period: BoardPeriod
    epoch: int | None
    version: int | None
    total: int
    rows: tuple[Row, ...]
    keys: tuple[bytes, ...]
    stale: bool = False
    frozen_at: int | None = None


class HistoryItem(Struct, frozen=True):
    """One submission as kept; `state` is counted, held, rejected or voided."""

    id: str
    player_id: str
    board: str
    action: str | None
    score: int
    tiebreakers: tuple[int, ...]
    metadata: str | None
    accepted_at: int
    state: SubmissionState


class AuditEntry(Struct, frozen=True):
    """Who did what to whom; `detail` is JSON text without secrets, None once the subject was erased.

    The rest is given to it when it is written: the `chain` of its writer and its `number` there from 1 on, a `digest`
    of the detail, the hash of the entry before it and its own.
    """

    at: int
    actor: str
    act: str
    subject: str
    detail: str | None = "{}"
    chain: str = ""
    number: int = 0
    digest: bytes = b""
    previous: bytes = b""
    hash: bytes = b""
