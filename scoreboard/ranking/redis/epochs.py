"""Under which epoch each period's ranking stands, as the database says: asked once, until there is a doubt."""

from scoreboard.model import BoardPeriod
from scoreboard.ranking.base import Epochs, NotLoaded
from scoreboard.redis import Keys, Server

MAX_KNOWN = 10_000
"""Periods remembered; at that number all are forgotten and asked for again."""


class KnownEpochs:
    """The confirmed epochs of rankings that are in the Redis process which answers now."""

    def __init__(self, epochs: Epochs, server: Server, keys: Keys) -> None:
        self._epochs = epochs
        self._server = server
        self._keys = keys
        self._known: dict[BoardPeriod, int] = {}
        server.on_move(self._known.clear)  # another process may hold an older copy, or nothing

    def known(self, period: BoardPeriod) -> int | None:
        """The epoch if it was asked for before."""
        return self._known.get(period)

    async def of(self, period: BoardPeriod) -> int:
        """The epoch. Raises NotLoaded where no ranking stands in this process, Unavailable."""
        epoch = self._known.get(period)
        if epoch is not None:
            return epoch
        home = await self._server.home(self._keys.ranking(period))
        confirmed = await self._epochs.confirmed_epoch(period)
        if confirmed is None or confirmed[1] != home:
            raise NotLoaded(period)
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[period] = confirmed[0]
        return confirmed[0]

    async def again(self, period: BoardPeriod, wrong: int) -> int:
        """The epoch, after the ranking of another one was not there. Raises NotLoaded where it is the same."""
        self.forget(period)
        epoch = await self.of(period)
        if epoch == wrong:
            self.forget(period)
            raise NotLoaded(period)
        return epoch

    async def confirm(self, period: BoardPeriod, epoch: int) -> bool:
        """Say that the ranking of this epoch stands; False where one of a higher epoch does."""
        home = await self._server.home(self._keys.ranking(period))
        self.forget(period)
        return await self._epochs.confirm_epoch(period, epoch, home)

    def forget(self, period: BoardPeriod) -> None:
        """Ask again next time."""
        self._known.pop(period, None)
