"""The REST client against the real server, and against one that fails now and then."""

from collections.abc import AsyncIterator, Iterator

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from scoreboard.client import Client, ClientError
from scoreboard.clock import DAY, ManualClock, SystemClock
from scoreboard.errors import (
    ActionTokenUsed,
    BadRequest,
    NotFound,
    OutcomeUnknown,
    TokenExpired,
    Unauthenticated,
    Unavailable,
    UsernameTaken,
)
from scoreboard.model import ActionRule, BoardSettings
from scoreboard.secrets import load_secret
from scoreboard.tokens import AccessTokens, Keyring
from scoreboard.wire import BatchItem
from tests.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("client")) as running:
        yield running


@pytest.fixture
async def backend(server: Server) -> AsyncIterator[Client]:
    async with Client(server.url, key=server.key) as client:
        yield client


async def test_a_player_registers_scores_and_is_seen(server: Server) -> None:
    async with Client(server.url) as client:
        signed_in = await client.register("grace", "correct horse", "Grace “Amazing” Hopper")
        action = await client.start_action("main", "coin")
        outcome = await client.submit("main", action.action_token, 25, metadata={"level": 4})
        assert (outcome.status, outcome.score, outcome.position) == ("accepted", 25, 1)
        assert (await client.me()).name == "Grace “Amazing” Hopper"
        player = signed_in.player.id
        assert (await client.player("main", player)).score == 25
        assert [row.player_id for row in (await client.top("main")).rows] == [player]
        assert [row.player_id for row in (await client.around("main", player)).rows] == [player]
        assert (await client.ranks("main", [player, "nobody"])).missing == ("nobody",)
        assert [one.score for one in (await client.history("main", player)).submissions] == [25]
        with pytest.raises(ActionTokenUsed) as used:
            await client.submit("main", action.action_token, 25)
        assert used.value.result is not None
        assert used.value.result["submission_id"] == outcome.submission_id


async def test_signing_in_again_refreshing_and_leaving(server: Server) -> None:
    async with Client(server.url) as client:
        await client.register("alan", "correct horse")
        with pytest.raises(UsernameTaken):
            await client.register("alan", "correct horse")
        await client.login("alan", "correct horse")
        before = client.token
        await client.refresh()
        assert client.token != before
        await client.logout()
        with pytest.raises(Unauthenticated):
            await client.me()
        with pytest.raises(Unauthenticated):
            await client.refresh()


async def test_an_expired_access_token_is_renewed_by_itself(server: Server, backend: Client) -> None:
    tokens = await backend.exchange("c:renewed")
    session = jwt.decode(tokens.access_token, options={"verify_signature": False})["sid"]
    yesterday = ManualClock(SystemClock().now() - DAY)
    keyring = Keyring.from_secrets(load_secret(server.data / "secret.key"))
    expired = AccessTokens(keyring, "scoreboard", "scoreboard", 900, yesterday).issue("c:renewed", session, "player")
    async with Client(server.url, token=expired) as client:
        with pytest.raises(TokenExpired):
            await client.me()
    async with Client(server.url, token=expired, refresh_token=tokens.refresh_token) as client:
        assert (await client.me()).id == "c:renewed"


async def test_standings_go_through_every_page(backend: Client) -> None:
    await backend.put_board("pages", BoardSettings(operator="best", actions={"run": ActionRule()}))
    items = [BatchItem(player_id=f"c:{number}", board="pages", score=number) for number in range(25)]
    assert {outcome.status for outcome in await backend.batch(items)} == {"accepted"}
    shown = [row.score async for row in backend.standings("pages", page_size=10)]
    assert shown == list(range(24, -1, -1))


async def test_a_voided_submission_is_gone(backend: Client) -> None:
    (outcome,) = await backend.batch([BatchItem(player_id="c:void", board="main", score=5)])
    assert isinstance(outcome.submission_id, str)
    answer = await backend.void(outcome.submission_id, "a mistake")
    assert answer.player_id == "c:void"
    with pytest.raises(NotFound):
        await backend.player("main", "c:void")


async def test_errors_are_raised_as_their_classes(server: Server, backend: Client) -> None:
    with pytest.raises(NotFound):
        await backend.top("nowhere")
    with pytest.raises(BadRequest, match="limit"):
        await backend.top("main", 500)
    async with Client("http://127.0.0.1:1", attempts=1) as client:
        with pytest.raises(Unavailable, match="does not answer"):
            await client.boards()


