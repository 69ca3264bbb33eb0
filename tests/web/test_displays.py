"""A board as something else than a page: on a wall, in a frame, over a video, and as an element of another page."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, expect

from scoreboard.app.state import HUB
from scoreboard.config import LiveSettings, ServerSettings, Settings
from tests.api.app import NO_LIMITS, Api, backend, running
from tests.server import Server
from tests.web.browsing import Browsing, live, shown
from tests.web.test_page import post, put, violations

pytestmark = pytest.mark.asyncio(loop_scope="package")

SIZES = {"phone": (320, 640), "hd": (1920, 1080), "4k": (3840, 2160), "tall": (1080, 1920)}
SCORES = {f"player {n}": 1000 - n for n in range(12)}
DISPLAYS = ("wall", "embed", "overlay")

FITS = """() => {
    const { scrollWidth, scrollHeight, clientWidth, clientHeight } = document.documentElement;
    return [scrollWidth <= clientWidth, scrollHeight <= clientHeight];
}"""

ELEMENT = """<!doctype html><html lang="en"><title>Blog</title>
<script type="module" src="{home}web/element.js"></script>
<h1>My game</h1><live-scoreboard board="main" limit="3"></live-scoreboard>"""

SCRIPT = """<!doctype html><html lang="en"><title>Blog</title><script type="module">
import {{ Scoreboard }} from "{home}web/scoreboard.js";
window.live = new Scoreboard();
</script>"""


def rows(scores: dict[str, int], limit: int) -> list[str]:
    return [f"{n} {name} {score:,}" for n, (name, score) in enumerate(list(scores.items())[:limit], 1)]


async def visible(page: Page, *selectors: str) -> list[str]:
    return [selector for selector in selectors if await page.locator(selector).is_visible()]


@pytest.mark.parametrize("size", SIZES)
async def test_a_wall_shows_all_its_rows_on_any_screen(browsing: Browsing, api: Api, tmp_path: Path, size: str) -> None:
    await post(api, tmp_path, SCORES)
    width, height = SIZES[size]
    page = await browsing.open("/b/main?display=wall", viewport={"width": width, "height": height})
    await shown(page, *rows(SCORES, 10))
    assert await page.evaluate(FITS) == [True, True]
    row = await page.locator("tbody tr").nth(4).bounding_box()
    assert row is not None
    assert row["height"] > height / 22


@pytest.mark.parametrize("size", ["phone", "tall"])
async def test_a_long_title_is_not_cut_on_a_wall_that_is_high_and_narrow(
    browsing: Browsing, api: Api, tmp_path: Path, size: str
) -> None:
    title = "Championship of the Northern Valleys, Final Round"
    await put(api, tmp_path, "main", title=title)
    await post(api, tmp_path, SCORES)
    width, height = SIZES[size]
    page = await browsing.open("/b/main?display=wall", viewport={"width": width, "height": height})
    await shown(page, *rows(SCORES, 10))
    await expect(page.locator("h1")).to_have_text(title)
    beyond = "(title) => [title.scrollWidth - title.clientWidth, title.scrollHeight - title.clientHeight]"
    wide, high = await page.locator("h1").evaluate(beyond)
    assert wide == 0
    assert high < height / 100  # what hangs below a line is no line
    assert await page.evaluate(FITS) == [True, True]


@pytest.mark.parametrize("size", ["hd", "4k"])
async def test_few_players_are_large_on_a_wall_and_more_find_room(
    browsing: Browsing, api: Api, tmp_path: Path, size: str
) -> None:
    await post(api, tmp_path, dict(list(SCORES.items())[:3]))
    width, height = SIZES[size]
    page = await browsing.open("/b/main?display=wall", viewport={"width": width, "height": height})
    await shown(page, *rows(SCORES, 3))
    row = await page.locator("tbody tr").nth(1).bounding_box()
    assert row is not None
    assert row["height"] > height / 9
    assert await page.evaluate(FITS) == [True, True]
    await post(api, tmp_path, dict.fromkeys(list(SCORES)[:3], 0) | dict(list(SCORES.items())[3:]))
    await shown(page, *rows(SCORES, 10))
    assert await page.evaluate(FITS) == [True, True]


@pytest.mark.parametrize("display", DISPLAYS)
async def test_a_display_has_nothing_to_press_and_goes_on_live(
    browsing: Browsing, api: Api, tmp_path: Path, display: str
) -> None:
    await post(api, tmp_path, SCORES)
    page = await browsing.open(f"/b/main?display={display}&limit=3")
    await shown(page, *rows(SCORES, 3))
    assert await visible(page, "aside", "nav", "#theme", "#status button") == []
    await post(api, tmp_path, {"player 0": 0, "player 1": 5})
    await shown(page, "1 player 1 1,004", "2 player 0 1,000", "3 player 2 998")
    assert await violations(page) == []


async def test_an_overlay_is_transparent(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    await post(api, tmp_path, SCORES)
    page = await browsing.open("/b/main?display=overlay")
    await shown(page, *rows(SCORES, 10))
    paints = "[getComputedStyle(document.documentElement), getComputedStyle(document.body, '::before')]"
    assert (
        await page.evaluate(f"{paints}.map((style) => style.backgroundImage + ' ' + style.backgroundColor)")
        == ["none rgba(0, 0, 0, 0)"] * 2
    )


async def test_a_wall_is_never_paused(browser: Browser, tmp_path: Path) -> None:
    quick = Settings(limits=NO_LIMITS, live=LiveSettings(ping_s=0.2, inactive_s=0.3, close_s=30))
    async with running(tmp_path, quick) as api:
        browsing = Browsing(browser, str(api.http.make_url("")).rstrip("/"))
        page = await browsing.open("/b/main?display=wall")
        # Paused and awake again, twice: it does not stay so, and nobody touched anything.
        await page.wait_for_function("() => seen.states.filter((state) => state === 'inactive').length >= 2")
        await post(api, tmp_path, {"ada": 5})
        await shown(page, "1 ada 5")
        await browsing.close()
    assert browsing.faults == []


async def test_a_wall_says_that_its_server_is_gone_and_finds_it_again(browser: Browser, tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        browsing = Browsing(browser, server.url)
        page = await browsing.open("/b/main?display=overlay")
        await live(page)
        assert not await page.locator("#status").is_visible()
        browsing.server_may_be_gone = True
        server.kill()
        await expect(page.locator("#status")).to_be_visible()
        server.start(int(server.url.rpartition(":")[2]))
        await live(page)
        await browsing.close()
    assert browsing.faults == []


@pytest.mark.parametrize("display", ["page", "overlay"])
async def test_a_board_that_may_be_behind_says_so(browsing: Browsing, api: Api, tmp_path: Path, display: str) -> None:
    await post(api, tmp_path, {"ada": 5})
    page = await browsing.open(f"/b/main?display={display}")
    await shown(page, "1 ada 5")
    assert api.http.app is not None
    hub = api.http.app[HUB]
    hub.freshness(stale=True)
    await expect(page.locator("#status span")).to_have_text("May be behind – the server is recovering")
    await expect(page.locator("#status")).to_be_visible()
    assert await violations(page) == []
    hub.freshness(stale=False)
    await expect(page.locator("#status span")).to_have_text("Live")


async def test_periods_that_have_ended_can_be_looked_at_and_shared(
    browsing: Browsing, api: Api, tmp_path: Path
) -> None:
    await put(api, tmp_path, "daily", operator="sum", windows=["day", "all"])
    past = {"board": "daily", "at": "2026-01-02T12:00:00Z"}
    items = [
        {"player_id": "x:0", "name": "ada", "score": 7, **past},
        {"player_id": "x:1", "name": "bo", "score": 9, **past},
    ]
    assert (await backend(api, tmp_path).post("scores/batch", {"items": items})).status == 200
    await post(api, tmp_path, {"ada": 3}, board="daily")
    page = await browsing.open("/b/daily")
    await shown(page, "1 ada 3")
    await page.get_by_label("Period").select_option("Jan 2, 2026")
    await shown(page, "1 bo 9", "2 ada 7")
    await expect(page.locator("#note")).to_have_text("2 players · Jan 2, 2026, ended")
    again = await browsing.open(page.url.removeprefix(browsing.url))
    await shown(again, "1 bo 9", "2 ada 7")
    await post(api, tmp_path, {"ada": 4}, board="daily")
    await page.get_by_label("Period").select_option("Now")
    await shown(page, "1 ada 7")
    await page.get_by_role("button", name="All time").click()
    await shown(page, "1 ada 14", "2 bo 9")
    await expect(page.locator("#periods")).to_be_hidden()
    assert await violations(page) == []


async def other_site(text: str) -> TestServer:
    """Another origin, with one page."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    server = TestServer(app)
    await server.start_server()
    return server


