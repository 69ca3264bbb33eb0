import asyncio
import random
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreboard.clock import DAY, SECOND, ManualClock
from scoreboard.errors import BadRequest, NotFound, Unauthenticated
from scoreboard.live.base import NO_DESCRIPTOR, Codec
from scoreboard.live.hub import Hub
from scoreboard.live.places import MAX_LINGERING, Places
from scoreboard.live.topic import LINGER_S, Source
from scoreboard.live.wheel import Wheel
from scoreboard.model import BoardPeriod, BoardSettings
from scoreboard.periods import bounds, period_at
from scoreboard.tasks import Tasks
from scoreboard.wire import Delta, MePushed, Since, Snapshot, Subscribe
from tests.live.boards import MAIN, Boards, View, decode

TICK_S = 0.01
LONG_S = 20.0


class Client:
    """A sink that keeps what it was sent, and can stop taking it."""

    def __init__(self, codec: Codec = "json", player_id: str | None = None) -> None:
        self.codec: Codec = codec
        self.player_id = player_id
        self.stuck = False
        self.messages: list[Snapshot | Delta | MePushed | dict[str, object]] = []
        self.frames: list[bytes] = []
        self.views: dict[int, View] = {}
        self._arrived = asyncio.Event()

    def write(self, frame: bytes) -> None:
        message = decode(frame, self.codec)
        self.frames.append(frame)
        self.messages.append(message)
        if isinstance(message, Snapshot | Delta):
            self.views.setdefault(message.limit, View()).apply(message)
        self._arrived.set()

    def push(self, frame: bytes) -> bool:
        if not self.stuck:
            self.write(frame)
        return not self.stuck

    def descriptor(self) -> int:
        return NO_DESCRIPTOR

    def hand_over(self, rest: bytes) -> None:
        raise AssertionError("nothing was sent directly")

    async def until(self, fulfilled: Callable[[], bool]) -> None:
        async with asyncio.timeout(LONG_S):
            while not fulfilled():
                self._arrived.clear()
                await self._arrived.wait()

    async def messages_of(self, count: int) -> list[Snapshot | Delta | MePushed | dict[str, object]]:
        await self.until(lambda: len(self.messages) >= count)
        return self.messages


