"""The ranking in Redis: sorted sets kept by scripts, one call and one atomic answer for each question."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from scoreboard.model import BoardPeriod, Page, Placing, Projection
from scoreboard.ranking.base import Changed, Epochs, Neighbours, Notify, NotLoaded, Projections, SettingsOf
from scoreboard.ranking.redis.calls import Calls
from scoreboard.ranking.redis.epochs import KnownEpochs
from scoreboard.ranking.redis.loading import Loader
from scoreboard.ranking.redis.members import Keyed, Members, members_of
from scoreboard.ranking.redis.scripts import DROP, FACTS, PLAYERS, PROJECT, RANGE, RENAME, SCORE, TOUCH
from scoreboard.ranking.redis.watch import Watch
from scoreboard.redis import Command, Keys, Script, Server, Subscriber
from scoreboard.redis.server import Argument

HALF = 2**26
"""By what the sum of scores is kept in two parts."""


class RedisRanking:
    """`scoreboard.ranking.base.Ranking`. Every method may raise Unavailable too.

    `boards` gives the ids of all boards. `notify` hears of what is changed here, and of watched periods whoever changed
    them.
    """

    def __init__(
        self,
        server: Server,
        subscriber: Subscriber,
        keys: Keys,
        settings_of: SettingsOf,
        notify: Notify,
        epochs: Epochs,
        boards: Callable[[], Sequence[str]],
    ) -> None:
        self._keys = keys
        self._settings_of = settings_of
        self._boards = boards
        known = KnownEpochs(epochs, server, keys)
        self._calls = Calls(server, keys, known)
        self._loader = Loader(self._calls, known, keys)
        self._watch = Watch(server, subscriber, keys, self._calls, notify)
        self.watch = self._watch.add
        self.unwatch = self._watch.remove
        self.keep_watch = self._watch.run
        self.claim = self._loader.claim

    # Loading

    async def load(self, period: BoardPeriod, epoch: int, pages: Projections) -> None:
        """Rebuild the period from all its standings under a new epoch; of two loads the higher epoch stays."""
        settings = self._settings_of(period.board)
        changed = await self._loader.load(period, epoch, settings, pages)
        if changed is not None:
            self._watch.saw([changed])

    async def loaded(self, period: BoardPeriod) -> bool:
        """Whether the period can be read."""
        try:
            await self.version(period)
        except NotLoaded:
            return False
        return True

    async def drop(self, period: BoardPeriod) -> None:
        """Forget the period, and loads of it that run."""
        place = self._keys.periods(period.board)
        await self._calls.send(DROP, period)
        await self._calls.command(Command(("SREM", place, f"{period.window}/{period.period}"), place))
        self._watch.lost(period)

    async def periods(self, board: str) -> tuple[BoardPeriod, ...]:
        """The board's periods that are loaded or building."""
        place = self._keys.periods(board)
        [found] = await self._calls.command(Command(("SMEMBERS", place), place))
        return tuple(BoardPeriod(board, *name.decode().split("/")) for name in found)

    # Writing

    async def project(
        self, batch: Sequence[Projection], wanted: Sequence[int] | None = None
    ) -> tuple[Placing | None, ...]:
        """Take standings in and answer where the players, or those wanted, stand after the whole batch."""
        asked = range(len(batch)) if wanted is None else wanted
        rows: dict[BoardPeriod, list[Projection]] = defaultdict(list)
        row_of: list[int] = []
        for each in batch:
            row_of.append(len(rows[each.period]))
            rows[each.period].append(each)
        places: dict[BoardPeriod, list[int]] = {period: [] for period in rows}
        for index in asked:
            places[batch[index].period].append(index)
        calls = [
            (period, self._projection(period, some, [row_of[index] for index in places[period]]))
            for period, some in rows.items()
        ]
        found: dict[int, Placing] = {}
        changes: list[Changed] = []
        renamed: list[Changed] = []
        for (period, _), answer in zip(calls, await self._calls.each(PROJECT, calls), strict=True):
            if isinstance(answer, NotLoaded):
                self._watch.lost(period)
                continue
            epoch, (version, changed, placings, names) = answer
            if changed:
                changes.append(Changed(period, epoch, version))
            for place in names:
                renamed += await self._rename(rows[period][place])
            members = self._members(period)
            for index, placing in zip(places[period], placings, strict=True):
                found[index] = _placing(members, epoch, version, placing)
        self._watch.saw([*changes, *renamed])
        for period in {change.period for change in renamed} & places.keys():  # the name is a part of the batch too
            players = [batch[index].player_id for index in places[period]]
            found.update(zip(places[period], await self.placings(period, players), strict=True))
        return tuple(found.get(index) for index in asked)

    async def rename(self, player_id: str, name: str, name_revision: int) -> None:
        """Show another name everywhere, unless a newer one is known."""
        self._watch.saw(await self._everywhere(RENAME, self._boards(), player_id, name, name_revision))

    async def touch(self, board: str) -> None:
        """Raise the version of the board's loaded periods."""
        self._watch.saw(await self._everywhere(TOUCH, [board]))

    def _projection(self, period: BoardPeriod, rows: Sequence[Projection], wanted: Sequence[int]) -> Sequence[Argument]:
        members = self._members(period)
        return members.ties, self._keys.changed(period), members.packed(rows), msgspec.msgpack.encode(wanted)

    async def _rename(self, shown: Projection) -> list[Changed]:
        """A name that came with a standing is shown in all other periods too."""
        return await self._everywhere(RENAME, self._boards(), shown.player_id, shown.name, shown.name_revision)

    async def _everywhere(self, script: Script, boards: Sequence[str], *arguments: Argument) -> list[Changed]:
        """Run a script on all periods of some boards; what it changed."""
        places = [self._keys.periods(board) for board in boards]
        sets = await self._calls.command(*(Command(("SMEMBERS", place), place) for place in places)) if places else []
        periods = [
            BoardPeriod(board, *name.decode().split("/"))
            for board, names in zip(boards, sets, strict=True)
            for name in names
        ]
        calls = [(period, (self._keys.changed(period), *arguments)) for period in periods]
        return [
            Changed(period, answer[0], answer[1][0])
            for period, answer in zip(periods, await self._calls.each(script, calls), strict=True)
            if not isinstance(answer, NotLoaded) and answer[1][1]
        ]

    # Reading

    async def version(self, period: BoardPeriod) -> tuple[int, int]:
        """Epoch and version; without asking, where they are followed."""
        known = self._watch.known(period)
        if known is not None:
            return known
        epoch, (version, *_) = await self._one(FACTS, period)
        self._watch.saw([Changed(period, epoch, version)], tell=False)
        return epoch, version

    async def top(self, period: BoardPeriod, limit: int) -> Page:
        """The first `limit` rows."""
        return await self._range(period, "top", limit)

    async def page(self, period: BoardPeriod, start: Neighbours, limit: int) -> Page:
        """Up to `limit` rows, best first, after an order key or, going back, just before it."""
        if start.key is None:
            return await self._range(period, *(("before", limit, "", "") if start.backwards else ("top", limit)))
        score, member = self._members(period).split(start.key)
        return await self._range(period, "before" if start.backwards else "after", limit, score, member)

    async def around(self, period: BoardPeriod, player_id: str, k: int) -> Page:
        """The player's row with `k` rows on each side, shifted at the edges."""
        return await self._range(period, "around", k, player_id)

    async def rows_of(self, period: BoardPeriod, player_ids: Sequence[str]) -> Page:
        """The rows of these players, best first."""
        members = self._members(period)
        wanted = msgspec.msgpack.encode(tuple(dict.fromkeys(player_ids)))
        epoch, (version, total, found) = await self._one(PLAYERS, period, members.ties, wanted, 1)
        rows = [
            members.row(position, rank, score, member, name)
            for position, rank, score, member, name in filter(None, found)
        ]
        return _page(period, epoch, version, total, sorted(rows, key=lambda keyed: keyed[0]))

    async def placings(self, period: BoardPeriod, player_ids: Sequence[str]) -> tuple[Placing, ...]:
        """Where these players stand, in the order given."""
        members = self._members(period)
        wanted = msgspec.msgpack.encode(tuple(player_ids))
        epoch, (version, _, found) = await self._one(PLAYERS, period, members.ties, wanted, 0)
        return tuple(_placing(members, epoch, version, placing) for placing in found)

    async def placing_of_score(self, period: BoardPeriod, score: int, tiebreakers: Sequence[int]) -> Placing:
        """Where a new standing with this score would stand, ahead of its equals."""
        text, ties = self._members(period).probe(score, tiebreakers)
        epoch, (version, position, rank) = await self._one(SCORE, period, text, ties)
        return Placing(epoch, version, position, rank, score)

    async def digest(self, period: BoardPeriod) -> tuple[int, int]:
        """Number of visible standings and the sum of their scores."""
        _, (_, total, high, low) = await self._one(FACTS, period)
        return total, self._members(period).score(str(int(high) * HALF + int(low)).encode())

    async def close(self) -> None:
        """Everything is Redis's."""

    async def _one(self, script: Script, period: BoardPeriod, *arguments: Argument) -> tuple[int, list[Any]]:
        """What a script answers; of a ranking that is found to be gone no version is known."""
        try:
            return await self._calls.one(script, period, *arguments)
        except NotLoaded:
            self._watch.lost(period)
            raise

    async def _range(self, period: BoardPeriod, where: str, *arguments: Argument) -> Page:
        members, settings = self._members(period), self._settings_of(period.board)
        epoch, (version, total, first, rank, found, names) = await self._one(
            RANGE, period, members.ties, where, *arguments
        )
        return _page(period, epoch, version, total, members.rows(settings.rank, first, rank, found, names))

    def _members(self, period: BoardPeriod) -> Members:
        return members_of(self._settings_of(period.board))


def _page(period: BoardPeriod, epoch: int, version: int, total: int, keyed: Sequence[Keyed]) -> Page:
    return Page(period, epoch, version, total, tuple(row for _, row in keyed), tuple(key for key, _ in keyed))


def _placing(members: Members, epoch: int, version: int, found: Sequence[Any]) -> Placing:
    if not found:
        return Placing(epoch, version)
    position, rank, score = found
    return Placing(epoch, version, position, rank, members.score(score))
