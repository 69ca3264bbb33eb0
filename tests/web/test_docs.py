"""The page about the API, in a real browser on the real server."""

import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, Route, expect

from scoreboard.api.operations import OPERATIONS
from scoreboard.app import create_app
from scoreboard.config import DataSettings, Settings
from tests.api.app import Api, backend
from tests.web.browsing import Browsing
from tests.web.test_page import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def opened(browsing: Browsing, path: str = "/docs", **options: object) -> Page:
    page = await browsing.open(path, **options)
    await page.wait_for_selector(":root[data-phase=shown]")
    return page


async def test_every_operation_is_shown_once_opens_and_has_a_link(browsing: Browsing) -> None:
    page = await opened(browsing)
    names = [operation.name for operation in OPERATIONS]
    ids = await page.locator("details").evaluate_all("(boxes) => boxes.map(({ id }) => id)")
    links = await page.locator("nav li a").evaluate_all("(links) => links.map(({ hash }) => hash.slice(1))")
    assert sorted(ids) == sorted(links) == sorted(names)
    all_ids = await page.locator("[id]").evaluate_all("(all) => all.map(({ id }) => id)")
    assert len(set(all_ids)) == len(all_ids)
    await page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true; })")
    await expect(page.locator(".inside")).to_have_count(len(names))
    text = await page.locator("main").inner_text()
    for wrong in ("undefined", "[object", "NaN"):
        assert wrong not in text


async def test_an_operation_tells_who_may_what_is_sent_and_what_comes_back(browsing: Browsing) -> None:
    page = await opened(browsing, "/docs#score")
    box = page.locator("#score")
    await expect(box).to_have_attribute("open", "")
    await expect(box.locator(".who")).to_have_text("Who: players")
    await expect(box.locator(".fields code")).to_have_text(
        ["board", "action_token", "score", "tiebreakers", "metadata"]
    )
    lines = await box.locator("pre").first.inner_text()
    assert lines.split(" \\\n  ") == [
        f"curl -sS '{browsing.url}/api/v1/scores/update'",
        '-H "Authorization: Bearer $token"',
        "-H 'Content-Type: application/json'",
        '-d \'{"board":"main","action_token":"…","score":25}\'',
    ]
    await expect(box.locator(".refusals")).to_contain_text("action_token_used")
    await expect(box.locator(".message")).to_contain_text('{"type":"score","id":1,"board":"main"')
    for name, who in (
        ("login", "anyone"),
        ("top", "anyone on a public board; else any player or API key"),
        ("batch", "API keys with the scope write"),
        ("ban_player", "moderators and admins; API keys with the scope moderate"),
    ):
        await page.goto(f"{browsing.url}/docs#{name}")
        await expect(page.locator(f"#{name} .who")).to_have_text(f"Who: {who}")


async def test_the_line_can_be_copied(browsing: Browsing) -> None:
    page = await opened(browsing, "/docs#top", permissions=["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Copy: Command").click()
    await expect(page.locator("#said")).to_have_text("Copied.")
    assert await page.evaluate("navigator.clipboard.readText()") == f"curl -sS '{browsing.url}/api/v1/boards/main/top'"


async def test_what_admins_copy_does_as_it_is_what_its_name_says(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    page = await opened(browsing)
    await page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true; })")
    admin = backend(api, tmp_path)
    await admin.post("scores/batch", {"items": [{"player_id": "steam:7656", "board": "main", "score": 1}]})
    done = {}
    for name in ("freeze_board", "reveal_board", "ban_player", "lift_player", "new_key", "put_board"):
        lines = (await page.locator(f"#{name} pre").first.inner_text()).split(" \\\n  ")
        address = lines[0].split("'")[1].removeprefix(f"{browsing.url}/api/v1/")
        body = json.loads(lines[-1].removeprefix("-d ").strip("'")) if len(lines) > 2 else None
        method = "PUT" if name == "put_board" else "POST"
        done[name] = await admin.call(method, unquote(address), body)
    assert {name: answer.status for name, answer in done.items()} == dict.fromkeys(done, 200) | {"new_key": 201}
    assert done["freeze_board"].body["freezes_at"]
    assert "admin" not in done["new_key"].body["scopes"]
    assert (done["put_board"].body["board"], done["put_board"].body["order"]) == ("laps", "asc")


