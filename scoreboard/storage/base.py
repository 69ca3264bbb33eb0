"""The system of record as the rest of the server sees it.

Every method may raise `Unavailable` (nothing happened; try again) and every writing one `OutcomeUnknown` (it may have
happened; the same call may be repeated safely). No driver's exception leaves a backend. Each method is one
transaction; `now` is its instant.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

from scoreboard.model import (
    ApiKey,
    AuditEntry,
    Board,
    BoardPeriod,
    Committed,
    HistoryItem,
    Page,
    Player,
    Projection,
    Session,
    SessionState,
    Submission,
)
from scoreboard.storage.oversight import Oversight
from scoreboard.storage.webhooks import Webhooks

MAX_LIVE_SESSIONS = 100
"""Live sessions a player may have; the oldest ends when one more is opened."""


class Credentials(Struct, frozen=True):
    """A registered player and the argon2id hash of the password."""

    player: Player
    password_hash: str


class Touched(NamedTuple):
    """A standing named by an outbox row."""

    period: BoardPeriod
    player_id: str


class OutboxRow(Struct, frozen=True):
    """Standings whose projection to the ranking is not yet confirmed; `at` is when they were committed."""

    id: int
    at: int
    touched: tuple[Touched, ...]


class Refolded(NamedTuple):
    """Whether a player's standing, with its order key, is what the history comes to."""

    player_id: str
    agrees: bool


class Backlog(NamedTuple):
    """How many outbox rows there are, up to `MAX_BACKLOG`, and when the oldest was committed."""

    rows: int
    oldest_at: int | None


class Confirmed(NamedTuple):
    """The ranking that stands for a period: the epoch it was built under, and the server process that holds it."""

    epoch: int
    home: str


MAX_BACKLOG = 100_000

REVEALED_TOGETHER = 1_000
"""Standings of a board that is revealed, named by one outbox row."""


class Committal(Struct, frozen=True):
    """The outcome of a batch: one entry per submission in the order given, and the outbox row of the transaction.

    `outbox_id` is None where nothing was moved.
    """

    outcomes: tuple[Committed, ...]
    outbox_id: int | None


class Voided(Struct, frozen=True):
    """A void's effect: the submission, and the projections of every standing refolded without it.

    `done` is False where it was not counted before, and nothing changed.
    """

    submission: HistoryItem
    changes: tuple[Projection, ...]
    outbox_id: int | None
    done: bool = True


class Renamed(Struct, frozen=True):
    """A player as now stored; `changed` tells whether the name differs from the one before."""

    player: Player
    changed: bool


class Players(Protocol):
    """Players and the credentials of those who registered here."""

    async def register(self, player: Player, skeleton: str, password_hash: str) -> None:
        """Store a new player. Raises UsernameTaken where the skeleton of the username is in use."""

    async def player(self, player_id: str) -> Player | None:
        """One player by id."""

    async def credentials(self, skeleton: str) -> Credentials | None:
        """The player whose username has this skeleton."""

    async def password_hash(self, player_id: str) -> str | None:
        """The player's password hash, None where there is none."""

    async def set_password(
        self, player_id: str, verified: str, password_hash: str, now: int, except_id: str
    ) -> tuple[str, ...] | None:
        """Replace the password hash and end the player's live sessions but `except_id`; returns the ids that ended.

        None, and nothing done, where the stored hash is no longer the one `verified`.
        """

    async def upsert_player(self, player_id: str, name: str | None, now: int) -> Renamed:
        """Create a backend's own player, or give a known one another name (None leaves it; a new one is its id)."""

    async def has_admin(self) -> bool:
        """Whether any player has the role `admin`."""


class Sessions(Protocol):
    """Sign-ins and their refresh-token families."""

    async def open_session(self, session: Session, verified: str | None = None) -> tuple[str, ...] | None:
        """Store a new session; the player's oldest live ones beyond MAX_LIVE_SESSIONS end: returns their ids.

        `verified` is the password hash that a sign-in was checked against: None, and nothing stored, where the player
        has another one by now. The instant is the session's `created_at`.
        """

    async def session(self, session_id: str) -> Session | None:
        """One session, revoked ones too."""

    async def session_state(self, session_id: str) -> SessionState | None:
        """What an authenticated call needs to know."""

    async def session_states(self, session_ids: Sequence[str]) -> tuple[SessionState, ...]:
        """The same of many sessions; unknown ones are left out."""

    async def rotate_session(self, session_id: str, counter: int, token_hash: bytes, now: int, expires_at: int) -> bool:
        """Replace the refresh token if the family still stands at `counter` and is not revoked: compare and set.

        The counter rises by one, the old hash becomes `previous_hash`, and the session now lives until `expires_at`.
        False where another call was first.
        """

    async def revoke_session(self, session_id: str, now: int) -> None:
        """End one session; ending it twice is no error."""

    async def revoke_sessions(self, player_id: str, now: int, except_id: str | None = None) -> tuple[str, ...]:
        """End the player's live sessions but `except_id`; returns the ids that ended."""

    async def sessions(self, player_id: str, now: int) -> tuple[Session, ...]:
        """The player's live sessions, the newest first, MAX_LIVE_SESSIONS at most."""

    async def session_count(self, player_id: str, now: int) -> int:
        """How many live sessions the player has."""


