"""The browser client's own promises, for those who put a board into a page of theirs."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import playwright
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, WebSocket

import scoreboard
from scoreboard.config import LiveSettings, SecuritySettings, Settings
from tests.api.app import NO_LIMITS, Api, running
from tests.web.browsing import NOWHERE, Browsing

pytestmark = pytest.mark.asyncio(loop_scope="package")

VIEW = """async ([shown, messages]) => {
    const { advance } = await import("/web/view.js");
    return messages.map((message) => {
        const next = advance(shown, message);
        if (next === null) return "gap";
        if (next === shown) return "kept";
        shown = next;
        return [shown.version, shown.total, shown.rows.map((row) => row.player_id).join("")];
    });
}"""

CONNECT = """async (options) => {
    const { Scoreboard } = await import("/web/scoreboard.js");
    window.saved = [];
    const session = options.session && {
        load: () => window.saved.at(-1) ?? options.session,
        save: (next) => window.saved.push(next),
    };
    window.live = new Scoreboard({ ...options, session });
    window.states = [live.state];
    live.addEventListener("state", () => window.states.push(live.state));
}"""

FOLLOW = """
const { Scoreboard } = await import(process.argv[2]);
const live = new Scoreboard({ url: process.argv[3], codec: "msgpack" });
const board = live.subscribe("main");
board.addEventListener("change", () => {
  const [{ name, score }] = board.rows;
  console.log(name, score);
  if (score > 5) live.close();
});
"""

WEB = Path(scoreboard.__file__).parent / "web"
NODE = Path(playwright.__file__).parent / "driver" / "node"
"""The one that drives the browser."""

"""A page that shows no board, and so subscribes to nothing."""

QUICK = Settings(
    limits=NO_LIMITS,
    live=LiveSettings(ping_s=0.2, inactive_s=0.5, close_s=1, spectators_idle_out=True),
    security=SecuritySettings(access_ttl_s=4),
)


def row(position: int, player: str) -> dict[str, Any]:
    return {"position": position, "rank": position, "player_id": player, "name": player, "score": -position}


def snapshot(version: int, players: str, epoch: int = 1, period: str = "all") -> dict[str, Any]:
    rows = [row(position, player) for position, player in enumerate(players, 1)]
    return {"type": "snapshot", "period": period, "epoch": epoch, "version": version, "total": 9, "rows": rows}


def delta(old: int, new: int, *rows: dict[str, Any], gone: str = "", epoch: int = 1) -> dict[str, Any]:
    head = {"type": "delta", "period": "all", "epoch": epoch, "from": old, "version": new, "total": 10}
    return {**head, "rows": list(rows), "gone": list(gone)}


@pytest_asyncio.fixture(loop_scope="package")
async def page(browsing: Browsing) -> Page:
    """A page to run the client in."""
    return await browsing.open(NOWHERE)


@pytest_asyncio.fixture(loop_scope="package")
async def quick(browser: Browser, tmp_path: Path) -> AsyncIterator[tuple[Api, Browsing]]:
    """A server whose times are short."""
    async with running(tmp_path, QUICK) as api:
        browsing = Browsing(browser, str(api.http.make_url("")).rstrip("/"))
        yield api, browsing
        await browsing.close()
        assert browsing.faults == []


async def state(page: Page, wanted: str) -> None:
    await page.wait_for_function("(wanted) => window.live.state === wanted", arg=wanted)


def subscriptions(page: Page) -> list[dict[str, Any]]:
    """The `subscribe` messages that the page will have sent."""
    sent: list[dict[str, Any]] = []

    def note(payload: str | bytes) -> None:
        message = json.loads(payload)
        if message["type"] == "subscribe":
            sent.append(message)

    def follow(socket: WebSocket) -> None:
        socket.on("framesent", note)

    page.on("websocket", follow)
    return sent


@pytest.mark.parametrize(
    ("messages", "outcome"),
    [
        ([snapshot(5, "abc"), delta(5, 7, row(1, "d"), row(2, "a"), row(3, "b"), gone="c")], [7, 10, "dab"]),
        ([snapshot(5, "abc"), delta(5, 6, row(3, "d"), gone="c")], [6, 10, "abd"]),
        ([snapshot(5, "abc"), delta(5, 6, row(1, "b"), row(2, "a"))], [6, 10, "bac"]),
        ([snapshot(5, "abc"), snapshot(5, "xyz")], "kept"),
        ([snapshot(5, "abc"), snapshot(4, "xyz")], "kept"),
        ([snapshot(5, "abc"), delta(3, 5, row(1, "x"))], "kept"),
        ([snapshot(5, "abc", epoch=2), snapshot(9, "xyz", epoch=1)], "kept"),
        ([snapshot(5, "abc"), snapshot(1, "z", epoch=2)], [1, 9, "z"]),
        ([snapshot(5, "abc"), snapshot(1, "", period="2026-11")], [1, 9, ""]),
        ([snapshot(5, "abc"), delta(6, 7, row(1, "x"))], "gap"),
        ([snapshot(5, "abc"), delta(5, 6, row(1, "x"), epoch=2)], "gap"),
        ([delta(5, 6, row(1, "x"))], "gap"),
    ],
)
async def test_only_what_continues_the_shown_board_is_applied(modules: Page, messages: list[Any], outcome: Any) -> None:
    assert (await modules.evaluate(VIEW, [None, messages]))[-1] == outcome


async def test_pauses_grow_with_jitter_and_are_never_shorter_than_told(modules: Page) -> None:
    pauses = """async () => {
        const { pause } = await import("/web/backoff.js");
        const at = (share) => [0, 1, 3, 9, 2000].map((attempt) => pause(attempt, 0, () => share));
        return [at(0), at(1), pause(0, 7000), pause(9, 100, () => 0)];
    }"""
    least, most = [500] * 5, [1000, 1500, 4500, 20_000, 20_000]
    assert await modules.evaluate(pauses) == [least, most, 7000, 500]


async def test_the_states_are_passed_in_order(page: Page) -> None:
    await page.evaluate(CONNECT, {})
    await state(page, "active")
    await page.evaluate("live.close()")
    passed = ["connecting", "connected", "authenticated", "active", "disconnected"]
    assert await page.evaluate("states") == passed
    assert await page.evaluate("[live.retryAt, live.farewell, live.player]") == [None, None, None]


async def test_a_refusal_is_an_error_with_the_servers_code(page: Page) -> None:
    await page.evaluate(CONNECT, {})
    call = "live.call('board', {board: 'nowhere'}).catch(({code, temporary, name}) => [code, temporary, name])"
    assert await page.evaluate(call) == ["not_found", False, "ScoreboardError"]


@pytest.mark.parametrize("codec", ["json", "msgpack"])
async def test_a_board_is_shown_and_scored_on_in_either_codec(page: Page, api: Api, codec: str) -> None:
    await page.evaluate(CONNECT, {"codec": codec})
    await page.evaluate("live.signUp('ada', 'correct horse')")
    await page.evaluate("window.board = live.subscribe('main'), 0")
    await page.wait_for_function("() => board.version")
    play = """async () => {
        const { action_token } = await live.call("action", { board: "main", action: "coin" });
        return (await live.call("score", { board: "main", action_token, score: 5, metadata: { level: 0.5 } })).score;
    }"""
    assert await page.evaluate(play) == 5
    await page.wait_for_function("() => board.rows[0]?.score === 5 && board.rows[0].name === 'ada'")


async def test_a_score_whose_answer_is_lost_is_sent_again_and_counts_once(page: Page, api: Api) -> None:
    await page.evaluate(CONNECT, {})
    await page.evaluate("live.signUp('ada', 'correct horse')")
    play = """async () => {
        const { action_token } = await live.call("action", { board: "main", action: "coin" });
        const { send } = WebSocket.prototype;
        let sent = 0;
        WebSocket.prototype.send = function (data) {
            send.call(this, data);
            if (data.includes('"score"') && ++sent < 3) this.close();
        };
        const answer = await live.submit({ board: "main", action_token, score: 5 });
        return [sent, answer.status, answer.score];
    }"""
    assert await page.evaluate(play) == [3, "accepted", 5]
    assert await api.rows() == [(1, "ada", 5)]


async def test_a_program_in_node_follows_a_board(api: Api, tmp_path: Path) -> None:
    ada, _ = await api.registered("ada")
    await ada.score(5)
    program = tmp_path / "follow.mjs"
    program.write_text(FOLLOW)
    url, module = str(api.http.make_url("/")), WEB / "scoreboard.js"
    node = await asyncio.create_subprocess_exec(
        NODE, "--no-warnings", program, module.as_uri(), url, stdout=asyncio.subprocess.PIPE
    )
    assert node.stdout is not None
    assert await node.stdout.readline() == b"ada 5\n"
    await ada.score(6)
    assert await node.stdout.readline() == b"ada 11\n"
    assert await node.wait() == 0


async def test_leaving_a_board_does_not_end_another_subscription_to_it(page: Page, api: Api) -> None:
    await page.evaluate(CONNECT, {})
    await state(page, "active")
    await page.evaluate("live.subscribe('main').close(), window.board = live.subscribe('main'), 0")
    await page.wait_for_function("() => board.version")
    await page.evaluate("live.call('boards')")
    ada, _ = await api.registered("ada")
    await ada.score(5)
    await page.wait_for_function("() => board.rows[0]?.score === 5")


async def test_a_client_that_speaks_nonsense_does_not_come_back(page: Page) -> None:
    await page.evaluate(CONNECT, {})
    await page.evaluate("Promise.allSettled(Array.from({length: 10}, () => live.call('nonsense')))")
    await state(page, "disconnected")
    assert await page.evaluate("[live.farewell, live.retryAt]") == ["bad protocol", None]
    assert await page.evaluate("live.call('boards').catch(({code}) => code)") == "disconnected"


async def test_a_silent_server_is_given_up(page: Page) -> None:
    await page.clock.install()
    await page.evaluate(CONNECT, {})
    await state(page, "active")
    await page.clock.fast_forward(34_000)
    assert await page.evaluate("live.state") == "active"
    await page.clock.fast_forward(2_000)
    await page.wait_for_function("() => states.includes('disconnected')")
    await page.clock.fast_forward(1_000)
    await state(page, "active")


async def test_a_page_that_comes_online_tries_at_once(page: Page) -> None:
    await page.clock.install()
    await page.evaluate(CONNECT, {})
    await state(page, "active")
    await page.clock.pause_at(await page.evaluate("Date.now() + 60_000"))
    await state(page, "disconnected")
    assert await page.evaluate("dispatchEvent(new Event('online')), live.state") == "connecting"
    await state(page, "active")


async def test_an_idle_client_is_woken_by_its_user_and_comes_back_after_being_closed(
    quick: tuple[Api, Browsing],
) -> None:
    _, browsing = quick
    page = await browsing.open(NOWHERE)
    sent = subscriptions(page)
    await page.evaluate(CONNECT, {})
    await page.evaluate("window.board = live.subscribe('main')")
    await page.wait_for_function("() => board.version")
    await state(page, "inactive")
    await page.mouse.move(5, 5)
    await state(page, "active")
    await state(page, "disconnected")
    await state(page, "active")
    assert "since" not in sent[0]
    assert sent[1]["since"] == {"period": "all", "epoch": 1, "version": await page.evaluate("board.version")}


async def test_tokens_are_renewed_on_the_open_socket(quick: tuple[Api, Browsing]) -> None:
    api, browsing = quick
    signed_in = await api.post("auth/register", {"username": "ada", "password": "correct horse"})
    page = await browsing.open(NOWHERE)
    await page.evaluate(CONNECT, {"session": {**signed_in.body, "expires_at": 0}})
    await state(page, "active")
    assert await page.evaluate("live.player.name") == "ada"
    await page.evaluate("setInterval(() => live.call('me'), 100), 0")
    await page.wait_for_function("() => saved.length >= 3")
    assert await page.evaluate("states") == ["connecting", "connected", "authenticated", "active"]


async def test_who_cannot_renew_goes_on_as_a_spectator(quick: tuple[Api, Browsing]) -> None:
    _, browsing = quick
    page = await browsing.open(NOWHERE)
    await page.evaluate(CONNECT, {"session": {"access_token": "old", "refresh_token": "older", "expires_at": 0}})
    await state(page, "active")
    assert await page.evaluate("[live.player, saved.at(-1)]") == [None, None]


@pytest.mark.parametrize(("number", "shows"), [(0, "ada: 5"), (1, "ada")], ids=["client", "element"])
async def test_the_lines_of_the_documentation_work(browser: Browser, tmp_path: Path, number: int, shows: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / "browser.md").read_text()
    lines = re.findall(r"```html\n(.*?)```", text, re.DOTALL)[number]
    settings = Settings(limits=NO_LIMITS, live=LiveSettings(origins=("*",)))
    async with running(tmp_path, settings) as api:
        browsing = Browsing(browser, str(api.http.make_url("")).rstrip("/"))
        page = await browsing.blank()
        await page.set_content(lines.replace("https://scores.example", browsing.url))
        ada, _ = await api.registered("ada")
        await ada.score(5)
        await page.get_by_text(shows, exact=True).wait_for()
        await browsing.close()
    assert browsing.faults == []