class Flaky:
    """Counts a batch and a score, but cuts the connection or says 503 before the first answers."""

    def __init__(self, failures: list[str]) -> None:
        self.failures = failures
        self.bodies: list[bytes] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.read())
        match self.failures.pop(0) if self.failures else "":
            case "cut":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case "503":
                return web.Response(status=503, text="upstream is gone", headers={"Retry-After": "0"})
            case "strange":
                return web.json_response({"code": "novel", "title": "Never heard of"}, status=418)
            case "used":
                first = {"status": "accepted", "submission_id": "s1", "board": "main", "score": 5}
                return web.json_response({"code": "action_token_used", "result": first}, status=409)
            case "not ours":
                return web.Response(text="<html>hello</html>")
        return web.json_response({"items": [{"player_id": "a", "board": "main", "status": "accepted"}]})


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeats without waiting."""
    monkeypatch.setattr("scoreboard.client.rest.pause_s", lambda attempt, retry_after_s=None: 0.0)


async def against(flaky: "Flaky | Exporting") -> TestServer:
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", flaky.handle)
    server = TestServer(app)
    await server.start_server()
    return server


@pytest.mark.usefixtures("brisk")
async def test_a_batch_is_repeated_with_the_same_ids_until_it_is_answered() -> None:
    flaky = Flaky(["cut", "503"])
    async with await against(flaky) as server, Client(str(server.make_url(""))) as client:
        (outcome,) = await client.batch([BatchItem(player_id="a", board="main", score=5)])
    assert outcome.status == "accepted"
    assert len(flaky.bodies) == 3
    assert len(set(flaky.bodies)) == 1
    assert b'"id":"' in flaky.bodies[0]


@pytest.mark.usefixtures("brisk")
async def test_a_score_whose_answer_was_lost_is_answered_by_its_repeat() -> None:
    flaky = Flaky(["cut", "used"])
    async with await against(flaky) as server, Client(str(server.make_url(""))) as client:
        assert (await client.submit("main", "token", 5)).submission_id == "s1"


@pytest.mark.usefixtures("brisk")
async def test_after_the_last_attempt_the_outcome_is_unknown() -> None:
    async with (
        await against(Flaky(["cut"] * 9)) as server,
        Client(str(server.make_url("")), attempts=3) as client,
    ):
        with pytest.raises(OutcomeUnknown):
            await client.submit("main", "token", 5)


async def test_a_code_it_does_not_know_is_told_with_its_status() -> None:
    async with await against(Flaky(["strange"])) as server, Client(str(server.make_url(""))) as client:
        with pytest.raises(ClientError, match="Never heard of") as refusal:
            await client.me()
    assert (refusal.value.problem_code, refusal.value.http_status) == ("novel", 418)


async def test_what_is_no_scoreboard_is_said_to_be_none() -> None:
    async with await against(Flaky(["not ours"])) as server, Client(str(server.make_url(""))) as client:
        with pytest.raises(ClientError, match="does not answer like a scoreboard"):
            await client.boards()


class Exporting:
    """A board as a file, in two pieces: what goes wrong is told for each request, by its method."""

    def __init__(self, faults: dict[str, list[str]]) -> None:
        self.faults = faults

    async def handle(self, request: web.Request) -> web.StreamResponse:
        faults = self.faults.get(request.method, [])
        fault = faults.pop(0) if faults else ""
        assert request.transport is not None
        if fault == "503":
            return web.Response(status=503, headers={"Retry-After": "0"})
        if fault == "cut":
            request.transport.abort()
            return web.Response()
        response = web.StreamResponse(headers={"ETag": f'"{fault or "same"}"'})
        await response.prepare(request)
        if request.method == "GET":
            await response.write(b"one,")
            if fault == "half":
                request.transport.abort()
                return response
            await response.write(b"two")
        return response


@pytest.mark.usefixtures("brisk")
@pytest.mark.parametrize(
    ("faults", "stood_still"),
    [
        ({}, True),
        ({"HEAD": ["other"]}, False),
        ({"GET": ["503", "cut"], "HEAD": ["cut", "503"]}, True),
        ({"HEAD": ["cut"] * 20}, None),
    ],
)
async def test_a_whole_board_is_fetched_though_the_server_is_gone_for_a_moment_before_or_after(
    faults: dict[str, list[str]], stood_still: bool | None
) -> None:
    pieces: list[bytes] = []
    async with await against(Exporting(faults)) as server, Client(str(server.make_url(""))) as client:
        assert await client.export("main", pieces.append) is stood_still
    assert b"".join(pieces) == b"one,two"


@pytest.mark.usefixtures("brisk")
async def test_a_board_that_is_broken_off_half_way_is_not_begun_anew_behind_its_first_half() -> None:
    pieces: list[bytes] = []
    exporting = Exporting({"GET": ["half"]})
    async with await against(exporting) as server, Client(str(server.make_url(""))) as client:
        with pytest.raises(OutcomeUnknown):
            await client.export("main", pieces.append)
    assert b"".join(pieces) == b"one,"
