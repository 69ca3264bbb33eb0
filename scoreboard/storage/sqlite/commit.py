"""The submission path's transaction: read what a batch must know, decide each submission, write it all.

The number of statements does not depend on the size of the batch, because each costs turns at the interpreter lock.
"""

import sqlite3
from collections.abc import Sequence

from msgspec.structs import astuple, replace

from scoreboard.errors import NotFound, PeriodClosed, PlayerBanned, ScoreOutOfRange, Unavailable
from scoreboard.fold import Counted, Standing, fold, fold_one
from scoreboard.model import Board, BoardSettings, Committed, Projection, Submission
from scoreboard.storage.base import Committal
from scoreboard.storage.sqlite.actions import repeated, take
from scoreboard.storage.sqlite.known import Before, Known
from scoreboard.storage.sqlite.ledger import Ledger, Named, encode_tiebreakers
from scoreboard.storage.sqlite.projections import projections_of
from scoreboard.storage.sqlite.statements import encode, execute, write_rows

_STATES = {"accepted": "counted", "held": "held", "rejected": "rejected"}


def commit(connection: sqlite3.Connection, boards: Sequence[Board], batch: Sequence[Submission], now: int) -> Committal:
    """Store a batch inside the transaction that the caller opened; `boards[i]` is the board of `batch[i]`.

    Raises ValueError for two submissions of one player on one board.
    """
    if len({(item.board, item.player_id) for item in batch}) < len(batch):
        raise ValueError("a batch holds at most one submission per board and player")
    draft = _Draft(connection, Known(connection, boards, batch))
    outcomes = [draft.decide(i, board, item) for i, (board, item) in enumerate(zip(boards, batch, strict=True))]
    return Committal(tuple(outcomes), draft.write(now))


class _Draft:
    """What a batch will write, gathered submission by submission."""

    def __init__(self, connection: sqlite3.Connection, known: Known) -> None:
        self._connection = connection
        self._known = known
        self._players: dict[str, Named] = {}
        self._taken: list[tuple[object, ...]] = []
        self._history: list[tuple[object, ...]] = []
        self._reviews: list[tuple[object, ...]] = []
        self._unseen: list[tuple[str, str]] = []
        self._ledger = Ledger()

    def decide(self, i: int, board: Board, item: Submission) -> Committed:
        """The outcome of the i-th submission; what it writes is noted."""
        if (first := self._known.taken.get(item.action_id)) is not None:
            return repeated(first, item)
        player = self._known.players.get(item.player_id)
        if (code := self._refusal(player, board, item)) is not None:
            return _refused(item, code)
        before = self._known.before(i) if item.status == "accepted" else ()
        try:
            standings = [_folded(board.settings, each, self._known.counted[i]) for each in before]
        except ScoreOutOfRange as error:
            return _refused(item, error.code)
        named, renamed = self._named(player, item)
        changes = self._move(board, item, named, before, standings)
        if renamed and not changes:  # where nothing moves that all may see, the name does
            changes = self._show_name(named)
        return self._store(board, item, _outcome(item, before, standings, changes))

    def write(self, now: int) -> int | None:
        """Write everything; the outbox row's id."""
        players = [(*astuple(player), now) for player in self._players.values()]
        write_rows(self._connection, "write_players", players)
        write_rows(self._connection, "write_actions", self._taken)
        write_rows(self._connection, "write_history", self._history)
        write_rows(self._connection, "write_reviews", self._reviews)
        if self._unseen:
            execute(self._connection, "keep_submissions", {"wanted": encode(self._unseen)})
        return self._ledger.write(self._connection, now)

    def _refusal(self, player: Named | None, board: Board, item: Submission) -> str | None:
        if item.status != "rejected" and not self._is_judged_as_now(board, item):
            return Unavailable.code
        if item.accepted_at < self._known.horizon:
            return PeriodClosed.code
        if player is None:
            return None if item.creates_player else NotFound.code
        return PlayerBanned.code if player.status in ("banned", "erased") else None

    def _is_judged_as_now(self, board: Board, item: Submission) -> bool:
        """Whether the board is still the one that is known, and was not to be frozen before."""
        if board.freezes_at is not None and item.accepted_at >= board.freezes_at:
            return False
        return self._known.revisions.get(board.id) == board.revision

    def _named(self, player: Named | None, item: Submission) -> tuple[Named, bool]:
        """The submission's player, created if unknown, and whether the name changed."""
        if player is None:
            player = Named(item.player_id, item.player_name or item.player_id, 1, "active")
            self._known.players[player.id] = self._players[player.id] = player
            return player, False
        renamed = item.creates_player and item.player_name not in (None, player.name) and item.status != "rejected"
        if renamed:
            player.name = item.player_name or player.name
            player.revision += 1
            self._players[player.id] = player
        return player, renamed

    def _move(
        self, board: Board, item: Submission, player: Named, before: Sequence[Before], standings: Sequence[Standing]
    ) -> tuple[Projection, ...]:
        moved = zip(item.periods, before, standings, strict=False)  # a held or rejected one moves none
        if board.frozen_at is not None:
            for period, each, standing in moved:
                self._ledger.put_unseen(board.settings, period, player, standing, each.revision + 1)
            return ()
        return tuple(
            [
                self._ledger.put(board.settings, period, player, standing, each.revision + 1)
                for period, each, standing in moved
            ]
        )

    def _show_name(self, player: Named) -> tuple[Projection, ...]:
        """The player's standings under the new name, though none moved."""
        shown = tuple(
            replace(projection, name=player.name, name_revision=player.revision)
            for projection in projections_of(self._connection, player.id)
        )
        self._ledger.touch(shown)
        return shown

    def _store(self, board: Board, item: Submission, outcome: Committed) -> Committed:
        taken = take(item, outcome)
        self._known.taken[item.action_id] = taken  # the same action id may come again in this batch
        self._taken.append(taken)
        self._history.append(_history_row(item))
        if board.frozen_at is not None:
            self._unseen.append((item.board, item.id))
        if item.status == "held":
            self._reviews.append((item.id, item.board, item.player_id, encode(item.evidence), board.revision))
        return outcome


def _folded(settings: BoardSettings, before: Before, new: Counted) -> Standing:
    """The standing after the submission. Raises ScoreOutOfRange."""
    if before.late is None:
        return fold_one(settings, before.standing, new)
    return fold(settings, sorted([*before.late.submissions, new]), before.late.start) or fold_one(settings, None, new)


def _outcome(
    item: Submission, before: Sequence[Before], standings: Sequence[Standing], changes: tuple[Projection, ...]
) -> Committed:
    if not standings:
        return Committed(item.status, item.id, item.board, item.player_id, code=item.code, changes=changes)
    old, new = before[0].standing, standings[0]
    applied = old is None or (old.score, old.tiebreakers) != (new.score, new.tiebreakers)
    previous = None if old is None else old.score
    return Committed(
        item.status, item.id, item.board, item.player_id, applied, new.score, previous, item.code, changes=changes
    )


def _refused(item: Submission, code: str) -> Committed:
    return Committed("rejected", item.id, item.board, item.player_id, code=code)


def _history_row(item: Submission) -> tuple[object, ...]:
    return (
        item.id,
        item.board,
        item.player_id,
        item.accepted_at,
        item.score,
        encode_tiebreakers(item.tiebreakers),
        _STATES[item.status],
        item.action,
        item.metadata,
        encode(item.evidence) if item.evidence and item.status != "held" else None,
        item.address,
    )