@pytest.mark.parametrize("width", [320, 1280])
async def test_a_path_is_divided_at_its_slashes(browsing: Browsing, width: int) -> None:
    page = await opened(browsing, viewport={"width": width, "height": 800})
    tall = "(paths) => paths.filter((path) => path.getClientRects().length > 2).map((path) => path.textContent)"
    assert await page.locator("summary .path").evaluate_all(tall) == []


async def test_words_find_operations(browsing: Browsing) -> None:
    page = await opened(browsing)
    await page.get_by_label("Find").fill("ban")
    await expect(page.locator("details:visible")).to_have_count(3)
    await expect(page.locator("nav li:visible")).to_have_text(
        ["reject reviewpost", "ban playerpost", "lift playerpost"]
    )
    await page.get_by_label("Find").fill("no such thing")
    await expect(page.locator("#none")).to_be_visible()
    await page.get_by_label("Find").fill("")
    await expect(page.locator("details:visible")).to_have_count(len(OPERATIONS))


async def test_where_one_is_stands_in_the_address_and_keys_are_enough(browsing: Browsing) -> None:
    page = await opened(browsing)
    await page.locator("#around summary").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#around .who")).to_be_visible()
    assert page.url.endswith("/docs#around")


async def test_every_message_of_the_socket_is_shown(browsing: Browsing) -> None:
    page = await opened(browsing, "/docs#group-websocket")
    part = page.locator("section", has=page.locator("#group-websocket"))
    await expect(part.locator("dt")).to_contain_text(["auth", "subscribe", "unsubscribe", "activity", "ping", "pong"])
    for type_ in ("auth.ok", "snapshot", "delta", "me", "bye"):
        await expect(part.locator("dt").get_by_text(type_, exact=True).first).to_be_visible()
    await expect(part).to_contain_text(browsing.url.replace("http", "ws") + "/ws")
    await part.get_by_role("link", name="score", exact=True).click()
    await expect(page.locator("#score")).to_have_attribute("open", "")


@pytest.mark.parametrize("width", [360, 1280])
async def test_nothing_keeps_anybody_out_and_nothing_sticks_out(browsing: Browsing, width: int) -> None:
    page = await opened(browsing, viewport={"width": width, "height": 800}, color_scheme="light")
    await page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true; })")
    await expect(page.locator(".inside")).to_have_count(len(OPERATIONS))
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.emulate_media(color_scheme="dark")
    assert await violations(page, "color-contrast") == []


@pytest.mark.parametrize("fault", ["503", "no connection"])
async def test_a_page_that_cannot_be_made_says_why_and_is_there_at_the_next_try(browsing: Browsing, fault: str) -> None:
    page = await browsing.blank()

    async def refuse(route: Route) -> None:
        if fault == "503":
            await route.fulfill(status=503, body="")
        else:
            await route.abort()

    await page.route("**/openapi.json", refuse)
    await page.goto(f"{browsing.url}/docs#top")
    await expect(page.get_by_role("alert")).to_contain_text("openapi.json, which could not be read: ")
    await expect(page.locator("#why")).to_have_text("the server answered 503" if fault == "503" else "Failed to fetch")
    assert await violations(page) == []
    browsing.faults = [told for told in browsing.faults if "Failed to" not in told and "answered 503" not in told]
    await page.unroute("**/openapi.json")
    await page.get_by_role("link", name="Try again").click()
    await expect(page.locator("details")).to_have_count(len(OPERATIONS))


async def test_it_works_below_another_application(browser: Browser, tmp_path: Path) -> None:
    outer = web.Application()
    outer.add_subapp("/scores/", create_app(Settings(data=DataSettings(dir=str(tmp_path)))))
    async with TestServer(outer) as server:
        browsing = Browsing(browser, str(server.make_url("/scores")))
        page = await opened(browsing, "/docs#top")
        await expect(page.locator("#top pre").first).to_contain_text(f"{browsing.url}/api/v1/boards/main/top")
        await browsing.close()
        assert browsing.faults == []