class Site(Browsing):
    """Pages of another origin that may ask the scoreboard too."""

    def __init__(self, browser: Browser, site: TestServer, api: Api) -> None:
        super().__init__(browser, str(site.make_url("")).rstrip("/"))
        self._home = str(api.http.make_url(""))

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(self._home):
            super()._asked(request)


async def test_one_element_puts_a_live_board_into_a_page_of_another_site(browser: Browser, tmp_path: Path) -> None:
    open_to_all = Settings(limits=NO_LIMITS, live=LiveSettings(origins=("*",)))
    async with running(tmp_path, open_to_all) as api:
        await post(api, tmp_path, SCORES)
        site = await other_site(ELEMENT.format(home=api.http.make_url("/")))
        browsing = Site(browser, site, api)
        page = await browsing.open()
        cells = page.locator("live-scoreboard .who")
        await expect(cells).to_have_text(["player 0", "player 1", "player 2"])
        await post(api, tmp_path, {"player 0": 0, "player 1": 0, "player 2": 50})
        await expect(cells).to_have_text(["player 2", "player 0", "player 1"])
        await page.evaluate("document.querySelector('live-scoreboard').setAttribute('limit', 1)")
        await expect(cells).to_have_text(["player 2"])
        await page.evaluate("document.querySelector('live-scoreboard').setAttribute('board', 'nowhere')")
        await expect(page.locator("live-scoreboard #note")).to_have_text("There is no board 'nowhere'.")
        assert await violations(page) == []
        await page.evaluate("document.querySelector('live-scoreboard').remove()")
        browsing.faults = [fault for fault in browsing.faults if "favicon" not in fault and "404" not in fault]
        await browsing.close()
        await site.close()
    assert browsing.faults == []


