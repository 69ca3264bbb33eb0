"""What is sent of an event: its name, when it was, and its data, made from what was stored of it.

Players are stored by their ids alone: names are looked up when it is sent, so that no erased player's is kept.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from scoreboard.clock import rfc3339
from scoreboard.events import Parcel
from scoreboard.wire import Output, PeriodTold, PlayerTold, SubmissionTold, TrialTold, told


class Body(Struct, frozen=True):
    """The whole of a message."""

    type: str
    timestamp: str
    data: Output


class Facts(Struct, frozen=True):
    """What the database notes of a submission."""

    submission_id: str
    board: str
    player_id: str
    score: int
    at: int
    by: str | None = None


def players(parcel: Parcel) -> frozenset[str]:
    """Whose names are needed."""
    if told(parcel.event) is not PeriodTold:
        return frozenset()
    return frozenset(row.player_id for row in msgspec.json.decode(parcel.data, type=PeriodTold).rows)


def body(parcel: Parcel, names: Mapping[str, str]) -> bytes:
    """The message as JSON; the same each time, but for names that changed meanwhile."""
    return msgspec.json.encode(Body(parcel.event, rfc3339(parcel.at), _data(parcel, names)))


def _data(parcel: Parcel, names: Mapping[str, str]) -> Output:
    kind = told(parcel.event)
    if kind is SubmissionTold:
        facts = msgspec.json.decode(parcel.data, type=Facts)
        return SubmissionTold(
            submission_id=facts.submission_id,
            board=facts.board,
            player_id=facts.player_id,
            score=facts.score,
            at=rfc3339(facts.at),
            by=facts.by or None,
        )
    if kind is PeriodTold:
        period = msgspec.json.decode(parcel.data, type=PeriodTold)
        return replace(period, rows=tuple(replace(row, name=names.get(row.player_id, "")) for row in period.rows))
    if kind is PlayerTold:
        player = msgspec.json.decode(parcel.data, type=PlayerTold)
        return replace(player, by=player.by or None)
    return TrialTold()
