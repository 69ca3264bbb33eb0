"""What every storage promises of a history whose older part is forgotten: standings go on as if it were there."""

from typing import Any

import pytest

from scoreboard.clock import DAY, SECOND
from scoreboard.errors import Conflict
from scoreboard.model import BoardPeriod
from tests.storage.contract import MAIN, Contract
from tests.storage.world import World

JANUARY = 1_798_761_600 * SECOND
FEBRUARY = JANUARY + 31 * DAY
MARCH = FEBRUARY + 28 * DAY


async def played(world: World, **settings: Any) -> dict[str, str]:
    """Scores before and after the end of January; their ids by player and score."""
    await world.board(windows=("all", "day", "month"), tiebreakers=[{"name": "tie", "order": "asc"}], **settings)
    ids: dict[str, str] = {}
    for at, player, score in (
        (JANUARY + DAY, "ada", 5),
        (JANUARY + 2 * DAY, "bob", 9),
        (JANUARY + 30 * DAY, "ada", 7),
        (FEBRUARY + DAY, "ada", 6),
        (FEBRUARY + 2 * DAY, "cyd", 4),
    ):
        submission = world.submission(player, score, at=at, tiebreakers=(at % 7,))
        await world.commit(submission)
        ids[f"{player} {score}"] = submission.id
    return ids


class RetentionContract(Contract):
    @pytest.mark.parametrize("operator", ["best", "latest", "sum"])
    async def test_a_fold_after_the_older_history_is_forgotten_is_the_one_of_all(
        self, world: World, operator: str
    ) -> None:
        ids = await played(world, operator=operator)
        before = await world.standings()
        days = await world.standings("main", "day", "2027-01-02")
        await world.storage.forget_history(FEBRUARY + 3 * DAY)
        assert await world.standings() == before
        late = world.submission("ada", 1, at=FEBRUARY + DAY // 2, tiebreakers=(0,))
        await world.commit(late)
        await world.void("main", late.id)
        await world.void("main", ids["cyd 4"])
        assert await world.standings() == [each for each in before if each.player_id != "cyd"]
        assert await world.standings("main", "day", "2027-01-02") == days
        await world.void("main", ids["ada 6"])
        expected = {"best": 7, "latest": 7, "sum": 12}[operator]
        assert dict(await world.shown())["ada"] == expected

    async def test_what_is_forgotten_can_be_neither_read_nor_voided_nor_added_to(self, world: World) -> None:
        ids = await played(world, operator="sum")
        await world.storage.forget_history(FEBRUARY + 3 * DAY)
        assert await world.storage.submission(ids["ada 5"]) is None
        assert await world.void("main", ids["ada 5"]) is None
        assert [item.score for item in await world.storage.history("main", "ada", None, 10)] == [6]
        old = await world.submit("ada", 1, at=FEBRUARY - SECOND, tiebreakers=(0,))
        assert (old.status, old.code) == ("rejected", "period_closed")
        new = await world.submit("ada", 1, at=FEBRUARY, tiebreakers=(0,))
        assert (new.status, new.score) == ("accepted", 19)

    async def test_month_after_month_is_forgotten(self, world: World) -> None:
        ids = await played(world, operator="sum")
        for at in (FEBRUARY + DAY, MARCH - DAY, MARCH + DAY, MARCH + DAY):
            await world.storage.forget_history(at)
        assert await world.storage.submission(ids["cyd 4"]) is None
        submission = world.submission("ada", 3, at=MARCH + DAY, tiebreakers=(0,))
        await world.commit(submission)
        await world.void("main", submission.id)
        assert dict(await world.shown()) == {"ada": 18, "bob": 9, "cyd": 4}

    async def test_whole_months_are_forgotten_and_the_running_one_is_kept(self, world: World) -> None:
        ids = await played(world)
        await world.storage.forget_history(FEBRUARY - SECOND)
        assert await world.storage.submission(ids["ada 5"]) is not None
        await world.storage.forget_history(FEBRUARY)
        assert await world.storage.submission(ids["ada 5"]) is None
        assert await world.storage.submission(ids["ada 6"]) is not None

    async def test_a_month_with_a_score_that_waits_for_a_decision_is_kept(self, world: World) -> None:
        ids = await played(world)
        await world.submit("bob", 50, at=JANUARY + 3 * DAY, status="held", tiebreakers=(0,))
        await world.storage.forget_history(MARCH)
        assert await world.storage.submission(ids["ada 5"]) is not None

    async def test_a_void_of_what_is_kept_reaches_only_the_periods_named(self, world: World) -> None:
        ids = await played(world, operator="sum")
        await world.storage.forget_history(FEBRUARY)
        kept = [MAIN, BoardPeriod("main", "day", "2027-02-02"), BoardPeriod("main", "month", "2027-02")]
        await world.void("main", ids["ada 6"], kept)
        assert dict(await world.shown()) == {"ada": 12, "bob": 9, "cyd": 4}
        assert await world.shown("main", "month", "2027-02") == [("cyd", 4)]
        assert dict(await world.shown("main", "month", "2027-01")) == {"ada": 12, "bob": 9}

    async def test_a_board_whose_history_is_forgotten_keeps_what_its_standings_are_made_by(self, world: World) -> None:
        await played(world)
        await world.storage.forget_history(MARCH + DAY)
        with pytest.raises(Conflict):
            await world.board(operator="sum", windows=("all", "day", "month"))
