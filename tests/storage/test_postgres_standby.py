"""Reads from a streaming standby: used while it is fresh enough, and never missed."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from scoreboard.clock import DAY, SECOND, ManualClock
from scoreboard.errors import Unavailable
from scoreboard.events import EVENTS, Webhook
from scoreboard.periods import board_periods
from scoreboard.storage.postgres import PostgresStorage
from scoreboard.webhooks import Finalizer
from tests.postgres import PostgresServer, require_postgres
from tests.storage.world import World

LAG_S = 2.0


class Pair:
    """A server and its standby, and a world that reads from both by a clock that is moved by hand."""

    def __init__(
        self, primary: PostgresServer, standby: PostgresServer, storage: PostgresStorage, clock: ManualClock
    ) -> None:
        self.primary = primary
        self.standby = standby
        self.storage = storage
        self.clock = clock
        self.world = World(storage)

    async def caught_up(self) -> None:
        """Return once the standby shows all there is."""
        [(position,)] = self.primary.execute("SELECT pg_current_wal_lsn()")
        while self.standby.execute(f"SELECT pg_last_wal_replay_lsn() < '{position}'::pg_lsn") == [(True,)]:
            await asyncio.sleep(0.02)

    async def scores(self) -> list[int]:
        """Ada's history as it is read, oldest first."""
        return [item.score for item in reversed(await self.storage.history("main", "ada", None, 10))]


@pytest.fixture
async def pair(own_postgres: PostgresServer) -> AsyncIterator[Pair]:
    url = own_postgres.new_database()
    with PostgresServer(require_postgres(), own_postgres) as standby:
        clock = ManualClock()
        replica = standby.url(url.rpartition("/")[2])
        storage = await PostgresStorage.open(url, connections=2, replica_url=replica, replica_lag_s=LAG_S, clock=clock)
        pair = Pair(own_postgres, standby, storage, clock)
        await pair.world.board()
        yield pair
        await storage.close()


async def test_a_standby_is_read_while_it_is_fresh_and_not_when_it_lags(pair: Pair) -> None:
    await pair.world.submit("ada", 1)
    await pair.caught_up()
    assert await pair.scores() == [1]
    pair.standby.execute("SELECT pg_wal_replay_pause()")
    await pair.world.submit("ada", 2)
    assert await pair.scores() == [1]  # from the standby, which may be a little behind
    pair.clock.advance(int(LAG_S * SECOND))
    assert await pair.scores() == [1, 2]  # from the first server
    pair.standby.execute("SELECT pg_wal_replay_resume()")
    await pair.caught_up()
    pair.clock.advance(SECOND)
    assert await pair.scores() == [1, 2]
    pair.standby.execute("SELECT pg_wal_replay_pause()")
    await pair.world.submit("ada", 3)
    assert await pair.scores() == [1, 2]  # from the standby again


async def test_the_end_of_a_period_is_told_as_the_first_server_has_it(pair: Pair) -> None:
    """Of a board that was just revealed a standby shows what all saw before."""
    world, storage = pair.world, pair.storage
    board = await world.board(windows=("day",))
    await world.submit("ada", 5)
    frozen = await storage.freeze_board("main", world.clock.now(), [])
    assert frozen is not None
    world.boards["main"] = frozen
    await world.submit("ada", 7)
    now = world.clock.now()
    webhook = Webhook("hook", "http://localhost/", EVENTS, None, True, now, "", None, None, now)
    assert await storage.add_webhook(webhook, 1, [])
    await pair.caught_up()
    assert await pair.scores() != []
    pair.standby.execute("SELECT pg_wal_replay_pause()")
    revealed = await storage.reveal_board("main", world.clock.now(), [])
    assert revealed is not None
    world.clock.advance(DAY)
    [period] = board_periods(board, now)
    assert [row.score for row in (await storage.page(revealed, period, 10)).rows] == [5]
    await Finalizer(storage, lambda: (revealed,), world.clock, 1.0).look()
    now = world.clock.now()
    [parcel] = await storage.take_deliveries(now, now + DAY, (), 10)
    assert [row["score"] for row in json.loads(parcel.data)["rows"]] == [7]


async def test_without_the_standby_the_first_server_answers_and_later_the_standby_again(pair: Pair) -> None:
    await pair.world.submit("ada", 1)
    await pair.caught_up()
    assert await pair.scores() == [1]
    pair.standby.stop("immediate")
    await pair.world.submit("ada", 2)
    assert await pair.scores() == [1, 2]
    pair.standby.start()
    await pair.caught_up()
    pair.standby.execute("SELECT pg_wal_replay_pause()")
    for _ in range(20):  # past what the breaker waits
        pair.clock.advance(SECOND)
        await pair.scores()
    await pair.world.submit("ada", 3)
    assert await pair.scores() == [1, 2]


async def test_without_the_first_server_the_standby_answers_and_nothing_is_written(pair: Pair) -> None:
    await pair.world.submit("ada", 1)
    await pair.caught_up()
    pair.primary.stop()
    pair.clock.advance(60 * SECOND)
    assert await pair.scores() == [1]
    with pytest.raises(Unavailable):
        await pair.world.submit("ada", 2)
    pair.primary.start()
    pair.clock.advance(60 * SECOND)
    await pair.world.submit("ada", 2)
    await pair.caught_up()
    pair.clock.advance(60 * SECOND)
    assert await pair.scores() == [1, 2]


async def test_a_server_starts_without_its_standby(postgres_server: PostgresServer) -> None:
    url = postgres_server.new_database()
    nowhere = "postgresql://postgres@127.0.0.1:1/nothing"
    storage = await PostgresStorage.open(url, connections=2, replica_url=nowhere)
    world = World(storage)
    await world.board()
    await world.submit("ada", 1)
    assert [item.score for item in await storage.history("main", "ada", None, 10)] == [1]
    await storage.close()