@pytest.mark.parametrize("client", ["element", "script"])
async def test_a_page_of_a_site_that_is_not_listed_says_so_and_the_console_says_which_setting(
    browser: Browser, tmp_path: Path, client: str
) -> None:
    async with running(tmp_path) as api:
        home = api.http.make_url("/")
        page_of = {"element": ELEMENT, "script": SCRIPT}
        site = await other_site(page_of[client].format(home=home))
        browsing = Site(browser, site, api)
        page = await browsing.blank()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        await page.goto(browsing.url)
        if client == "element":
            status = page.locator("live-scoreboard #status span")
            await expect(status).to_have_text("This page may not show the board")
        else:
            await page.wait_for_function("() => live.farewell === 'origin refused' && live.state === 'disconnected'")
            assert await page.evaluate("live.retryAt") is None
        [why] = [text for text in said if text.startswith("scoreboard: ")]
        assert why.startswith(f"scoreboard: {browsing.url}: ")
        assert "live.origins" in why
        await browsing.close()
        await site.close()


async def test_a_frame_of_another_site_shows_a_board_where_it_is_listed(browser: Browser, tmp_path: Path) -> None:
    listed = Settings(limits=NO_LIMITS, server=ServerSettings(frame_ancestors=("http://127.0.0.1:*",)))
    async with running(tmp_path, listed) as api:
        await post(api, tmp_path, SCORES)
        framed = api.http.make_url("/b/main").with_query(display="embed", limit=2)
        site = await other_site(f"<!doctype html><title>Blog</title><iframe title=Board src='{framed}'></iframe>")
        browsing = Site(browser, site, api)
        page = await browsing.open()
        await expect(page.frame_locator("iframe").locator(".who")).to_have_text(["player 0", "player 1"])
        browsing.faults = [fault for fault in browsing.faults if "404" not in fault]
        await browsing.close()
        await site.close()
    assert browsing.faults == []
