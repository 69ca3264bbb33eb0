"""The page as people use it, in a real browser on the real server."""

import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from scoreboard.app import create_app
from scoreboard.config import DataSettings, Settings
from tests.api.app import Api, backend
from tests.server import Server
from tests.web.browsing import NOWHERE, Browsing, live, score, shown, sign_up

pytestmark = pytest.mark.asyncio(loop_scope="package")

HOSTILE = ("<script>window.hit = 1</script>", "<img src=x onerror='window.hit = 1'>", "'\"&lt;b&gt;", "שלום", "🦊" * 60)


async def post(api: Api, folder: Path, scores: dict[str, int], board: str = "main") -> None:
    items = [
        {"player_id": f"x:{number}", "name": name, "board": board, "score": n}
        for number, (name, n) in enumerate(scores.items())
    ]
    answer = await backend(api, folder).post("scores/batch", {"items": items})
    assert {item["status"] for item in answer.body["items"]} == {"accepted"}


async def put(api: Api, folder: Path, board: str, **settings: Any) -> None:
    answer = await backend(api, folder).call("PUT", f"admin/boards/{board}", settings)
    assert answer.status == 200, answer


async def violations(page: Page, *rules: str) -> list[str]:
    """What keeps people out, by all rules or some."""
    # A colour on its way is no colour to judge.
    await page.wait_for_function(
        "() => document.getAnimations().every(({ effect }) => effect.getTiming().iterations > 1)"
    )
    options = {"runOnly": list(rules)} if rules else None
    found = (await Axe().run(page, options=options)).response["violations"]
    return [f"{each['id']}: {each['help']}" for each in found if each["impact"] in ("serious", "critical")]