class Keys(Protocol):
    """API keys of backends."""

    async def add_key(self, key: ApiKey, entries: Sequence[AuditEntry] = ()) -> None:
        """Store a key, and audit entries."""

    async def key(self, digest: bytes) -> ApiKey | None:
        """The key with this SHA-256, revoked ones too."""

    async def keys(self) -> tuple[ApiKey, ...]:
        """All keys, oldest first."""

    async def revoke_key(self, key_id: str, now: int, entries: Sequence[AuditEntry] = ()) -> bool:
        """End a key, and store audit entries; False, and nothing stored, where there is none."""


class Boards(Protocol):
    """Boards and their settings."""

    async def boards(self) -> tuple[Board, ...]:
        """All boards by id, deleted ones too."""

    async def put_board(self, board: Board, entries: Sequence[AuditEntry] = ()) -> Board:
        """Create the board or replace its settings at its `updated_at`, and write the audit entries.

        Returns the board as stored: its `revision` is set here.
        Windows that it did not have before are folded from its history, their past periods too; standings they have
        from an earlier time are refolded. The ranking does not hear of it: those periods are to be loaded anew.
        Raises Conflict where a board that has submissions would get other settings of those its history fixes,
        ScoreOutOfRange where a sum in a new window is out of range, and BadRequest where the calendar does not reach.
        """

    async def delete_board(self, board_id: str, now: int, entries: Sequence[AuditEntry]) -> Board | None:
        """Show a board to nobody any more, and write the audit entries; returns it as stored.

        Its `revision` rises, all that was scored on it stays, and `put_board` brings it back. None where there is none.
        """

    async def freeze_board(
        self, board_id: str, now: int, entries: Sequence[AuditEntry], *, due: bool = False
    ) -> Board | None:
        """Keep from view what comes to a board from now on, and write the audit entries; returns it as stored.

        Its `revision` rises. From then on every read that is for all (projections, standings, digest, page, periods,
        history where asked for) tells what there was before, but for names and for players who are kept out: those
        still change. None, and nothing done, where there is no such board or it is frozen; with `due` also where the
        time to freeze it, which is then when it was frozen, has not come.
        """

    async def schedule_freeze(self, board_id: str, at: int, entries: Sequence[AuditEntry]) -> Board | None:
        """Have a board frozen at an instant: `commit` takes nothing that was accepted later until it is.

        Its `revision` rises. None, and nothing done, where there is no such board, it is frozen, or that is when it
        will be.
        """

    async def reveal_board(self, board_id: str, now: int, entries: Sequence[AuditEntry]) -> Board | None:
        """Show a board as it is, and write the audit entries; what has moved since it was frozen is in the outbox.

        Its `revision` rises. A freeze that was to come is called off. None, and nothing done, where there is neither.
        """


