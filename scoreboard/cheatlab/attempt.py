"""One submission of recorded or generated play."""

from msgspec import Struct

HONEST = "honest"


class Attempt(Struct, frozen=True):
    """A score claimed at an instant, in microseconds, for an action begun before.

    `suspect` is whom it tells about: the player, or the farm that the account is part of; `kind` is what that one is,
    `HONEST` or the name of a cheat.
    """

    suspect: str
    kind: str
    player_id: str
    score: int
    at: int
    started_at: int
    born_at: int | None = None
    network: str = ""