async def test_a_score_glides_to_its_place_on_everybodys_board(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    await post(api, tmp_path, {"ada": 90, "grace": 40})
    watching, playing = await browsing.open(), await browsing.open()
    await shown(watching, "1 ada 90", "2 grace 40")
    await sign_up(playing, "linus")
    await score(playing, "50")
    await shown(watching, "1 ada 90", "2 linus 50", "3 grace 40")
    await score(playing, "60")
    await shown(watching, "1 linus 110", "2 ada 90", "3 grace 40")
    glides = await watching.evaluate("seen.glides")
    assert [player for player, transform in glides if "translateY(-" in transform] == ["x:1", "x:0"]
    assert [player[:2] for player, transform in glides if re.search(r"translateY\(\d", transform)] == ["p_"]
    await expect(playing.locator("#said")).to_have_text("You are 1st with 110 (+60).")
    await expect(playing.locator("tr.own .who")).to_have_text("linus")


@pytest.mark.parametrize(("order", "shares"), [("desc", [1, 0.5, 0]), ("asc", [1, 1, 0.5])])
async def test_the_better_a_score_the_longer_its_bar(
    browsing: Browsing, api: Api, tmp_path: Path, order: str, shares: list[float]
) -> None:
    await put(api, tmp_path, "main", order=order)
    await post(api, tmp_path, {"ada": 0, "grace": 40, "alan": 80})
    page = await browsing.open()
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(3)
    drawn = "rows => rows.map((row) => Number(row.style.getPropertyValue('--share')))"
    assert await rows.evaluate_all(drawn) == shares


async def test_those_who_want_less_motion_get_none(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    await post(api, tmp_path, {"ada": 90, "grace": 40})
    page = await browsing.open(reduced_motion="reduce")
    await shown(page, "1 ada 90", "2 grace 40")
    await post(api, tmp_path, {"ada": 0, "grace": 60})
    await shown(page, "1 grace 100", "2 ada 90")
    assert await page.evaluate("seen.glides") == []


async def test_a_new_leader_is_told_to_those_who_listen_but_not_every_score(
    browsing: Browsing, api: Api, tmp_path: Path
) -> None:
    await post(api, tmp_path, {"ada": 90, "grace": 40})
    page = await browsing.blank()
    await page.clock.install()
    await page.goto(browsing.url)
    await shown(page, "1 ada 90", "2 grace 40")
    await post(api, tmp_path, {"ada": 1})
    await shown(page, "1 ada 91", "2 grace 40")
    await page.clock.fast_forward(6_000)
    await expect(page.locator("#announcer")).to_be_empty()
    await post(api, tmp_path, {"ada": 0, "grace": 60})
    await shown(page, "1 grace 100", "2 ada 91")
    await page.clock.fast_forward(6_000)
    await expect(page.locator("#announcer")).to_have_text("grace leads with 100.")


async def test_the_own_row_is_shown_below_the_others(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    await post(api, tmp_path, {f"player{n}": 100 - n for n in range(10)})
    page = await browsing.open()
    await sign_up(page, "ada")
    await score(page, "5")
    await expect(page.locator("tfoot tr.own")).to_have_text(re.compile("11.*ada.*you.*5"))
    await expect(page.locator("#note")).to_have_text("Top 10 of 11 players")
    await score(page, "96")
    await expect(page.locator("tbody tr.own .value")).to_have_text("101")
    await expect(page.locator("tfoot tr")).to_have_count(0)


async def test_a_restarted_server_is_found_again_and_the_board_goes_on(browser: Browser, tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        browsing = Browsing(browser, server.url)
        page = await browsing.open()
        await sign_up(page, "ada")
        await score(page, "7")
        await shown(page, "1 ada 7")
        browsing.server_may_be_gone = True
        server.kill()
        await expect(page.locator("#status span")).to_have_text(re.compile(r"Reconnecting in \d+ s"))
        await expect(page.locator("#announcer")).to_have_text("Connection lost.")
        await shown(page, "1 ada 7")
        server.start(int(server.url.rpartition(":")[2]))
        await live(page)
        await score(page, "8")
        await shown(page, "1 ada 15")
        states = await page.evaluate("seen.states")
        last_lost = len(states) - states[::-1].index("disconnected")
        assert states[last_lost:] == ["connecting", "connected", "authenticated", "active"]
        await browsing.close()
    assert browsing.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_stands_in_the_way_of_assistive_technology(
    browsing: Browsing, api: Api, tmp_path: Path, scheme: str
) -> None:
    await put(api, tmp_path, "laps", order="asc", windows=["all", "day"], decimals=2)
    await post(api, tmp_path, {"ada": 90, "grace": 90, "linus": 40, "zoe": 3})
    page = await browsing.open("/b/main", color_scheme=scheme)
    await shown(page, "1 ada 90", "1 grace 90", "3 linus 40", "4 zoe 3")
    assert await violations(page) == []
    await sign_up(page, "margaret")
    await score(page, "50")
    await expect(page.locator("tr.own .value")).to_have_text("50")
    await expect(page.locator(".gain")).to_have_count(0)
    assert await violations(page) == []
    empty = await browsing.open("/b/laps", color_scheme=scheme)
    await expect(empty.locator("#note")).to_have_text("No scores yet.")
    assert await violations(empty) == []


async def test_one_can_play_with_the_keyboard_alone(browsing: Browsing) -> None:
    page = await browsing.open()
    await live(page)
    keys = page.keyboard

    async def tab_to(locator: str) -> None:
        for _ in range(12):
            if await page.evaluate("(wanted) => document.activeElement.matches(wanted)", locator):
                return
            await keys.press("Tab")
        raise AssertionError(f"the keyboard does not lead to {locator}")

    await tab_to("[name=username]")
    await keys.type("ada")
    await tab_to("[name=password]")
    await keys.type("correct horse")
    await tab_to("[value=up]")
    await keys.press("Enter")
    await expect(page.locator("#go")).to_be_focused()
    await keys.press("Space")
    await expect(page.locator("#go")).to_have_text("Score!")
    await keys.press("Space")
    await shown(page, "1 ada 100")


async def test_what_went_wrong_is_said_in_plain_words(browsing: Browsing, api: Api) -> None:
    await api.registered("ada")
    page = await browsing.open()
    await page.get_by_label("Name").fill("ada")
    await page.get_by_label("Password").fill("wrong horse")
    await page.get_by_role("button", name="Sign in").click()
    said = page.locator("#said")
    await expect(said).to_have_text("Name and password do not match.")
    await page.get_by_role("button", name="Sign up").click()
    await expect(said).to_have_text("That name is taken, or looks like one that is.")
    await page.get_by_label("Password").fill("correct horse")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("#me")).to_have_text("ada")
    await score(page, "lots")
    await expect(said).to_have_text("Give a whole number.")
    await page.get_by_label("Points").fill("101")
    await page.get_by_role("button", name="Score!").click()
    await expect(said).to_have_text("Held for review: it counts once a moderator has approved it.")


async def test_a_sign_in_outlives_the_page_and_the_tab_only_if_asked(browsing: Browsing) -> None:
    page = await browsing.open()
    await sign_up(page, "ada")
    await page.reload()
    await expect(page.locator("#me")).to_have_text("ada")
    other = await page.context.new_page()
    await other.goto(browsing.url)
    await live(other)
    await expect(other.locator("#account")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_label("Stay signed in").check()
    await sign_up(page, "grace")
    await other.reload()
    await expect(other.locator("#me")).to_have_text("grace")


async def test_names_are_text_whatever_they_hold(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    await put(api, tmp_path, "hostile", title="<b>bold</b>", operator="best")
    scores = {name: 2**53 - 1 - n for n, name in enumerate(HOSTILE)}
    await post(api, tmp_path, {**scores, "low": 1 - 2**53}, "hostile")
    page = await browsing.open("/b/hostile", viewport={"width": 320, "height": 640})
    values = [f"9,007,199,254,740,{991 - n}" for n in range(5)]
    rows = [f"{n + 1} {name} {value}" for n, (name, value) in enumerate(zip(HOSTILE, values, strict=True))]
    await shown(page, *rows, "6 low −9,007,199,254,740,991")
    await expect(page.locator("h1")).to_have_text("<b>bold</b>")
    assert await page.evaluate("window.hit") is None
    assert await page.evaluate("document.documentElement.scrollWidth") == 320


async def test_boards_windows_and_decimals_are_the_boards_own(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    await put(api, tmp_path, "laps", title="Laps", order="asc", decimals=2, windows=["all", "day"])
    await post(api, tmp_path, {"ada": 6150, "grace": -5}, "laps")
    page = await browsing.open("/b/main")
    await page.get_by_role("link", name="Laps").click()
    await shown(page, "1 grace −0.05", "2 ada 61.50")
    await page.get_by_role("button", name="Today").click()
    await expect(page).to_have_url(re.compile(r"/b/laps\?window=day$"))
    await shown(page, "1 grace −0.05", "2 ada 61.50")
    await page.reload()
    await expect(page.get_by_role("button", name="Today")).to_have_attribute("aria-pressed", "true")


async def test_a_board_that_is_not_there_or_not_public_says_so(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    await put(api, tmp_path, "staff", title="Staff", public=False, actions={"coin": {}})
    page = await browsing.open(NOWHERE)
    await expect(page.locator("#note")).to_have_text("There is no such board.")
    await expect(page.get_by_role("link", name="Main")).to_be_visible()
    await page.goto(f"{browsing.url}/b/staff")
    await expect(page.locator("#note")).to_have_text("This board is not public. Sign in to watch it.")
    await sign_up(page, "ada")
    await score(page, "5")
    await shown(page, "1 ada 5")


async def test_who_can_do_nothing_on_a_board_is_offered_nothing(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    await put(api, tmp_path, "laps", title="Laps")
    await post(api, tmp_path, {"ada": 5}, board="laps")
    page = await browsing.open("/b/laps")
    await shown(page, "1 ada 5")
    await expect(page.get_by_role("heading", name="Play")).to_be_hidden()
    board, whole = await page.locator("#board").bounding_box(), await page.locator("main").bounding_box()
    assert board is not None
    assert whole is not None
    assert board["width"] == whole["width"]
    await page.get_by_role("link", name="Main").click()
    await sign_up(page, "bo")
    await page.goto(f"{browsing.url}/b/laps")
    await expect(page.locator("#closed")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Play")).to_be_hidden()


async def test_where_there_is_no_page_one_says_so_and_leads_back(browsing: Browsing) -> None:
    browsing.expected = ["404"]
    for theme in ("light", "dark"):
        page = await browsing.open("/games/2026/final", viewport={"width": 360, "height": 740}, color_scheme=theme)
        await expect(page.locator("#note")).to_have_text("There is no page at this address.")
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("link", name="All boards").click()
    await live(page)


async def test_the_theme_can_be_chosen_and_stays(browsing: Browsing) -> None:
    page = await browsing.open(color_scheme="light")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = await page.evaluate(paper)
    await page.get_by_role("button", name="Use the dark theme").click()
    assert await page.evaluate(paper) != light
    await page.reload()
    assert await page.evaluate(paper) != light
    await page.get_by_role("button", name="Use the light theme").click()
    assert await page.evaluate(paper) == light


@pytest.mark.parametrize("path", ["/", "/b/main"])
async def test_the_page_works_below_a_prefix(browser: Browser, tmp_path: Path, path: str) -> None:
    outer = web.Application()
    outer.add_subapp("/games/web/scores/", create_app(Settings(data=DataSettings(dir=str(tmp_path)))))
    async with TestServer(outer) as server:
        browsing = Browsing(browser, str(server.make_url("/games/web/scores")))
        page = await browsing.open(path)
        await sign_up(page, "ada")
        await score(page, "5")
        await shown(page, "1 ada 5")
        await browsing.close()
    assert browsing.faults == []