class Submissions(Protocol):
    """The submission path's transaction, and what can be read and undone of it."""

    async def commit(self, boards: Sequence[Board], batch: Sequence[Submission], now: int) -> Committal:
        """Store a batch in one transaction; `boards[i]` is the board of `batch[i]`.

        At most one submission per (board, player). Of each: the action id is taken, the history row written, and, if
        accepted, the standing of each period folded (from the history where it is not the newest) and its revision
        raised. A taken action id gives the stored outcome (`repeat`). Rejected here, with nothing stored:
        `player_banned`, `score_out_of_range`, `not_found` where the player is unknown and may not be created, and
        `unavailable` where an accepted or held one was judged by other settings than the board now has (`boards[i]`
        has another `revision`), or the board should be frozen by the time it was accepted: it may be judged again.

        On a frozen board standings move unseen: a submission has no `changes`, but for those of a new name.
        """

    async def outcome(self, action_id: str) -> Committed | None:
        """The stored outcome of an action id, as a repeat."""

    async def claim(self, idempotency_key: str, fingerprint: bytes, kept_until: int) -> bool:
        """Take a key for one request, until then; False where another request took it before."""

    async def submission(self, submission_id: str) -> HistoryItem | None:
        """One submission."""

    async def void(
        self, board: Board, submission_id: str, periods: Sequence[BoardPeriod], entries: Sequence[AuditEntry]
    ) -> Voided | None:
        """Take a counted submission out of the standings of `periods`, which are refolded, and write the audit entries.

        The last one's is the instant. None where there is no such submission. One already voided or never counted
        changes nothing. Raises Unavailable where the stored board has another `revision` by now, and with it perhaps
        other periods.
        """

    async def sweep(self, now: int) -> int:
        """Forget action ids and keys kept until before the instant, and expired sessions; returns how many.

        Done in bounded steps.
        """

    async def history(
        self,
        board: str,
        player_id: str,
        before: str | None,
        limit: int,
        *,
        counted_only: bool = False,
        frozen: bool = False,
    ) -> tuple[HistoryItem, ...]:
        """The player's submissions on a board, newest first, those older than the submission id `before`.

        With `frozen`, of a board that is, those that there were then, as they were.
        """


class Retention(Protocol):
    """Forgetting what is too old."""

    async def forget_history(self, before: int) -> int:
        """Forget the submissions of whole months, in UTC, before the instant, but for what they came to.

        A month with a score that waits for a decision is kept, and all after it. What is forgotten can be neither read
        nor voided; what would be counted there is rejected: `period_closed`. A window that a board gets later begins
        with what is kept. Returns how many rows were deleted one by one.
        """


class Standings(Protocol):
    """Reads from the truth: what the ranking is rebuilt from and checked against. Of a frozen board, what is shown."""

    async def projections(self, touched: Sequence[Touched]) -> tuple[Projection, ...]:
        """These standings as they are now; unknown ones are left out."""

    async def standings_of(self, period: BoardPeriod, after: str | None, limit: int) -> tuple[Projection, ...]:
        """The period's standings in the byte order of player ids, those after the player `after`.

        Also those that must not be seen: a ranking made of them refuses what is older.
        """

    async def refolded(self, board: Board, period: BoardPeriod, after: str | None, limit: int) -> tuple[Refolded, ...]:
        """The period's standings beside their histories, by player as above; nothing is changed.

        What a frozen board keeps from view is looked at too, and what is shown instead is not. A period that ended
        before what is kept of the history has none.
        """

    async def digest(self, period: BoardPeriod) -> tuple[int, int]:
        """Number of visible standings and the sum of their scores."""

    async def page(self, board: Board, period: BoardPeriod, limit: int, *, latest: bool = False) -> Page:
        """The period's first rows straight from the database, marked stale; the `latest`, whatever a standby has."""

    async def periods(self, board: str, *, everything: bool = False) -> tuple[BoardPeriod, ...]:
        """Every period of the board that has a standing, by window and period.

        Of a frozen board those that all may know of, unless `everything` is asked for.
        """

    async def next_epoch(self, period: BoardPeriod) -> int:
        """Issue an epoch for a rebuild of the period: higher than every one issued before for any period."""

    async def confirm_epoch(self, period: BoardPeriod, epoch: int, home: str) -> bool:
        """From now on the period's ranking is the one built under this epoch in that place.

        False, and nothing changed, where one of a higher epoch stands.
        """

    async def confirmed_epoch(self, period: BoardPeriod) -> Confirmed | None:
        """The ranking that stands for the period."""


class Outbox(Protocol):
    """Standings committed but perhaps not yet projected."""

    async def take_outbox(self, now: int, before: int, limit: int, lease_s: float) -> tuple[OutboxRow, ...]:
        """Rows committed before the instant that nobody else has taken, oldest first; the caller's for `lease_s`."""

    async def settle(self, outbox_ids: Sequence[int], epochs: Mapping[BoardPeriod, int]) -> None:
        """Delete rows whose standings have been projected to rankings of these epochs.

        None of them where one of the rankings no longer stands: it is not known what the next one has of them.
        """

    async def backlog(self) -> Backlog:
        """How much is not settled."""


class Storage(
    Players, Sessions, Keys, Boards, Submissions, Retention, Standings, Outbox, Oversight, Webhooks, Protocol
):
    """The whole system of record."""

    kind: Literal["sqlite", "postgres"]

    @property
    def is_up(self) -> bool:
        """Whether the database answered the last time it was asked."""

    async def ping(self) -> None:
        """Answer if the database can be read and written; raises Unavailable."""

    async def close(self) -> None:
        """Finish what runs and let go of the database."""
