"""What every storage promises of a frozen board: whatever comes, all see what there was, until it is revealed."""

from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoreboard.clock import DAY, SECOND
from scoreboard.errors import Conflict
from scoreboard.model import AuditEntry, Board, BoardPeriod, HistoryItem, Operator, Page, Projection, TieColumn
from scoreboard.oversight import Decision, PlayerStatus
from scoreboard.periods import board_periods
from scoreboard.storage.base import Touched
from tests.storage.contract import MAIN, Contract
from tests.storage.world import Backend, World

PLAYERS = ("ada", "bob", "cy")
LAPS = (TieColumn("laps"),)


class Seen(NamedTuple):
    """All that is read for everybody."""

    periods: tuple[BoardPeriod, ...]
    standings: tuple[tuple[Projection, ...], ...]
    pages: tuple[Page, ...]
    digests: tuple[tuple[int, int], ...]
    histories: tuple[tuple[HistoryItem, ...], ...]


async def seen(world: World, *others: str) -> Seen:
    storage, board = world.storage, world.boards["main"]
    periods = await storage.periods("main")
    players = (*PLAYERS, *others)
    return Seen(
        periods,
        tuple([await storage.standings_of(period, None, 100) for period in periods]),
        tuple([await storage.page(board, period, 100) for period in periods]),
        tuple([await storage.digest(period) for period in periods]),
        tuple([await storage.history("main", player, None, 100, counted_only=True, frozen=True) for player in players]),
    )


async def froze(world: World, *entries: AuditEntry) -> Board:
    """Freeze the board, as the world knows it from then on."""
    board = await world.storage.freeze_board("main", world.clock.now(), entries)
    assert board is not None
    world.boards["main"] = board
    return board


async def revealed(world: World, *entries: AuditEntry) -> Board:
    board = await world.storage.reveal_board("main", world.clock.now(), entries)
    assert board is not None
    world.boards["main"] = board
    return board


async def approve(world: World, submission_id: str) -> None:
    item = await world.storage.submission(submission_id)
    assert item is not None
    board = world.boards[item.board]
    entry = AuditEntry(world.clock.now(), "mod", "review.approve", submission_id)
    decision = Decision(submission_id, "mod", world.clock.now(), "")
    decided = await world.storage.approve(board, board_periods(board, item.accepted_at), decision, [entry])
    assert (decided.changes, decided.outbox_id) == ((), None)


class Deed(NamedTuple):
    """Something that happens to a board: a score of a player, with a tie column, or what becomes of them."""

    what: str
    player: str
    score: int
    tie: int


deeds = st.lists(
    st.builds(
        Deed,
        st.sampled_from(["score", "score", "score", "import", "hold", "approve", "void", "hide", "ban", "lift"]),
        st.sampled_from(PLAYERS),
        st.integers(-20, 20),
        st.integers(-2, 2),
    ),
    max_size=12,
)


class Story:
    """Deeds done to one board after the other, the same to each: what is seen of them is to be compared."""

    def __init__(self, world: World, board: str) -> None:
        self.world = world
        self.board = board
        self._held: list[str] = []
        self._counted: list[str] = []

    async def go_on(self, happened: list[Deed]) -> None:
        for deed in happened:
            await getattr(self, f"_{deed.what}")(deed)

    async def _score(self, deed: Deed) -> None:
        outcome = await self.world.submit(deed.player, deed.score, self.board, tiebreakers=(deed.tie,))
        if outcome.status == "accepted":
            self._counted.append(outcome.submission_id)

    async def _import(self, deed: Deed) -> None:
        at = self.world.clock.now() - 3 * DAY
        await self.world.submit(deed.player, deed.score, self.board, tiebreakers=(deed.tie,), at=at)

    async def _hold(self, deed: Deed) -> None:
        item = self.world.submission(deed.player, deed.score, self.board, tiebreakers=(deed.tie,), status="held")
        if (await self.world.commit(item)).outcomes[0].status == "held":
            self._held.append(item.id)

    async def _approve(self, deed: Deed) -> None:
        if self._held:
            board, submission_id = self.world.boards[self.board], self._held.pop(0)
            item = await self.world.storage.submission(submission_id)
            assert item is not None
            await self.world.storage.approve(
                board,
                board_periods(board, item.accepted_at),
                Decision(submission_id, "mod", self.world.clock.now(), ""),
                [AuditEntry(self.world.clock.now(), "mod", "review.approve", submission_id)],
            )
            self._counted.append(submission_id)

    async def _void(self, deed: Deed) -> None:
        if self._counted:
            board, submission_id = self.world.boards[self.board], self._counted.pop(0)
            item = await self.world.storage.submission(submission_id)
            assert item is not None
            await self.world.void(self.board, submission_id, board_periods(board, item.accepted_at))

    async def _hide(self, deed: Deed) -> None:
        await self._status(deed.player, "hidden")

    async def _ban(self, deed: Deed) -> None:
        await self._status(deed.player, "banned")

    async def _lift(self, deed: Deed) -> None:
        await self._status(deed.player, "active")

    async def _status(self, player: str, status: PlayerStatus) -> None:
        if await self.world.storage.player(player) is not None:
            await self.world.storage.set_status(player, status, self.world.clock.now())


