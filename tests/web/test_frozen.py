"""A frozen board as people see it, and how it is frozen and revealed by hand."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from scoreboard.clock import DAY, SystemClock
from scoreboard.config import LiveSettings, Settings
from tests.api.app import NO_LIMITS, Api, backend, running
from tests.web.browsing import Browsing, score, shown, sign_up
from tests.web.test_admin import acts, enter
from tests.web.test_displays import ELEMENT, FITS, Site, other_site, rows
from tests.web.test_page import post, put, violations

pytestmark = pytest.mark.asyncio(loop_scope="package")

SINCE = re.compile(r"^Frozen since \d\d:\d\d$")
SCORES = {"ada": 90, "grace": 80, "linus": 70}


async def freeze(api: Api, folder: Path) -> None:
    assert (await backend(api, folder).post("admin/boards/main/freeze")).status == 200


async def reveal(api: Api, folder: Path) -> None:
    assert (await backend(api, folder).post("admin/boards/main/reveal")).status == 200


@pytest.mark.parametrize("display", ["page", "wall", "embed", "overlay"])
async def test_a_frozen_board_says_since_when_and_glides_to_what_is_revealed(
    browsing: Browsing, api: Api, tmp_path: Path, display: str
) -> None:
    await post(api, tmp_path, SCORES)
    page = await browsing.open(f"/b/main?display={display}")
    await shown(page, "1 ada 90", "2 grace 80", "3 linus 70")
    frozen = page.locator("#frozen")
    await expect(frozen).to_be_hidden()
    await freeze(api, tmp_path)
    await expect(frozen).to_be_visible()
    await expect(frozen).to_have_text(SINCE)
    await expect(page.locator("#announcer")).to_have_text(re.compile(r"The board is frozen since \d\d:\d\d\."))
    await post(api, tmp_path, {"ada": 0, "grace": 0, "linus": 50})
    again = await browsing.open(f"/b/main?display={display}")
    await expect(again.locator("#frozen")).to_have_text(SINCE)
    for each in (page, again):
        await shown(each, "1 ada 90", "2 grace 80", "3 linus 70")
        assert await each.evaluate("seen.glides") == []
    await reveal(api, tmp_path)
    for each in (page, again):
        await expect(each.locator("#frozen")).to_be_hidden()
        await shown(each, "1 linus 120", "2 ada 90", "3 grace 80")
        assert {player for player, _ in await each.evaluate("seen.glides")} == {"x:0", "x:1", "x:2"}
        await expect(each.locator("#announcer")).to_have_text("The board is revealed.")


async def test_the_list_of_boards_tells_which_are_frozen(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    await put(api, tmp_path, "other")
    await post(api, tmp_path, SCORES)
    await freeze(api, tmp_path)
    page = await browsing.open(viewport={"width": 320, "height": 640})
    signs = page.locator("#front .sign").filter(visible=True)
    await expect(signs).to_have_text(SINCE)
    assert await violations(page) == []
    assert (await page.evaluate(FITS))[0]
    await post(api, tmp_path, {"linus": 50})
    await reveal(api, tmp_path)
    await expect(page.locator("#front .who").first).to_have_text("linus")
    await expect(signs).to_have_count(0)


@pytest.mark.parametrize("width", [320, 1280])
async def test_the_sign_can_be_read_by_all_and_fits(browsing: Browsing, api: Api, tmp_path: Path, width: int) -> None:
    await post(api, tmp_path, SCORES)
    await freeze(api, tmp_path)
    for display in ("page", "wall", "embed", "overlay"):
        viewport = {"width": width, "height": 720}
        page = await browsing.open(f"/b/main?display={display}", color_scheme="light", viewport=viewport)
        await shown(page, *rows(SCORES, 3))
        await expect(page.locator("#frozen")).to_have_text(SINCE)
        assert await violations(page) == []
        await page.emulate_media(color_scheme="dark")
        assert await violations(page, "color-contrast") == []
        assert (await page.evaluate(FITS))[0]
        assert await page.evaluate("(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(title)")


async def test_the_day_is_told_where_it_is_another_one(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    await post(api, tmp_path, SCORES)
    await freeze(api, tmp_path)
    page = await browsing.blank()
    await page.clock.install(time=(SystemClock().now() + 2 * DAY) / 1_000_000)
    await page.goto(browsing.url)
    await expect(page.locator("#frozen")).to_have_text(re.compile(r"^Frozen since \w{3} \d+, \d\d:\d\d$"))


async def test_who_plays_on_a_frozen_board_is_told_the_own_score(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    await post(api, tmp_path, SCORES)
    page = await browsing.open()
    await sign_up(page, "zoe")
    await score(page, "50")
    await expect(page.locator("#said")).to_have_text("You are 4th with 50.")
    await expect(page.locator("#standing")).to_be_visible()
    await freeze(api, tmp_path)
    await expect(page.locator("#frozen")).to_be_visible()
    await score(page, "60")
    await expect(page.locator("#said")).to_have_text("You have 110 (+60).")
    await expect(page.locator("#standing")).to_be_hidden()
    await shown(page, "1 ada 90", "2 grace 80", "3 linus 70", "4 zoe 50")
    await reveal(api, tmp_path)
    await shown(page, "1 zoe 110", "2 ada 90", "3 grace 80", "4 linus 70")


async def test_the_element_has_the_sign_too(browser: Browser, tmp_path: Path) -> None:
    open_to_all = Settings(limits=NO_LIMITS, live=LiveSettings(origins=("*",)))
    async with running(tmp_path, open_to_all) as api:
        await post(api, tmp_path, SCORES)
        site = await other_site(ELEMENT.format(home=api.http.make_url("/")))
        browsing = Site(browser, site, api)
        page = await browsing.open(reduced_motion="reduce")
        names, sign = page.locator("live-scoreboard .who"), page.locator("live-scoreboard #frozen")
        await expect(names).to_have_text(["ada", "grace", "linus"])
        await expect(sign).to_be_hidden()
        await freeze(api, tmp_path)
        await expect(sign).to_have_text(SINCE)
        await post(api, tmp_path, {"ada": 0, "grace": 0, "linus": 50})
        assert await violations(page) == []
        await expect(names).to_have_text(["ada", "grace", "linus"])
        await reveal(api, tmp_path)
        await expect(sign).to_be_hidden()
        await expect(names).to_have_text(["linus", "ada", "grace"])
        browsing.faults = [fault for fault in browsing.faults if "favicon" not in fault and "404" not in fault]
        await browsing.close()
        await site.close()
    assert browsing.faults == []


async def confirmed(page: Page, button: str, answer: str) -> None:
    """Press a button of the board's card, and answer the question."""
    await page.locator("#boards li").get_by_role("button", name=button).click()
    await expect(page.get_by_label("Reason, for the record")).to_be_hidden()
    await page.locator("#ask").get_by_role("button", name=answer).click()
    await expect(page.locator("#ask")).to_be_hidden()


