"""The front page: which boards there are, and who leads them."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.api.app import Api
from tests.web.browsing import Browsing, live, shown
from tests.web.test_page import post, put, violations

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def cards(page: Page, *wanted: str) -> None:
    """Wait until the page shows these cards, each as its texts."""
    read = """(wanted) => {
        const parts = "h2, .medal, .who, .value, p";
        const texts = (card) => [...card.querySelectorAll(parts)].map((each) => each.textContent);
        const found = [...document.querySelectorAll("#front > li")].map((card) => texts(card).join(" "));
        return JSON.stringify(found) === JSON.stringify(wanted);
    }"""
    await page.wait_for_function(read, arg=list(wanted))


async def test_several_boards_are_listed_with_their_leaders_live(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    await put(api, tmp_path, "laps", title="<b>Laps", decimals=2)
    await put(api, tmp_path, "club", public=False)
    await post(api, tmp_path, {"ada": 4, "bob": 3, "cyd": 2, "dan": 1})
    page = await browsing.open()
    await cards(page, "<b>Laps No scores yet", "Main 1 ada 4 2 bob 3 3 cyd 2 4 players")
    assert await page.title() == "Live scoreboards"
    assert await page.locator("aside, #board, #boards").filter(visible=True).count() == 0
    assert await violations(page) == []
    await post(api, tmp_path, {"ada": 125}, "laps")
    await cards(page, "<b>Laps 1 ada 1.25 1 player", "Main 1 ada 4 2 bob 3 3 cyd 2 4 players")
    await page.get_by_role("link", name="main").click()
    await shown(page, "1 ada 4", "2 bob 3", "3 cyd 2", "4 dan 1")
    assert page.url == f"{browsing.url}/b/main"
    await page.get_by_role("link", name="All boards").click()
    await cards(page, "<b>Laps 1 ada 1.25 1 player", "Main 1 ada 4 2 bob 3 3 cyd 2 4 players")
    assert page.url == f"{browsing.url}/"


@pytest.mark.parametrize("width", [320, 1280])
async def test_the_list_fits_any_screen(browsing: Browsing, api: Api, tmp_path: Path, width: int) -> None:
    await put(api, tmp_path, "other", title="W" * 100)
    await post(api, tmp_path, {"x" * 64: 2**53 - 1})
    page = await browsing.open(viewport={"width": width, "height": 640})
    await cards(page, "Main 1 " + "x" * 64 + " 9,007,199,254,740,991 1 player", "W" * 100 + " No scores yet")
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


async def test_a_display_without_a_board_is_that_of_the_first(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    await put(api, tmp_path, "first")
    page = await browsing.open("/?display=wall")
    await live(page)
    await expect(page.locator("h1")).to_have_text("first")