class FreezeContract(Contract):
    @pytest.fixture
    async def board(self, world: World) -> Board:
        """A board with scores of two players, which holds the best."""
        board = await world.board(operator="best", windows=("all", "day"))
        await world.submit("ada", 10)
        await world.submit("bob", 20)
        return board

    async def test_a_frozen_board_says_since_when_and_a_second_freeze_changes_nothing(
        self, world: World, board: Board
    ) -> None:
        entry = AuditEntry(1, "admin", "board.freeze", "main")
        before = world.clock.now()
        frozen = await froze(world, entry)
        assert frozen.frozen_at is not None
        assert before < frozen.frozen_at
        assert (frozen.revision, frozen.settings) == (board.revision + 1, board.settings)
        assert await world.storage.freeze_board("main", world.clock.now(), [entry]) is None
        assert await world.storage.schedule_freeze("main", world.clock.now() + DAY, [entry]) is None
        assert await world.storage.boards() == (frozen,)
        assert await world.storage.audit(None, 10) == (entry,)
        assert await world.storage.freeze_board("nowhere", world.clock.now(), [entry]) is None

    @pytest.mark.parametrize("player", ["ada", "new"])
    async def test_scores_are_kept_from_view_and_shown_when_the_board_is_revealed(
        self, world: World, board: Board, player: str
    ) -> None:
        before = await seen(world, player)
        await froze(world)
        for _ in range(2):
            outcome = await world.submit(player, 30)
            assert (outcome.status, outcome.score, outcome.changes) == ("accepted", 30, ())
        committal = await world.commit(world.submission(player, 31))
        assert committal.outbox_id is None
        assert await seen(world, player) == before
        board = await revealed(world)
        assert (board.frozen_at, board.revision) == (None, 3)
        assert (await world.shown())[0] == (player, 31)
        assert await world.storage.reveal_board("main", world.clock.now(), ()) is None

    async def test_what_moved_is_in_the_outbox_once_the_board_is_revealed(self, world: World, board: Board) -> None:
        await world.storage.settle([row.id for row in await world.outbox()], {})
        await froze(world)
        await world.submit("ada", 30)
        await world.submit("new", 1)
        assert await world.outbox() == ()
        await revealed(world)
        touched = {each for row in await world.outbox() for each in row.touched}
        today = board_periods(board, world.clock.now())[1]
        assert touched == {Touched(period, player) for period in (MAIN, today) for player in ("ada", "new")}
        shown = await world.storage.projections(tuple(touched))
        assert all(change.key is not None for change in shown)

    async def test_revisions_rise_from_what_was_shown_to_what_is_revealed(self, world: World, board: Board) -> None:
        await froze(world)
        await world.submit("ada", 30)
        hidden = await world.storage.set_status("ada", "hidden", world.clock.now())
        lifted = await world.storage.set_status("ada", "active", world.clock.now())
        revisions = [change.revision for done in (hidden, lifted) for change in done.changes if change.period == MAIN]
        await revealed(world)
        [last] = await world.storage.projections([Touched(MAIN, "ada")])
        assert [1, *revisions, last.revision] == sorted({1, *revisions, last.revision})

    async def test_a_day_that_began_after_is_empty_to_all(self, world: World, board: Board) -> None:
        before = await seen(world)
        await froze(world)
        world.clock.advance(DAY)
        outcome = await world.submit("ada", 30)
        today = board_periods(board, world.clock.now())[1]
        assert outcome.previous is None or outcome.previous == 10
        assert await seen(world) == before
        assert await world.storage.standings_of(today, None, 10) == ()
        assert (await world.storage.page(board, today, 10)).total == 0
        await revealed(world)
        assert await world.shown("main", "day", today.period) == [("ada", 30)]

    async def test_decisions_of_officials_are_kept_from_view_too(self, world: World, board: Board) -> None:
        held = await world.submit("bob", 99, status="held")
        counted = await world.submit("bob", 40)
        before = await seen(world)
        await froze(world)
        voided = await world.void("main", counted.submission_id)
        assert voided is not None
        assert (voided.done, voided.changes, voided.outbox_id) == (True, (), None)
        await approve(world, held.submission_id)
        assert await seen(world) == before
        await revealed(world)
        assert await world.shown() == [("bob", 99), ("ada", 10)]
        history = await world.storage.history("main", "bob", None, 10, counted_only=True, frozen=True)
        assert [item.score for item in history] == [99, 20]

    async def test_the_player_reads_the_whole_of_the_own_history(self, world: World, board: Board) -> None:
        await froze(world)
        await world.submit("ada", 30)
        await world.submit("ada", 31, status="held")
        scores = [item.score for item in await world.storage.history("main", "ada", None, 10)]
        assert scores == [31, 30, 10]
        as_shown = await world.storage.history("main", "ada", None, 10, frozen=True)
        assert [item.score for item in as_shown] == [10]
        older = await world.storage.history("main", "ada", as_shown[0].id, 10, frozen=True)
        assert older == ()

    @pytest.mark.parametrize("status", ["banned", "hidden"])
    async def test_players_can_be_kept_out_and_let_in_again_as_they_were_seen(
        self, world: World, board: Board, status: PlayerStatus
    ) -> None:
        await froze(world)
        await world.submit("ada", 30)
        await world.submit("new", 50)
        for player in ("ada", "bob", "new"):
            changed = await world.storage.set_status(player, status, world.clock.now())
            assert {change.key for change in changed.changes} == ({None} if player != "new" else set())
        assert await world.shown() == []
        assert await world.storage.digest(MAIN) == (0, 0)
        if status == "hidden":
            standing = await world.storage.hidden_standing(MAIN, "ada")
            assert standing is not None
            assert standing.score == 10
            assert await world.storage.hidden_standing(MAIN, "new") is None
            assert (await world.submit("bob", 60)).changes == ()
        for player in ("ada", "bob", "new"):
            await world.storage.set_status(player, "active", world.clock.now())
        assert await world.shown() == [("bob", 20), ("ada", 10)]

    async def test_an_erased_player_is_gone_from_a_frozen_board(self, world: World, board: Board) -> None:
        await froze(world)
        await world.submit("ada", 30)
        erased = await world.storage.erase_player("ada", world.clock.now(), [])
        assert erased is not None
        assert {(change.key, change.name) for change in erased.changes} == {(None, "")}
        assert await world.shown() == [("bob", 20)]
        await revealed(world)
        assert await world.shown() == [("bob", 20)]

    @pytest.mark.parametrize("where", ["main", "other"])
    async def test_a_name_that_comes_with_a_score_is_shown_with_what_is_seen(
        self, world: World, board: Board, where: str
    ) -> None:
        await world.board("other")
        await froze(world)
        await world.submit("ada", 30)
        outcome = await world.submit("ada", 40, where, player_name="Countess")
        shown = {change for change in outcome.changes if change.period == MAIN}
        if where == "main":
            assert [(change.revision, change.name) for change in shown] == [(1, "Countess")]
        assert await world.storage.projections([Touched(MAIN, "ada")]) == tuple(
            change for change in await world.storage.standings_of(MAIN, None, 1)
        )
        page = await world.storage.page(board, MAIN, 10)
        assert [(row.name, row.score) for row in page.rows] == [("bob", 20), ("Countess", 10)]

    async def test_a_batch_of_a_frozen_and_another_board_moves_each_as_it_should(
        self, world: World, board: Board
    ) -> None:
        await world.board("other")
        await froze(world)
        committal = await world.commit(
            world.submission("ada", 30),
            world.submission("ada", 30, "other", player_name="Countess"),
            world.submission("bob", 30, player_name="Bobby"),
        )
        periods = [{change.period.board for change in outcome.changes} for outcome in committal.outcomes]
        assert periods[0] == set()
        assert "other" in periods[1]
        keys = {change.key for outcome in committal.outcomes for change in outcome.changes if change.period == MAIN}
        assert keys <= {change.key for change in await world.storage.standings_of(MAIN, None, 10)}
        assert await world.shown() == [("bob", 20), ("ada", 10)]
        assert await world.shown("other") == [("ada", 30)]

    async def test_who_does_not_know_of_the_freeze_or_the_reveal_is_refused(self, world: World, board: Board) -> None:
        frozen = await froze(world)
        item = world.submission("ada", 30)
        for judged_by in (board, frozen):
            committal = await world.storage.commit([judged_by], [item], world.clock.now())
            code = committal.outcomes[0].code
            assert code == ("unavailable" if judged_by is board else None)
        await revealed(world)
        refused = await world.storage.commit([frozen], [world.submission("ada", 40)], world.clock.now())
        assert refused.outcomes[0].code == "unavailable"

    async def test_a_frozen_board_gets_no_new_window_and_other_settings(self, world: World, board: Board) -> None:
        frozen = await froze(world)
        with pytest.raises(Conflict, match="frozen"):
            await world.board(operator="best", windows=("all", "day", "week"))
        changed = await world.board(operator="best", windows=("day", "all"), title="Finals")
        assert (changed.frozen_at, changed.settings.title) == (frozen.frozen_at, "Finals")

    async def test_a_freeze_to_come_takes_nothing_that_is_later(self, world: World, board: Board) -> None:
        at = world.clock.now() + 10 * SECOND
        scheduled = await world.storage.schedule_freeze("main", at, [])
        assert scheduled is not None
        assert (scheduled.frozen_at, scheduled.freezes_at) == (None, at)
        world.boards["main"] = scheduled
        assert await world.storage.schedule_freeze("main", at, []) is None
        assert await world.storage.freeze_board("main", at - 1, [], due=True) is None
        assert (await world.submit("ada", 30)).changes != ()
        world.clock.advance(10 * SECOND)
        late = world.submission("ada", 40)
        assert (await world.commit(late)).outcomes[0].code == "unavailable"
        frozen = await world.storage.freeze_board("main", world.clock.now(), [], due=True)
        assert frozen is not None
        assert (frozen.frozen_at, frozen.freezes_at) == (at, None)
        world.boards["main"] = frozen
        assert (await world.commit(late)).outcomes[0].status == "accepted"
        assert await world.shown() == [("ada", 30), ("bob", 20)]

    async def test_a_freeze_to_come_can_be_put_off_brought_forward_and_called_off(
        self, world: World, board: Board
    ) -> None:
        now = world.clock.now()
        for at in (now + DAY, now + 2 * DAY):
            scheduled = await world.storage.schedule_freeze("main", at, [])
            assert scheduled is not None
            assert scheduled.freezes_at == at
        called_off = await revealed(world)
        assert (called_off.frozen_at, called_off.freezes_at) == (None, None)
        await world.storage.schedule_freeze("main", now + DAY, [])
        frozen = await froze(world)
        assert frozen.frozen_at is not None
        assert frozen.frozen_at < now + DAY
        assert frozen.freezes_at is None

    async def test_what_is_kept_from_view_stays_so_when_the_storage_is_opened_again(self, backend: Backend) -> None:
        async with backend.open() as storage:
            world = World(storage)
            await world.board()
            await world.submit("ada", 1)
            await froze(world)
            await world.submit("ada", 2)
        async with backend.open() as storage:
            again = World(storage)
            again.boards = {board.id: board for board in await storage.boards()}
            assert again.boards == world.boards
            assert await again.shown() == [("ada", 1)]

    @settings(
        max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
    )
    @given(operator=st.sampled_from(["best", "latest", "sum"]), before=deeds, after=deeds, later=deeds)
    async def test_whatever_happens_all_see_what_there_was_and_then_what_there_is(
        self, world: World, operator: Operator, before: list[Deed], after: list[Deed], later: list[Deed]
    ) -> None:
        await let_all_in(world)
        name = f"b{len(world.boards)}"
        await world.board(name, operator=operator, windows=("all", "day"), tiebreakers=LAPS)
        story = Story(world, name)
        await story.go_on(before)
        await let_all_in(world)
        frozen = await _shown(world, name)
        world.boards[name] = _known(await world.storage.freeze_board(name, world.clock.now(), []))
        await story.go_on(after)
        await let_all_in(world)
        assert await _shown(world, name) == frozen
        world.boards[name] = _known(await world.storage.reveal_board(name, world.clock.now(), []))
        assert await _shown(world, name) == await _refolded(world, name)
        await story.go_on(later)
        await let_all_in(world)
        assert await _shown(world, name) == await _refolded(world, name)


