"""The ranking as the rest of the server sees it: positions and pages of board periods, made from projections.

A period is *loaded* once it was rebuilt from the database under an epoch. Reads of a period that is not loaded raise
`NotLoaded`; the caller then rebuilds it, or reads from the database. Epoch, version, total and rows of an answer come
from one atomic read.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from scoreboard.model import BoardPeriod, BoardSettings, Page, Placing, Projection


class NotLoaded(Exception):
    """The period has no ranking in this place yet, or lost it."""

    def __init__(self, period: BoardPeriod) -> None:
        super().__init__(str(period))
        self.period = period


class Changed(NamedTuple):
    """Something a viewer can see of the period changed: it now stands at this version."""

    period: BoardPeriod
    epoch: int
    version: int


class Neighbours(Struct, frozen=True):
    """Where a page of standings begins: after this order key, or before it when going back."""

    key: bytes | None = None
    backwards: bool = False


Notify = Callable[[Sequence[Changed]], None]
"""Called once per batch with the periods that changed; must not block."""

SettingsOf = Callable[[str], BoardSettings]
"""The settings of a board by id; raises KeyError where there is none."""

Projections = AsyncIterator[Sequence[Projection]]


class Epochs(Protocol):
    """Which ranking stands for a period, as the database says."""

    async def confirm_epoch(self, period: BoardPeriod, epoch: int, home: str) -> bool:
        """From now on it is the one of this epoch in that place; False where one of a higher epoch stands."""

    async def confirmed_epoch(self, period: BoardPeriod) -> tuple[int, str] | None:
        """Its epoch and place."""


class Ranking(Protocol):
    """Order-statistics over board periods. Callers name boards that exist; everything else is data."""

    async def claim(self, period: BoardPeriod) -> bool:
        """Become the one that loads the period, for as long as that takes; False while another server does it."""

    async def load(self, period: BoardPeriod, epoch: int, pages: Projections) -> None:
        """Rebuild the period from all its standings under a new epoch; live projections are admitted meanwhile.

        Readers see the old state, or NotLoaded, until it is complete.
        """

    async def loaded(self, period: BoardPeriod) -> bool:
        """Whether the period can be read."""

    async def drop(self, period: BoardPeriod) -> None:
        """Forget the period, and loads of it that run."""

    async def periods(self, board: str) -> tuple[BoardPeriod, ...]:
        """The board's periods that are loaded or building."""

    async def project(
        self, batch: Sequence[Projection], wanted: Sequence[int] | None = None
    ) -> tuple[Placing | None, ...]:
        """Take standings in, idempotently; tells subscribers once. Answers where the players stand afterwards.

        That is, one placing for each of the places of the batch that are `wanted`, in their order: all unless told.
        All of the batch is applied before any placing is read. A projection of a period that is not loaded (or
        building) is kept for the load if one is running, otherwise ignored; its placing is None.
        """

    async def rename(self, player_id: str, name: str, name_revision: int) -> None:
        """Show another name everywhere; a lower revision than the one known is refused."""

    async def touch(self, board: str) -> None:
        """Raise the version of the board's loaded periods, because something else a viewer sees of them changed."""

    def watch(self, period: BoardPeriod) -> None:
        """Notify of every change of the period from now on, also of those made by other servers."""

    def unwatch(self, period: BoardPeriod) -> None:
        """Once less; a period watched twice must be unwatched twice."""

    async def version(self, period: BoardPeriod) -> tuple[int, int]:
        """Epoch and version."""

    async def top(self, period: BoardPeriod, limit: int) -> Page:
        """The first `limit` rows."""

    async def page(self, period: BoardPeriod, start: Neighbours, limit: int) -> Page:
        """Up to `limit` rows, best first, after (or, going back, just before) an order key."""

    async def around(self, period: BoardPeriod, player_id: str, k: int) -> Page:
        """`k` rows above the player, the player, `k` below, shifted at the edges so that min(2k+1, total) come back.

        Empty rows where the player is not on the board.
        """

    async def rows_of(self, period: BoardPeriod, player_ids: Sequence[str]) -> Page:
        """The rows of these players, best first; those not on the board are left out."""

    async def placings(self, period: BoardPeriod, player_ids: Sequence[str]) -> tuple[Placing, ...]:
        """Where these players stand, in the order given."""

    async def placing_of_score(self, period: BoardPeriod, score: int, tiebreakers: Sequence[int]) -> Placing:
        """Position and rank that a new standing with this score would take, ahead of those equal to it in both."""

    async def digest(self, period: BoardPeriod) -> tuple[int, int]:
        """Number of visible standings and the sum of their scores, to compare with the database."""

    async def close(self) -> None:
        """Let go of everything."""
