"""Calls of the ranking's scripts, each with the epoch that its period's ranking stands under."""

import asyncio
from collections.abc import Sequence
from typing import Any

from scoreboard.model import BoardPeriod
from scoreboard.ranking.base import NotLoaded
from scoreboard.ranking.redis.epochs import KnownEpochs
from scoreboard.ranking.redis.scripts import FACTS
from scoreboard.redis import Command, Keys, Script, Server, evaluate
from scoreboard.redis.server import Argument


class Calls:
    """One script call, or several of a kind in one round trip."""

    def __init__(self, server: Server, keys: Keys, epochs: KnownEpochs) -> None:
        self._server = server
        self._keys = keys
        self._epochs = epochs

    async def one(self, script: Script, period: BoardPeriod, *arguments: Argument) -> tuple[int, list[Any]]:
        """The epoch and what the script answers after its 1. Raises NotLoaded, Unavailable."""
        epoch = await self._epochs.of(period)
        answer = await self._server.evaluate(script, [self._keys.ranking(period)], epoch, *arguments)
        if answer[0] == 0:  # another one stands by now, or it is gone
            epoch = await self._epochs.again(period, epoch)
            answer = await self._server.evaluate(script, [self._keys.ranking(period)], epoch, *arguments)
            if answer[0] == 0:
                raise NotLoaded(period)
        return epoch, answer[1:]

    async def each(
        self, script: Script, wanted: Sequence[tuple[BoardPeriod, Sequence[Argument]]]
    ) -> list[tuple[int, list[Any]] | NotLoaded]:
        """The same for many periods, in one round trip; NotLoaded stands for one that has no ranking."""
        epochs: list[int | NotLoaded | None] = [self._epochs.known(period) for period, _ in wanted]
        if None in epochs:
            epochs = list(await asyncio.gather(*(self._epoch(period) for period, _ in wanted)))
        commands = [
            evaluate(script, [self._keys.ranking(period)], epoch if isinstance(epoch, int) else 0, *arguments)
            for epoch, (period, arguments) in zip(epochs, wanted, strict=True)
        ]
        answers = await self._server.call(*commands) if commands else ()
        return [
            await self._checked(script, each, epoch, answer)
            for each, epoch, answer in zip(wanted, epochs, answers, strict=True)
        ]

    async def versions(self, periods: Sequence[BoardPeriod]) -> list[tuple[int, int] | NotLoaded]:
        """Epoch and version of each period."""
        answers = await self.each(FACTS, [(period, ()) for period in periods])
        return [answer if isinstance(answer, NotLoaded) else (answer[0], answer[1][0]) for answer in answers]

    async def send(self, script: Script, period: BoardPeriod, *arguments: Argument) -> Any:
        """The answer of a script that asks for no epoch. Raises Unavailable."""
        return await self._server.evaluate(script, [self._keys.ranking(period)], *arguments)

    async def command(self, *commands: Command) -> list[Any]:
        """The answers of plain commands. Raises Unavailable."""
        return await self._server.call(*commands)

    async def _epoch(self, period: BoardPeriod) -> int | NotLoaded:
        known = self._epochs.known(period)
        if known is not None:
            return known
        try:
            return await self._epochs.of(period)
        except NotLoaded as missing:
            return missing

    async def _checked(
        self, script: Script, wanted: tuple[BoardPeriod, Sequence[Argument]], epoch: Any, answer: list[Any]
    ) -> tuple[int, list[Any]] | NotLoaded:
        if isinstance(epoch, NotLoaded):
            return epoch
        if answer[0] == 1:
            return epoch, answer[1:]
        period, arguments = wanted
        self._epochs.forget(period)
        try:
            return await self.one(script, period, *arguments)
        except NotLoaded as missing:
            self._epochs.forget(period)
            return missing