class House:
    """A hub over a real ranking."""

    def __init__(self, boards: Boards, tick_s: float = TICK_S) -> None:
        self.boards = boards
        self.clock = ManualClock()
        self.wheel = Wheel(self.clock)
        self.tasks = Tasks()
        source = Source(boards.ranking, boards.load, self.tasks, tick_s, 20)
        self.hub = Hub(source, boards.settings_of, self.wheel, max_subscriptions=4)
        boards.listeners.append(self.hub.notify)

    async def settled(self) -> None:
        """Let everything that is ready run."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def shows_the_top(self, client: Client, limit: int = 10, period: BoardPeriod = MAIN) -> None:
        page = await self.boards.ranking.top(period, limit)
        await client.until(lambda: limit in client.views and client.views[limit].shows(page, limit))


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House(Boards())
    yield house
    house.hub.stop()
    await house.tasks.cancel()


MAIN_10 = Subscribe(board="main")


async def test_subscribing_brings_a_snapshot_and_loads_what_is_not_loaded(house: House) -> None:
    client = Client()
    assert house.hub.subscribe(client, MAIN_10) == "main/all/10"
    assert client.messages == [], "the answer to `subscribe` goes first"
    (first,) = await client.messages_of(1)
    assert isinstance(first, Snapshot)
    assert (first.rows, first.total) == ((), 0)
    assert house.boards.loads == [MAIN]


async def test_a_change_reaches_every_subscriber_as_the_same_bytes(house: House) -> None:
    clients = [Client() for _ in range(3)] + [Client("msgpack") for _ in range(2)]
    for client in clients:
        house.hub.subscribe(client, MAIN_10)
        await client.messages_of(1)
    await house.boards.put("ada", 5)
    for client in clients:
        await house.shows_the_top(client)
    assert len({id(client.frames[-1]) for client in clients[:3]}) == 1
    assert len({id(client.frames[-1]) for client in clients[3:]}) == 1


async def test_nothing_is_sent_for_a_change_below_the_shown_rows(house: House) -> None:
    narrow, wide = Client(), Client()
    house.hub.subscribe(narrow, Subscribe(board="main", limit=1))
    house.hub.subscribe(wide, MAIN_10)
    await house.boards.load(MAIN)
    await house.boards.put("ada", 5)
    await house.shows_the_top(narrow, 1)
    await house.shows_the_top(wide)
    before = len(narrow.messages)
    await house.boards.put("bob", 3)
    await house.shows_the_top(wide)
    assert len(narrow.messages) == before


async def test_changes_within_a_tick_are_one_message() -> None:
    house = House(Boards(), tick_s=0.2)
    client = Client()
    house.hub.subscribe(client, MAIN_10)
    await client.messages_of(1)
    for score in range(50):
        await house.boards.put("ada", score)
        await house.settled()
    await house.shows_the_top(client)
    assert len(client.messages) <= 3
    await house.tasks.cancel()


async def test_a_quiet_board_is_pushed_without_waiting_for_a_tick() -> None:
    house = House(Boards(), tick_s=LONG_S)
    client = Client()
    await house.boards.load(MAIN)
    house.hub.subscribe(client, MAIN_10)
    await house.settled()
    assert len(client.messages) == 1
    await house.tasks.cancel()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
async def test_every_client_ends_with_the_rows_of_the_ranking(seed: int) -> None:
    chance = random.Random(seed)
    house = House(Boards(), tick_s=0.001)
    clients = [Client(chance.choice(("json", "msgpack"))) for _ in range(6)]
    limits = [chance.choice((1, 3, 10)) for _ in clients]
    for client, limit in zip(clients, limits, strict=True):
        house.hub.subscribe(client, Subscribe(board="main", limit=limit))
    await house.boards.load(MAIN)
    for step in range(60):
        await house.boards.put(f"p{chance.randint(0, 14)}", chance.choice((None, 1, 2, 3, step)))
        chance.choice(clients).stuck = chance.random() < 0.5
        if chance.random() < 0.5:
            await house.settled()
        if chance.random() < 0.05:
            await house.boards.load(MAIN)
    for client, limit in zip(clients, limits, strict=True):
        client.stuck = False
        await house.shows_the_top(client, limit)
    house.hub.stop()
    await house.tasks.cancel()


async def test_a_stuck_client_is_passed_over_and_gets_the_newest_state_later(house: House) -> None:
    slow, quick = Client(), Client()
    for client in (slow, quick):
        house.hub.subscribe(client, MAIN_10)
        await client.messages_of(1)
    slow.stuck = True
    for score in (1, 2, 3):
        await house.boards.put("ada", score)
        await house.shows_the_top(quick)
    assert len(slow.messages) == 1
    slow.stuck = False
    await house.shows_the_top(slow)
    assert len(slow.messages) == 2


async def test_a_short_drop_resumes_by_a_delta(house: House) -> None:
    first = Client()
    house.hub.subscribe(first, MAIN_10)
    await house.boards.load(MAIN)
    for player in range(5):
        await house.boards.put(f"p{player}", player)
    await house.shows_the_top(first)
    house.hub.leave(first)
    await house.boards.put("p0", 100)
    await house.boards.put("p0", 1)

    again = Client()
    again.views = first.views
    epoch, version = first.views[10].version
    house.hub.subscribe(again, Subscribe(board="main", since=Since(period="all", epoch=epoch, version=version)))
    await house.shows_the_top(again)
    assert [type(message) for message in again.messages] == [Delta]


async def test_a_client_that_missed_nothing_is_sent_nothing_when_it_resumes(house: House) -> None:
    first, again = Client(), Client()
    house.hub.subscribe(first, MAIN_10)
    await first.messages_of(1)
    epoch, version = first.views[10].version
    house.hub.leave(first)
    house.hub.subscribe(again, Subscribe(board="main", since=Since(period="all", epoch=epoch, version=version)))
    await house.settled()
    assert again.messages == []


async def test_a_resume_from_an_unknown_version_is_a_snapshot(house: House) -> None:
    for since in (Since("all", 1, 999), Since("all", 9, 1), Since("2026", 1, 1)):
        client = Client()
        house.hub.subscribe(client, Subscribe(board="main", since=since))
        (message, *_) = await client.messages_of(1)
        assert isinstance(message, Snapshot)


async def test_a_version_shown_at_a_narrower_limit_does_not_pass_for_the_wider_one(house: House) -> None:
    await house.boards.load(MAIN)
    for score in range(5):
        await house.boards.put(f"p{score}", score)
    client = Client()
    house.hub.subscribe(client, Subscribe(board="main", limit=1))
    await house.shows_the_top(client, 1)
    epoch, version = client.views[1].version
    since = Since(period="all", epoch=epoch, version=version)
    house.hub.subscribe(client, Subscribe(board="main", limit=5, since=since))
    await house.shows_the_top(client, 5)


async def test_what_was_sent_at_a_limit_nobody_follows_any_more_is_remembered_for_a_while(house: House) -> None:
    stays, leaves = Client(), Client()
    house.hub.subscribe(stays, MAIN_10)
    await house.boards.load(MAIN)
    for player in range(5):
        await house.boards.put(f"p{player}", player)
    house.hub.subscribe(leaves, Subscribe(board="main", limit=5))
    await house.shows_the_top(leaves, 5)
    epoch, version = leaves.views[5].version
    again = Subscribe(board="main", limit=5, since=Since(period="all", epoch=epoch, version=version))
    for seconds, kind in ((LINGER_S - 1, Delta), (LINGER_S, Snapshot)):
        house.hub.leave(leaves)
        house.clock.advance(seconds * SECOND)
        await house.boards.put("p4", seconds)
        await house.shows_the_top(stays)
        house.hub.subscribe(leaves, again)
        before = len(leaves.messages)
        await leaves.messages_of(before + 1)
        assert isinstance(leaves.messages[-1], kind)
        assert leaves.views[5].shows(await house.boards.ranking.top(MAIN, 5), 5)


async def test_what_may_not_be_followed_is_refused(house: House) -> None:
    spectator, player = Client(), Client(player_id="ada")
    with pytest.raises(NotFound):
        house.hub.subscribe(spectator, Subscribe(board="nowhere"))
    with pytest.raises(BadRequest):
        house.hub.subscribe(spectator, Subscribe(board="main", window="day"))
    with pytest.raises(Unauthenticated):
        house.hub.subscribe(spectator, Subscribe(board="main", me=True))
    house.boards.settings["main"] = BoardSettings(public=False, live_limit=5)
    with pytest.raises(Unauthenticated):
        house.hub.subscribe(spectator, Subscribe(board="main", limit=1))
    with pytest.raises(BadRequest):
        house.hub.subscribe(player, Subscribe(board="main", limit=6))
    assert house.hub.subscribe(player, Subscribe(board="main", limit=5)) == "main/all/5"
    assert house.hub.watching() == {"main": 1}


async def test_a_connection_has_a_bounded_number_of_subscriptions(house: House) -> None:
    client = Client()
    for limit in (1, 2, 3, 4, 4):
        house.hub.subscribe(client, Subscribe(board="main", limit=limit))
    with pytest.raises(BadRequest):
        house.hub.subscribe(client, Subscribe(board="main", limit=5))
    house.hub.unsubscribe(client, "main/all/1")
    house.hub.subscribe(client, Subscribe(board="main", limit=5))
    with pytest.raises(NotFound):
        house.hub.unsubscribe(client, "main/all/1")


async def test_own_standing_comes_at_once_after_an_own_submission(house: House) -> None:
    client = Client(player_id="ada")
    await house.boards.load(MAIN)
    assert house.hub.subscribe(client, Subscribe(board="main", me=True)) == "main/all/me"
    (first,) = await client.messages_of(1)
    assert isinstance(first, MePushed)
    assert (first.position, first.score) == (None, None)
    await house.boards.put("ada", 7)
    house.hub.submitted("ada", [MAIN])
    house.hub.submitted("bob", [MAIN])
    _, second = await client.messages_of(2)
    assert isinstance(second, MePushed)
    assert (second.position, second.rank, second.score) == (1, 1, 7)


async def test_own_standing_drifts_when_others_overtake(house: House) -> None:
    client = Client(player_id="ada")
    await house.boards.load(MAIN)
    await house.boards.put("ada", 7)
    house.hub.subscribe(client, Subscribe(board="main", me=True))
    await client.messages_of(1)
    for player in range(5):
        await house.boards.put(f"p{player}", 100)
    await client.until(lambda: isinstance(last := client.messages[-1], MePushed) and last.position == 6)
    assert len(client.messages) <= 3


async def test_a_new_period_begins_with_its_own_snapshot() -> None:
    boards = Boards(main=BoardSettings(windows=("day",)))
    house = House(boards)
    today = period_at(boards.settings["main"], "day", house.clock.now())
    assert today is not None
    _, end = bounds(boards.settings["main"], "day", today)
    assert end is not None
    client = Client()
    house.hub.subscribe(client, MAIN_10)
    await client.messages_of(1)
    await boards.put("ada", 5, BoardPeriod("main", "day", today))
    await client.messages_of(2)

    house.clock.advance(end - house.clock.now() + SECOND)
    house.wheel.sweep()
    last = (await client.messages_of(3))[-1]
    assert isinstance(last, Snapshot)
    assert last.rows == ()
    assert last.period == period_at(boards.settings["main"], "day", end)
    await boards.put("bob", 6, BoardPeriod("main", "day", last.period))
    await house.shows_the_top(client, 10, BoardPeriod("main", "day", last.period))
    await house.tasks.cancel()


async def test_a_score_of_the_new_period_turns_the_board_before_the_wheel_does() -> None:
    boards = Boards(main=BoardSettings(windows=("day",)))
    house = House(boards)
    client = Client()
    house.hub.subscribe(client, MAIN_10)
    await client.messages_of(1)
    house.clock.advance(DAY)
    tomorrow = period_at(boards.settings["main"], "day", house.clock.now())
    assert tomorrow is not None
    await boards.load(BoardPeriod("main", "day", tomorrow))
    await boards.put("ada", 1, BoardPeriod("main", "day", tomorrow))
    await house.shows_the_top(client, 10, BoardPeriod("main", "day", tomorrow))
    await house.tasks.cancel()


async def test_a_board_that_is_not_public_any_more_is_taken_from_spectators(house: House) -> None:
    spectator, player = Client(), Client(player_id="ada")
    for client in (spectator, player):
        house.hub.subscribe(client, MAIN_10)
        await client.messages_of(1)
    house.boards.settings["main"] = BoardSettings(public=False)
    house.hub.board_changed("main")
    await player.messages_of(2)
    assert isinstance(player.messages[1], Snapshot)
    refusal = spectator.messages[1]
    assert isinstance(refusal, dict)
    assert (refusal["type"], refusal["code"], refusal["subscription"]) == ("error", "forbidden", "main/all/10")
    await house.boards.put("ada", 1)
    await house.shows_the_top(player)
    assert len(spectator.messages) == 2


async def test_a_window_that_is_gone_ends_its_subscriptions() -> None:
    boards = Boards(main=BoardSettings(windows=("all", "day")))
    house = House(boards)
    client = Client()
    house.hub.subscribe(client, Subscribe(board="main", window="day"))
    await client.messages_of(1)
    boards.settings["main"] = BoardSettings()
    house.hub.board_changed("main")
    refusal = client.messages[1]
    assert isinstance(refusal, dict)
    assert (refusal["type"], refusal["subscription"]) == ("error", "main/day/10")
    assert house.hub.watching() == {}
    await house.tasks.cancel()


async def test_a_paused_client_hears_nothing_and_resumes_with_a_snapshot(house: House) -> None:
    sleeper, awake = Client(), Client()
    for client in (sleeper, awake):
        house.hub.subscribe(client, MAIN_10)
        await client.messages_of(1)
    house.hub.pause(sleeper)
    await house.boards.put("ada", 1)
    await house.shows_the_top(awake)
    assert len(sleeper.messages) == 1
    house.hub.resume(sleeper)
    await sleeper.messages_of(2)
    assert isinstance(sleeper.messages[1], Snapshot)
    await house.shows_the_top(sleeper)


async def test_a_client_that_becomes_another_player_loses_the_first_ones_standing(house: House) -> None:
    client = Client(player_id="ada")
    await house.boards.load(MAIN)
    house.hub.subscribe(client, MAIN_10)
    house.hub.subscribe(client, Subscribe(board="main", me=True))
    await client.messages_of(2)
    client.player_id = "bob"
    house.hub.identified(client)
    with pytest.raises(NotFound):
        house.hub.unsubscribe(client, "main/all/me")
    house.hub.unsubscribe(client, "main/all/10")


async def test_abandoned_places_are_kept_for_a_bounded_time_and_number() -> None:
    boards = Boards(**{f"b{number}": BoardSettings() for number in range(MAX_LINGERING + 5)})
    clock, tasks = ManualClock(), Tasks()
    wheel = Wheel(clock)
    places = Places(Source(boards.ranking, boards.load, tasks, TICK_S, 20), boards.settings_of, wheel)
    for board in boards.settings:
        places.left(places.at(board, "all"))
    assert len(places) == MAX_LINGERING
    clock.advance((LINGER_S + 1) * SECOND)
    wheel.sweep()
    assert len(places) == 0
    assert len(wheel) == 0


async def test_who_follows_a_board_is_told_once_that_it_may_be_behind_and_when_it_is_not(house: House) -> None:
    before, after = Client(), Client("msgpack")
    house.hub.subscribe(before, MAIN_10)
    house.hub.freshness(stale=False)
    for _ in range(2):
        house.hub.freshness(stale=True)
    house.hub.subscribe(after, MAIN_10)
    house.hub.freshness(stale=False)
    for client in (before, after):
        told = [message for message in client.messages if isinstance(message, dict)]
        assert told == [{"type": "freshness", "stale": True}, {"type": "freshness", "stale": False}]
