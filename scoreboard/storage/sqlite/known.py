"""What was stored before a batch: everything its submissions are decided by, read in one statement or two."""

import sqlite3
from collections.abc import Sequence

import msgspec

from scoreboard.fold import Counted, Standing, is_newest
from scoreboard.model import Board, Submission
from scoreboard.storage.sqlite.actions import Taken, decode_taken
from scoreboard.storage.sqlite.ledger import Named, Stored, counted_by, decode_stored, read_counted
from scoreboard.storage.sqlite.statements import encode, fetch

_named = msgspec.json.Decoder(list[Named])


class Known:
    """Taken action ids and players by id, and the standings by (i, j): the j-th period of the i-th submission.

    `late` holds, by (i, j), what is counted in a standing that has a newer submission than the one in the batch.
    """

    def __init__(self, connection: sqlite3.Connection, boards: Sequence[Board], batch: Sequence[Submission]) -> None:
        places = [(i, j) for i, item in enumerate(batch) for j in range(len(item.periods))]
        parameters = {
            "actions": encode([item.action_id for item in batch]),
            "players": encode(list({item.player_id: None for item in batch})),
            "standings": encode([(*batch[i].periods[j], batch[i].player_id) for i, j in places]),
        }
        [(taken, players, standings)] = fetch(connection, "read_batch", parameters)
        self.taken: dict[str, Taken] = {row.action_id: row for row in decode_taken(taken)}
        self.players: dict[str, Named] = {row.id: row for row in _named.decode(players)}
        self._stored: dict[tuple[int, int], tuple[Stored, Standing | None]] = {
            places[row.index]: (row, row.standing()) for row in decode_stored(standings)
        }
        self.late = self._read_late(connection, boards, batch)

    def standing(self, i: int, j: int) -> Standing | None:
        """The standing before the batch; None where nothing was counted."""
        stored = self._stored.get((i, j))
        return None if stored is None else stored[1]

    def revision(self, i: int, j: int) -> int:
        """The standing's revision, 0 where it is new."""
        stored = self._stored.get((i, j))
        return 0 if stored is None else stored[0].revision

    def _read_late(
        self, connection: sqlite3.Connection, boards: Sequence[Board], batch: Sequence[Submission]
    ) -> dict[tuple[int, int], list[Counted]]:
        places = [
            (i, j)
            for i, j in self._stored
            if batch[i].status == "accepted" and not is_newest(self.standing(i, j), counted_as(batch[i]))
        ]
        if not places:
            return {}
        asked = [counted_by(boards[i], batch[i].periods[j], batch[i].player_id) for i, j in places]
        return dict(zip(places, read_counted(connection, asked), strict=True))


def counted_as(item: Submission) -> Counted:
    """A submission as the fold sees it."""
    return Counted(item.accepted_at, item.id, item.score, item.tiebreakers)
