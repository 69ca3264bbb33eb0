"""From a judged submission to a moved board, on the real storage and ranking."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from scoreboard.admission.memory import MemoryAdmissions
from scoreboard.boards import Boards
from scoreboard.clock import SECOND, SystemClock, uuid7
from scoreboard.metrics import Metrics
from scoreboard.model import BoardPeriod, BoardSettings, Submission
from scoreboard.pipeline import Commit, Hidden, Judged, Outbox, Pipeline, Publish, Rank, Rebuilder
from scoreboard.pipeline.publish import Submitted
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.storage.base import Committal
from scoreboard.storage.sqlite import SqliteStorage
from scoreboard.tasks import Tasks

MAIN = BoardPeriod("main", "all", "all")


class World:
    """A pipeline and the parts it is made of."""

    def __init__(self, storage: SqliteStorage, submitted: Submitted) -> None:
        self.storage = storage
        self.clock = SystemClock()
        self.tasks = Tasks()
        self.boards = Boards(storage, self.clock)
        self.ranking = MemoryRanking(self.boards.settings, lambda _: None)
        self.rebuilder = Rebuilder(storage, self.ranking, self.tasks)
        self.outbox = Outbox(storage, self.ranking, self.rebuilder, self.clock, after_s=0)
        self.rank = Rank(
            self.ranking, self.rebuilder, self.boards, self.outbox, Hidden(storage, self.ranking, self.boards)
        )
        commit = Commit(storage, MemoryAdmissions(self.clock, 0), self.boards, self.clock, timeout_s=10)
        self.pipeline = Pipeline(
            commit, self.rank, Publish(submitted), self.tasks, Metrics(), batch_max=100, queue_max=1000
        )

    def judged(self, player_id: str, score: int, board_id: str = "main") -> Judged:
        """A judged score."""
        at = self.clock.now()
        board, period = self.boards.get(board_id), BoardPeriod(board_id, "all", "all")
        submission = Submission(
            uuid7(at), uuid7(at), at + SECOND, player_id, board_id, score, (), at, (period,), creates_player=True
        )
        return Judged(board, submission)

    async def scores(self) -> list[tuple[str, int]]:
        """What the board shows."""
        return [(row.player_id, row.score) for row in (await self.ranking.top(MAIN, 100)).rows]


@asynccontextmanager
async def world(folder: Path, submitted: Submitted = lambda *_: None) -> AsyncIterator[World]:
    storage = await SqliteStorage.open(folder / "scoreboard.db")
    world = World(storage, submitted)
    await world.boards.open({"main": BoardSettings(operator="sum")})
    yield world
    await world.pipeline.drained()
    await world.tasks.cancel()
    await storage.close()


async def test_the_first_score_of_a_period_that_is_not_loaded_is_placed(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        done = await w.pipeline.put(w.judged("ada", 5))
        assert done.placing is not None
        assert (done.outcome.score, done.placing.position) == (5, 1)


async def test_a_fault_after_the_commit_is_no_fault_of_the_score(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("nobody listens")

    async with world(tmp_path, fail) as w:
        done = await w.pipeline.put(w.judged("ada", 5))
        assert (done.outcome.status, done.outcome.repeat, done.placing) == ("accepted", False, None)
        assert len(await w.storage.history("main", "ada", None, 10)) == 1
    assert "nobody listens" in caplog.text


async def test_a_restart_finds_every_standing_though_the_outbox_was_not_settled(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.pipeline.put(w.judged("ada", 5))
        await w.pipeline.put(w.judged("bob", 7))
    async with world(tmp_path) as w:
        await w.rebuilder.ensure(MAIN)
        assert await w.scores() == [("bob", 7), ("ada", 5)]
        await w.outbox.sweep()
        assert await w.scores() == [("bob", 7), ("ada", 5)]


async def test_a_score_whose_board_is_frozen_or_revealed_just_then_is_counted_all_the_same(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        before, other = w.judged("ada", 5), w.judged("bob", 1)
        assert await w.storage.freeze_board("main", w.clock.now(), []) is not None  # as another server does
        done = await w.pipeline.put(before)
        assert (done.outcome.status, done.outcome.score, done.placing) == ("accepted", 5, None)
        assert await w.storage.standings_of(MAIN, None, 10) == ()
        assert await w.storage.reveal_board("main", w.clock.now(), []) is not None
        assert (await w.pipeline.put(other)).outcome.status == "accepted"
        assert len(await w.storage.standings_of(MAIN, None, 10)) == 2


@pytest.mark.parametrize(
    ("where", "late"), [("commit", "outcome_unknown"), ("committed", "outcome_unknown"), ("boards", "unavailable")]
)
async def test_what_was_committed_is_answered_so_whatever_fails_for_those_whose_board_was_frozen_just_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, where: str, late: str
) -> None:
    async with world(tmp_path) as w:
        await w.boards.put("other", BoardSettings(operator="sum"), "admin")
        items = [w.judged("ada", 5), w.judged("bob", 7, "other")]
        assert await w.storage.freeze_board("main", w.clock.now(), []) is not None  # as another server does
        commit = w.storage.commit

        async def choke(*batch: Any) -> Committal:
            if len(batch[1]) == 2 or where == "boards":
                return await commit(*batch)
            if where == "committed":
                await commit(*batch)
            raise ValueError("it chokes")

        async def forget() -> None:
            raise ValueError("it chokes")

        monkeypatch.setattr(w.storage, "commit", choke)
        if where == "boards":
            monkeypatch.setattr(w.boards, "refresh", forget)
        ada, bob = await asyncio.gather(*(w.pipeline.put(judged) for judged in items))
        assert (bob.outcome.status, bob.outcome.code, bob.outcome.repeat) == ("accepted", None, False)
        assert bob.outcome.score == 7
        assert ada.outcome.code == late
        assert "it chokes" in caplog.text
        monkeypatch.undo()
        again = await w.pipeline.put(items[0])
        assert (again.outcome.status, again.outcome.repeat) == ("accepted", where == "committed")


async def test_a_score_that_comes_when_its_board_should_be_frozen_freezes_it(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.boards.freeze("main", "admin", w.clock.now() + 1)
        done = await w.pipeline.put(w.judged("ada", 5))
        assert (done.outcome.status, done.placing) == ("accepted", None)
        assert w.boards.get("main").frozen_at is not None
        assert await w.storage.standings_of(MAIN, None, 10) == ()


async def test_a_score_judged_by_other_settings_may_come_again(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        judged = w.judged("ada", 5)
        await w.boards.put("main", BoardSettings(operator="sum", max_score=3), "admin")
        done = await w.pipeline.put(judged)
        assert (done.outcome.status, done.outcome.code) == ("rejected", "unavailable")
        await w.boards.freeze("main", "admin")
        assert (await w.pipeline.put(judged)).outcome.code == "unavailable"