async def test_an_admin_freezes_and_reveals_a_board(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    await post(api, tmp_path, SCORES)
    board = await browsing.open("/b/main")
    page = await enter(browsing, tmp_path, "/admin#boards")
    card = page.locator("#boards li")
    await expect(card).to_contain_text("Everybody sees what happens.")
    await confirmed(page, "Freeze now", "Freeze")
    await expect(page.locator("#said")).to_have_text("Main is frozen.")
    await expect(card.locator(".tag")).to_have_text("frozen")
    await expect(board.locator("#frozen")).to_be_visible()
    assert await violations(page) == []
    await confirmed(page, "Reveal", "Reveal")
    await expect(page.locator("#said")).to_have_text("Main is revealed.")
    await expect(board.locator("#frozen")).to_be_hidden()
    assert [entry["act"] for entry in await acts(api, tmp_path, "board")] == ["board.reveal", "board.freeze"]


async def test_an_admin_has_a_board_frozen_later_and_calls_that_off(
    browsing: Browsing, api: Api, tmp_path: Path
) -> None:
    page = await enter(browsing, tmp_path, "/admin#boards", timezone_id="Asia/Tokyo")
    await page.locator("[name=at]").fill("2099-12-31T23:00")
    await confirmed(page, "Set", "Freeze")
    await expect(page.locator("#boards li")).to_contain_text("Will be frozen at Dec 31, 2099")
    assert (await api.get("boards/main")).body["freezes_at"] == "2099-12-31T14:00:00.000000Z"
    await confirmed(page, "Call off", "Call off")
    await expect(page.locator("#said")).to_have_text("Main will not be frozen.")
    assert "freezes_at" not in (await api.get("boards/main")).body
    browsing.expected += ["400"]
    await page.locator("[name=at]").fill("2020-01-01T00:00")
    await confirmed(page, "Set", "Freeze")
    await expect(page.locator("#said")).to_contain_text("does not lie in the future")
