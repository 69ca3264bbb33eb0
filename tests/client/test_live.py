"""The live client against the real server: it follows a board through lost connections and restarts."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from scoreboard.client import BoardView, Client, ClientError, LinkState, Live
from scoreboard.client.link import Codec, Link
from scoreboard.errors import ActionTokenUsed, Forbidden, NotFound, OutcomeUnknown, Unauthenticated, Unavailable
from scoreboard.model import BoardSettings
from scoreboard.wire import BatchItem, BoardsOut, MePushed
from tests.server import Server

BOARD = "main"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, {"live": {"drain_s": 0}}) as running:
        yield running


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connects again without the pause that spares a real server."""
    monkeypatch.setattr("scoreboard.client.live.pause_s", lambda attempt, retry_after_s=None: 0.02)


async def post(server: Server, player: str, score: int) -> None:
    async with Client(server.url, key=server.key) as backend:
        await backend.batch([BatchItem(player_id=player, board=BOARD, score=score)])


async def shows(live: Live, expected: list[tuple[str, int]]) -> BoardView:
    """Follow until the board shows this; versions never go back within an epoch."""
    seen = (0, 0)
    async for update in live:
        if isinstance(update, BoardView):
            assert (update.epoch, update.version) > seen
            seen = (update.epoch, update.version)
            if [(row.player_id, row.score) for row in update.rows] == expected:
                return update
    raise AssertionError("the iteration ended")


@pytest.mark.parametrize("codec", ["json", "msgpack"])
async def test_a_spectator_sees_the_board_change(server: Server, codec: Codec) -> None:
    async with Live(server.url, codec=codec) as live:
        name = await live.subscribe(BOARD, limit=2)
        await shows(live, [])
        for player, score in (("l:a", 5), ("l:b", 7), ("l:c", 9), ("l:a", 3)):
            await post(server, player, score)
        view = await shows(live, [("l:c", 9), ("l:a", 8)])
        assert view.total == 3
        assert live.view(name) == view


async def test_a_player_scores_over_the_socket_and_hears_the_own_standing(server: Server) -> None:
    async with Client(server.url) as client:
        await client.register("lin", "correct horse")
        async with client.live() as live:
            await live.subscribe(BOARD, me=True)
            action = await live.start_action(BOARD, "coin")
            outcome = await live.submit(BOARD, action.action_token, 40)
            assert (outcome.status, outcome.score) == ("accepted", 40)
            async for update in live:
                assert isinstance(update, MePushed)
                if update.score == 40:
                    break
            with pytest.raises(ActionTokenUsed):
                await live.submit(BOARD, action.action_token, 40)


