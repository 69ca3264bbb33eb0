"""What was stored before a batch: everything its submissions are decided by, read in one statement or two."""

import sqlite3
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import msgspec

from scoreboard.fold import Counted, Standing, is_newest
from scoreboard.model import Board, Submission
from scoreboard.storage.sqlite.actions import Taken, decode_taken
from scoreboard.storage.sqlite.ledger import History, Named, counted_by, decode_stored, read_counted
from scoreboard.storage.sqlite.statements import encode, fetch


class Before(NamedTuple):
    """A standing before the batch. `late` is what counts in it, read where the submission is not the newest of all."""

    revision: int = 0
    standing: Standing | None = None
    late: History | None = None


_NONE = Before()
_named = msgspec.json.Decoder(list[Named])
_revisions = msgspec.json.Decoder(dict[str, int])


class Known:
    """Taken action ids, players and the revisions of boards by id, and the standings of each submission.

    `counted` holds the submissions of the batch as the fold sees them; what was counted before `horizon` is not kept.
    """

    def __init__(self, connection: sqlite3.Connection, boards: Sequence[Board], batch: Sequence[Submission]) -> None:
        parameters = {
            "actions": encode([item.action_id for item in batch]),
            "players": encode(list({item.player_id: None for item in batch})),
            "standings": encode([(*period, item.player_id) for item in batch for period in item.periods]),
            "boards": encode(list({item.board: None for item in batch})),
        }
        [(taken, players, standings, revisions, self.horizon)] = fetch(connection, "read_batch", parameters)
        self.taken: dict[str, Taken] = {row.action_id: row for row in decode_taken(taken)}
        self.players: dict[str, Named] = {row.id: row for row in _named.decode(players)}
        self.revisions: dict[str, int] = _revisions.decode(revisions)
        self.counted = [Counted(item.accepted_at, item.id, item.score, item.tiebreakers) for item in batch]
        # The periods of all submissions in one row; those of the i-th begin at the i-th offset.
        self._offsets = [0, *accumulate(len(item.periods) for item in batch)]
        self._before = [_NONE] * self._offsets[-1]
        for row in decode_stored(standings):
            self._before[row.index] = Before(row.revision, row.standing)
        self._read_late(connection, boards, batch)

    def before(self, i: int) -> Sequence[Before]:
        """What stood in each period of the i-th submission."""
        return self._before[self._offsets[i] : self._offsets[i + 1]]

    def _read_late(self, connection: sqlite3.Connection, boards: Sequence[Board], batch: Sequence[Submission]) -> None:
        late = [
            (i, place)
            for i, item in enumerate(batch)
            for place in range(self._offsets[i], self._offsets[i + 1])
            if item.status == "accepted" and not is_newest(self._before[place].standing, self.counted[i])
        ]
        if not late:
            return
        asked = [
            counted_by(boards[i], batch[i].periods[place - self._offsets[i]], batch[i].player_id) for i, place in late
        ]
        for (_, place), counted in zip(late, read_counted(connection, asked), strict=True):
            self._before[place] = self._before[place]._replace(late=counted)
