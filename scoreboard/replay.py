"""Plays a recorded contest into a running server and compares the standings it ends with."""

import asyncio
import time
from collections.abc import Callable, Iterable
from itertools import islice, takewhile

from msgspec import Struct
from msgspec.structs import replace

from scoreboard.client import Client
from scoreboard.clock import MILLISECOND, SECOND, rfc3339
from scoreboard.contest import Contest, Difference, Event, Retraction, Unusable, differences
from scoreboard.errors import BadRequest, NotFound
from scoreboard.wire import BatchItem, BatchItemOut

BATCH_ITEMS = 1000
"""Scores posted in one call, at most."""

EXCHANGES_AT_ONCE = 16

CONTEST_BEGINS = 1_577_836_800 * SECOND
"""The instant of `t_ms` 0, 2020-01-01T00:00:00Z: the same in every replay, so that repeating one changes nothing."""

Scored = tuple[str, str, int, int]


class Outcome(Struct, frozen=True):
    """How a replay went. `is_complete` is false where it was stopped; then nothing was compared.

    `nameless` counts players whose name the server refused; they are on the boards under their ids.
    """

    events: int
    retractions: int
    seconds: float
    is_complete: bool
    nameless: int
    differences: tuple[Difference, ...]


class Replay:
    """One contest on its way into one server.

    `speed` is how many times faster than recorded, 0 for as fast as it goes. `suffix` is added to the boards' ids
    and titles. `resume` goes on with an interrupted replay of the same log by the same key: what was posted is not
    counted again.
    `progress` is called with the number of events just posted. Once `stop` is set, the batch on its way is finished
    and nothing more is begun.
    """

    def __init__(
        self,
        client: Client,
        contest: Contest,
        *,
        speed: float = 0.0,
        suffix: str = "",
        resume: bool = False,
        scores_only: bool = False,
        stop: asyncio.Event | None = None,
        progress: Callable[[int], None] = lambda count: None,
    ) -> None:
        self._client = client
        self._contest = contest
        self._speed = speed
        self._suffix = suffix
        self._resume = resume
        self._scores_only = scores_only
        self._stop = stop or asyncio.Event()
        self._progress = progress
        self._posted = 0
        self._voided = 0
        self._wanted = {_withdrawn(retraction) for retraction in contest.retractions}
        self._found: dict[Scored, list[str]] = {}

    async def run(self) -> Outcome:
        """Make the boards, bring the players, post the scores, withdraw what was withdrawn, and compare.

        Raises Unusable where the log cannot be replayed here, and the server's own errors.
        """
        self._check_retractions()
        await self._make_boards()
        nameless = await self._bring_players()
        seconds = await self._post()
        complete = self._posted == len(self._contest.events) and self._voided == len(self._contest.retractions)
        found = await self._compare() if complete and self._contest.is_judged else ()
        return Outcome(self._posted, self._voided, seconds, complete, nameless, found)

    def _check_retractions(self) -> None:
        missing = self._wanted - {_scored(event) for event in self._contest.events}
        if missing:
            player, board, score, t_ms = min(missing)
            raise Unusable(f"a retraction names an event that is not in the log: {player} {score} on {board} at {t_ms}")

    async def _make_boards(self) -> None:
        if not self._resume:
            for official in self._contest.officials:
                await self._check_empty(official.board + self._suffix)
        for official in self._contest.officials:
            settings = replace(official.settings, title=(official.settings.title or official.board) + self._suffix)
            await self._client.put_board(official.board + self._suffix, settings)

    async def _check_empty(self, board: str) -> None:
        try:
            total = (await self._client.top(board, 1)).total
        except NotFound:
            return
        if total:
            raise Unusable(
                f"board {board!r} has scores of {total} players already: go on with an interrupted replay by --resume, "
                "or give the boards other names by --suffix"
            )

    async def _bring_players(self) -> int:
        names = {event.player: event.name or event.player for event in self._contest.events}
        gate = asyncio.Semaphore(EXCHANGES_AT_ONCE)
        refused = await asyncio.gather(*(self._bring(gate, player, name) for player, name in names.items()))
        return sum(refused)

    async def _bring(self, gate: asyncio.Semaphore, player: str, name: str) -> bool:
        """Whether the player had to be brought without the name."""
        async with gate:
            if self._stop.is_set():
                return False
            try:
                await self._client.exchange(player, name)
            except BadRequest:
                await self._client.exchange(player)
                return True
            return False

    async def _post(self) -> float:
        began = time.monotonic()
        while (next_ms := self._next_ms()) is not None:
            await self._until(began, next_ms)
            if self._stop.is_set():
                break
            if due := self._due(began):
                await self._post_events(due)
            else:
                await self._void(self._contest.retractions[self._voided])
        return time.monotonic() - began

    def _next_ms(self) -> int | None:
        """The time of the first event or retraction still to come."""
        upcoming = [
            *(event.t_ms for event in islice(self._contest.events, self._posted, self._posted + 1)),
            *(one.t_ms for one in islice(self._contest.retractions, self._voided, self._voided + 1)),
        ]
        return min(upcoming, default=None)

    async def _until(self, began: float, t_ms: int) -> None:
        """Return when it is time, or at once when stopped."""
        if self._speed <= 0:
            return
        wait_s = began + t_ms / 1000 / self._speed - time.monotonic()
        if wait_s > 0:
            try:
                await asyncio.wait_for(self._stop.wait(), wait_s)
            except TimeoutError:
                return

    def _due(self, began: float) -> list[Event]:
        """Up to a batch of events whose time has come and that lie before the next retraction."""
        events, retractions = self._contest.events, self._contest.retractions
        until_ms = (time.monotonic() - began) * 1000 * self._speed if self._speed > 0 else events[-1].t_ms
        until_ms = max(until_ms, self._next_ms() or 0)
        if self._voided < len(retractions):
            until_ms = min(until_ms, retractions[self._voided].t_ms)
        batch = islice(events, self._posted, self._posted + BATCH_ITEMS)
        return list(takewhile(lambda event: event.t_ms <= until_ms, batch))

    async def _post_events(self, events: list[Event]) -> None:
        outcomes = await self._client.batch(
            [self._item(number, event) for number, event in enumerate(events, self._posted)]
        )
        self._check_accepted(outcomes)
        for event, outcome in zip(events, outcomes, strict=True):
            if _scored(event) in self._wanted and isinstance(outcome.submission_id, str):
                self._found.setdefault(_scored(event), []).append(outcome.submission_id)
        self._posted += len(events)
        self._progress(len(events))

    def _item(self, number: int, event: Event) -> BatchItem:
        board = event.board + self._suffix
        return BatchItem(
            id=f"{self._contest.digest}:{number}:{board}",
            player_id=event.player,
            board=board,
            score=event.score,
            at=rfc3339(CONTEST_BEGINS + event.t_ms * MILLISECOND),
        )

    def _check_accepted(self, outcomes: Iterable[BatchItemOut]) -> None:
        for number, outcome in enumerate(outcomes, self._posted):
            if outcome.status != "accepted":
                why = outcome.title or outcome.code or outcome.status
                raise Unusable(f"the server did not take event {number + 1} ({outcome.player_id}): {why}")

    async def _void(self, retraction: Retraction) -> None:
        submission_id = self._found[_withdrawn(retraction)].pop(0)
        await self._client.void(submission_id, retraction.reason[:512])
        self._voided += 1

    async def _compare(self) -> tuple[Difference, ...]:
        found: list[Difference] = []
        for official in self._contest.officials:
            rows = [row async for row in self._client.standings(official.board + self._suffix)]
            found += differences(official, rows, scores_only=self._scores_only)
        return tuple(found)


def _scored(event: Event) -> Scored:
    return event.player, event.board, event.score, event.t_ms


def _withdrawn(retraction: Retraction) -> Scored:
    return retraction.player, retraction.board, retraction.score, retraction.event_t_ms