async def test_a_score_whose_answer_is_lost_is_sent_again_and_counts_once(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Client(server.url) as client:
        await client.register("lin", "correct horse")
        async with client.live() as live:
            send, sent = Link.send, 0

            async def send_and_lose(link: Link, kind: str, **fields: Any) -> None:
                nonlocal sent
                await send(link, kind, **fields)
                if kind == "score":
                    sent += 1
                    if sent < 3:
                        await link.close()

            monkeypatch.setattr(Link, "send", send_and_lose)
            for score in (40, 2):
                sent = 0
                action = await live.start_action(BOARD, "coin")
                outcome = await live.submit(BOARD, action.action_token, score, metadata={"level": 4})
                assert (outcome.status, sent) == ("accepted", 3)
            assert outcome.score == 42
            assert (await client.top(BOARD)).rows[0].score == 42


async def test_what_is_asked_while_a_connection_is_made_is_refused_and_not_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Client(server.url) as client:
        await client.register("lin", "correct horse")
        async with client.live() as live:
            send, refused = Link.send, asyncio.Event()

            async def ask_meanwhile(link: Link, kind: str, **fields: Any) -> None:
                await send(link, kind, **fields)
                if kind == "auth":
                    with pytest.raises(Unavailable):
                        await live.start_action(BOARD, "coin")
                    refused.set()

            monkeypatch.setattr(Link, "send", ask_meanwhile)
            await live.drop()
            await asyncio.wait_for(refused.wait(), 10)


async def test_several_boards_are_followed_on_one_connection(server: Server) -> None:
    async with Client(server.url, key=server.key) as backend:
        for board in ("one", "two"):
            await backend.put_board(board, BoardSettings(operator="sum"))
        async with Live(server.url) as live:
            names = [await live.subscribe(board) for board in ("one", "two")]
            await backend.batch([BatchItem(player_id="l:a", board=board, score=5) for board in ("one", "two")])
            waiting = set(names)
            async for update in live:
                assert isinstance(update, BoardView)
                if update.rows:
                    waiting.discard(f"{update.board}/all/10")
                if not waiting:
                    break


async def test_a_lost_connection_is_made_again_and_nothing_is_missed(server: Server) -> None:
    async with Live(server.url) as live:
        await live.subscribe(BOARD)
        await post(server, "l:a", 1)
        await shows(live, [("l:a", 1)])
        for total in (2, 3, 4):
            await live.drop()
            await post(server, "l:a", 1)
            await shows(live, [("l:a", total)])


async def test_a_restart_of_the_server_is_survived(server: Server) -> None:
    port = urlsplit(server.url).port or 0
    async with Live(server.url) as live:
        await live.subscribe(BOARD)
        await post(server, "l:a", 1)
        await shows(live, [("l:a", 1)])
        assert await asyncio.to_thread(server.terminate) == 0
        await asyncio.to_thread(server.start, port)
        await post(server, "l:a", 1)
        await shows(live, [("l:a", 2)])


async def test_who_asked_is_told_how_the_connection_is(server: Server) -> None:
    states: asyncio.Queue[tuple[LinkState, float]] = asyncio.Queue()
    async with Live(server.url, told=lambda *state: states.put_nowait(state)) as live:
        assert await states.get() == ("active", 0)
        await live.drop()
        assert await states.get() == ("reconnecting", 0.02)
        assert await states.get() == ("active", 0)


async def test_an_idle_connection_says_so_and_wakes_up(tmp_path: Path) -> None:
    states: asyncio.Queue[LinkState] = asyncio.Queue()
    with Server(tmp_path, {"live": {"drain_s": 0, "inactive_s": 0.2}}) as server:
        async with Live(server.url, told=lambda state, retry_in_s: states.put_nowait(state)):
            assert [await states.get() for _ in range(3)] == ["active", "inactive", "active"]


async def test_unsubscribing_forgets_the_board(server: Server) -> None:
    async with Live(server.url) as live:
        name = await live.subscribe(BOARD)
        await shows(live, [])
        await live.unsubscribe(name)
        assert live.view(name) is None


async def test_refusals_are_raised_where_they_belong(server: Server) -> None:
    async with Live(server.url) as live:
        with pytest.raises(NotFound):
            await live.subscribe("nowhere")
        with pytest.raises(Unauthenticated):
            await live.start_action(BOARD, "coin")
    with pytest.raises(Unauthenticated):
        async with Live(server.url, token=lambda: "nonsense"):
            pass


PRIVATE = BoardSettings(operator="sum", public=False)


async def put_board(server: Server, settings: BoardSettings) -> None:
    async with Client(server.url, key=server.key) as backend:
        await backend.put_board(BOARD, settings)


async def test_a_board_that_is_closed_to_its_viewer_is_raised_to_the_iterator(server: Server) -> None:
    async with Live(server.url) as live:
        await live.subscribe(BOARD)
        await shows(live, [])
        await put_board(server, PRIVATE)
        with pytest.raises(Forbidden):
            await anext(live)


async def test_a_board_that_is_refused_after_a_reconnect_is_raised_to_the_iterator(server: Server) -> None:
    port = urlsplit(server.url).port or 0
    async with Live(server.url) as live:
        await live.subscribe(BOARD)
        await shows(live, [])
        await asyncio.to_thread(server.terminate)
        await asyncio.to_thread(server.start)
        await put_board(server, PRIVATE)
        await asyncio.to_thread(server.terminate)
        await asyncio.to_thread(server.start, port)
        with pytest.raises(Unauthenticated):
            await anext(live)


async def test_signing_out_over_the_socket_ends_it_for_good(server: Server) -> None:
    async with Client(server.url) as client:
        await client.register("lin", "correct horse")
        async with client.live() as live:
            assert await live.call(dict[str, str | int], "logout")
            with pytest.raises(Forbidden, match="signed out"):
                await anext(live)


async def test_a_message_lost_to_the_rate_limit_is_not_waited_for(tmp_path: Path) -> None:
    with Server(tmp_path, {"limits": {"messages_per_minute": 3}}) as server:
        async with Live(server.url) as live:
            for _ in range(2):
                await live.call(BoardsOut, "boards")
            with pytest.raises(OutcomeUnknown):
                await live.call(BoardsOut, "boards")


async def test_a_session_is_renewed_half_way_to_its_end_and_not_over_and_over(tmp_path: Path) -> None:
    loop, renewals = asyncio.get_running_loop(), asyncio.Queue[float]()
    with Server(tmp_path, {"security": {"access_ttl_s": 3}}) as server:
        async with Client(server.url) as client:
            await client.register("lin", "correct horse")

            async def renew() -> None:
                await client.refresh()
                renewals.put_nowait(loop.time())

            async with Live(server.url, token=lambda: client.token, renew=renew):
                assert -await renewals.get() + await renewals.get() > 0.4


@pytest.mark.parametrize("rubbish", ["nonsense", '{"type":"snapshot","board":5}', '{"type":["ping"]}'])
async def test_a_message_that_cannot_be_read_is_raised_to_the_iterator(rubbish: str) -> None:
    async def talk_rubbish(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=["scoreboard.v1.json"])
        await socket.prepare(request)
        await socket.receive()
        await socket.send_str('{"type":"auth.ok","ping_s":25}')
        await socket.send_str(rubbish)
        await socket.receive()
        return socket

    app = web.Application()
    app.router.add_get("/ws", talk_rubbish)
    async with TestServer(app) as babbler, Live(str(babbler.make_url("/"))) as live:
        with pytest.raises(ClientError, match="scoreboard"):
            await anext(live)


async def test_a_fault_of_the_listener_is_raised_to_the_iterator(server: Server) -> None:
    def told(state: LinkState, retry_in_s: float) -> None:
        if state == "reconnecting":
            raise BrokenPipeError

    async with Live(server.url, told=told) as live:
        await live.drop()
        with pytest.raises(BrokenPipeError):
            await anext(live)