def _known(board: Board | None) -> Board:
    assert board is not None
    return board


async def let_all_in(world: World) -> None:
    """Lift whatever keeps players out; twice, as what lies uppermost is lifted first."""
    for player in (*PLAYERS, *PLAYERS):
        if await world.storage.player(player) is not None:
            await world.storage.set_status(player, "active", world.clock.now())


async def _shown(world: World, board: str) -> dict[BoardPeriod, list[object]]:
    """What is to be seen of every period of the board's windows, by two ways."""
    found: dict[BoardPeriod, list[object]] = {}
    for period in await world.storage.periods(board):
        if period.window not in world.boards[board].settings.windows:
            continue
        rows = await world.standings(*period)
        page = await world.storage.page(world.boards[board], period, 100)
        assert [(row.player_id, row.score, row.tiebreakers) for row in page.rows] == [
            (row.player_id, row.score, row.tiebreakers) for row in rows
        ]
        assert await world.storage.digest(period) == (len(rows), sum(row.score for row in rows))
        if rows:
            found[period] = list(rows)
    return found


async def _refolded(world: World, board: str) -> dict[BoardPeriod, list[object]]:
    """The same of a board that was never frozen, with the same history: its windows made anew from it."""
    known = world.boards[board]
    settings = {name: getattr(known.settings, name) for name in known.settings.__struct_fields__}
    await world.board(board, **{**settings, "windows": ("month",)})
    await world.board(board, **settings)
    return await _shown(world, board)
