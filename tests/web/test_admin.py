"""The page for moderators, in a real browser on the real server."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from scoreboard.events import EVENTS
from tests.api.app import Api, backend
from tests.web.browsing import Browsing, shown
from tests.web.test_page import violations
from tests.webhooks.receiver import receiving

pytestmark = pytest.mark.asyncio(loop_scope="package")

HOSTILE = "<img src=x onerror='window.hit = 1'>\u05e9\u05dc\u05d5\u05dd"


async def enter(browsing: Browsing, folder: Path, path: str = "/admin", **options: Any) -> Page:
    """The page with `admin` signed in."""
    page = await browsing.open(path, **options)
    await sign_in(page, "admin", (folder / "admin-password").read_text().strip())
    await expect(page.locator("#who bdi")).to_have_text("admin")
    return page


async def sign_in(page: Page, name: str, password: str) -> None:
    await page.get_by_role("textbox", name="Name", exact=True).fill(name)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def joined(api: Api, username: str, name: str | None = None) -> Api:
    """A new player, by another name than the username if told."""
    body = {"username": username, "password": "correct horse", "name": name or username}
    answer = await api.post("auth/register", body)
    assert answer.status == 201, answer
    return api.of(f"Bearer {answer.body['access_token']}")


async def scored(player: Api, *scores: int) -> list[str]:
    """Scores one after the other, those above 100 held; the ids of their submissions."""
    return [(await player.score(score)).body["submission_id"] for score in scores]


async def cases(page: Page, *names: str) -> None:
    """Wait until the queue shows the cases of these players."""
    await expect(page.locator("#reviews ol b")).to_have_text(list(names))


async def decide(page: Page, key: str, reason: str = "") -> None:
    """Press a key, and answer its question with Enter."""
    await page.keyboard.press(key)
    await page.get_by_label("Reason, for the record").fill(reason)
    await page.keyboard.press("Enter")
    await expect(page.locator("#ask")).to_be_hidden()


async def acts(api: Api, folder: Path, act: str) -> Sequence[dict[str, Any]]:
    entries: list[dict[str, Any]] = (await backend(api, folder).get(f"admin/audit?act={act}")).body["entries"]
    return entries


async def test_a_held_score_is_approved_by_keys_alone_and_counts(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    ada, grace = await joined(api, "ada"), await joined(api, "grace")
    await scored(ada, 40, 900)
    await scored(grace, 50)
    board = await browsing.open("/b/main")
    await shown(board, "1 grace 50", "2 ada 40")
    page = await enter(browsing, tmp_path)
    await cases(page, "ada")
    await expect(page).to_have_title("(1) Moderation")
    await page.keyboard.press("j")
    detail = page.locator("#reviews .detail")
    await expect(detail.locator(".big")).to_have_text("900 on main")
    await expect(detail.get_by_role("region", name="Evidence").locator("td")).to_have_text(
        ["Too much at once", "hold", "score 900 · max score 100"]
    )
    await expect(detail.get_by_role("img", name="Scores. 2 shown")).to_be_visible()
    assert await detail.locator(".plot").nth(0).locator(".mark").count() == 2
    assert await detail.locator(".plot .current .mark.held").count() == 2  # in both plots
    await decide(page, "a", "looked at the video")
    await shown(board, "1 ada 940", "2 grace 50")
    await expect(page.locator("#said")).to_have_text("Approved: 900 of ada.")
    await cases(page)
    await expect(page).to_have_title("Moderation")
    (act,) = await acts(api, tmp_path, "review.approve")
    assert act["detail"]["reason"] == "looked at the video"


async def test_who_is_rejected_and_banned_is_gone_until_lifted(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    ada = await joined(api, "ada")
    await scored(ada, 40, 900)
    board = await browsing.open("/b/main")
    await shown(board, "1 ada 40")
    page = await enter(browsing, tmp_path)
    await cases(page, "ada")
    await page.keyboard.press("j")
    await page.wait_for_selector(".plot svg")
    await page.keyboard.press("b")
    await page.get_by_label("For how long").select_option("a week")
    await page.locator("#ask").get_by_role("button", name="Reject and ban").click()
    await shown(board)
    assert (await ada.get("me")).code in {"player_banned", "unauthenticated"}
    await cases(page)

    await page.get_by_role("link", name="Bans").click()
    await expect(page.locator("#people ol b")).to_have_text(["ada"])
    await page.keyboard.press("j")
    await expect(page.locator("#people h2 .tag")).to_have_text("banned")
    await expect(page.locator("#people .facts")).to_contain_text("Banned until")
    await decide(page, "l")
    await shown(board, "1 ada 40")
    await expect(page.locator("#people h2 .tag")).to_have_text("active")
    await expect(page.locator("#people ol b")).to_have_count(0)


async def test_a_question_is_cancelled_by_escape_and_nothing_happens(
    browsing: Browsing, api: Api, tmp_path: Path
) -> None:
    await scored(await joined(api, "ada"), 900)
    page = await enter(browsing, tmp_path)
    await cases(page, "ada")
    await page.keyboard.press("j")
    await page.wait_for_selector(".plot svg")
    for key in ("a", "r", "b"):
        await page.keyboard.press(key)
        await expect(page.locator("#ask")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#ask")).to_be_hidden()
    await page.keyboard.press("Escape")
    await expect(page.locator("#reviews .detail")).to_have_text("Choose a case, or press J for the first.")
    assert (await backend(api, tmp_path).get("admin/overview")).body["open_reviews"] == 1


async def test_what_another_moderator_has_claimed_is_told_and_left_alone(
    browsing: Browsing, api: Api, tmp_path: Path
) -> None:
    (submission_id,) = await scored(await joined(api, "ada"), 900)
    key = backend(api, tmp_path)
    assert (await key.post(f"admin/reviews/{submission_id}/claim", {})).status == 200
    page = await enter(browsing, tmp_path, f"/admin#reviews/{submission_id}")
    await expect(page.locator("#reviews .detail")).to_contain_text("key:")
    browsing.expected += ["409"]
    await decide(page, "a")
    await expect(page.locator("#said")).to_contain_text("another moderator")
    assert (await key.get("admin/overview")).body["open_reviews"] == 1
    assert (await key.call("DELETE", f"admin/reviews/{submission_id}/claim")).status == 200
    await page.keyboard.press("c")
    await expect(page.get_by_role("button", name="Give back")).to_be_visible()
    assert (await key.post(f"admin/reviews/{submission_id}/claim", {})).code == "conflict"


async def test_a_note_is_kept_with_the_case_as_text(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    (submission_id,) = await scored(await joined(api, "ada", HOSTILE), 900)
    page = await enter(browsing, tmp_path, f"/admin#reviews/{submission_id}")
    await page.wait_for_selector(".note-form")
    await page.keyboard.press("n")
    await page.keyboard.type("<b>seen</b> before")
    await page.get_by_role("button", name="Add note").click()
    await expect(page.locator(".notes li p")).to_have_text("<b>seen</b> before")
    await expect(page.locator("#reviews h2 bdi")).to_have_text(HOSTILE)
    assert await page.evaluate("window.hit") is None


async def test_many_are_decided_at_once(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    for name in ("ada", "grace", "linus"):
        await scored(await joined(api, name), 900)
    page = await enter(browsing, tmp_path)
    await cases(page, "ada", "grace", "linus")
    for name in ("ada", "linus"):
        await page.get_by_label(f"Choose the case of {name}").check()
    await expect(page.locator(".bulk b")).to_have_text("2 chosen")
    await page.locator(".bulk").get_by_role("button", name="Approve").click()
    await page.locator("#ask").get_by_role("button", name="Approve").click()
    await cases(page, "grace")
    await expect(page.locator("#said")).to_have_text("2 approved.")
    assert {name for _, name, _ in await api.rows()} == {"ada", "linus"}


async def test_cases_are_found_by_state_board_and_rule(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    ada = await joined(api, "ada")
    first, _ = await scored(ada, 900, 901)
    assert (await backend(api, tmp_path).post(f"admin/reviews/{first}/reject", {})).status == 200
    page = await enter(browsing, tmp_path)
    scores = page.locator("#reviews ol .score")
    await expect(scores).to_have_text(["901"])
    await page.get_by_role("combobox", name="State").select_option("rejected")
    await expect(scores).to_have_text(["900"])
    await page.get_by_role("combobox", name="Rule").select_option("Too fast")
    await expect(scores).to_have_count(0)
    await expect(page.locator("#reviews .note")).to_have_text("Nothing here.")
    await page.get_by_role("combobox", name="Rule").select_option("any")
    await page.get_by_role("combobox", name="Board").select_option("main")
    await expect(scores).to_have_text(["900"])


async def test_players_are_found_hidden_and_lifted(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    for name in ("ada", "adam", "grace"):
        await scored(await joined(api, name), 10)
    page = await enter(browsing, tmp_path, "/admin#players")
    found = page.locator("#people ol b")
    await expect(found).to_have_count(4)
    await page.keyboard.press("/")
    await page.keyboard.type("ada")
    await expect(found).to_have_count(2)
    await page.locator("#people ol a", has_text="adam").click()
    await expect(page.locator("#people .detail")).to_contain_text("Last submissions")
    await decide(page, "h", "suspicious")
    await expect(page.locator("#people h2 .tag")).to_have_text("hidden")
    assert {name for _, name, _ in await api.rows()} == {"ada", "grace"}
    await decide(page, "l")
    await expect(page.locator("#people h2 .tag")).to_have_text("active")
    assert len(await api.rows()) == 3


async def test_an_admin_makes_a_moderator_who_sees_no_trail(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    ada = await joined(api, "ada")
    player_id = (await ada.get("me")).body["id"]
    page = await enter(browsing, tmp_path, f"/admin#players/{player_id}")
    await page.get_by_role("button", name="Make moderator").click()
    await page.locator("#ask").get_by_role("button", name="Make moderator").click()
    await expect(page.locator("#said")).to_have_text("ada is a moderator now.")
    await expect(page.get_by_role("button", name="No moderator any more")).to_be_visible()
    other = await browsing.open("/admin")
    await sign_in(other, "ada", "correct horse")
    await expect(other.locator("#who bdi")).to_have_text("ada")
    await expect(other.get_by_role("link", name="Reviews")).to_be_visible()
    await expect(other.get_by_role("link", name="Audit")).to_be_hidden()


async def test_the_trail_is_searched(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    (submission_id,) = await scored(await joined(api, "ada"), 900)
    await backend(api, tmp_path).post(f"admin/reviews/{submission_id}/reject", {"reason": "a <script>"})
    page = await enter(browsing, tmp_path, "/admin#audit")
    rows = page.locator("#trail tbody tr")
    await expect(rows.first).to_contain_text("login")
    await page.get_by_role("searchbox", name="Act").fill("review")
    await page.get_by_role("searchbox", name="Act").press("Enter")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("reason a <script>")


async def test_a_webhook_is_made_tried_and_deleted(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    page = await enter(browsing, tmp_path, "/admin#webhooks")
    section, card = page.locator("#webhooks"), page.locator("#webhooks ol li")
    await expect(section.locator(".note")).to_have_text("Nobody is told of anything yet.")
    async with receiving() as receiver:
        await section.get_by_label("Address").fill(receiver.url)
        await page.get_by_role("button", name="Make it").click()
        await expect(page.locator("#said")).to_have_text("Choose what is to be told.")
        await section.get_by_label("Board").select_option("main")
        await page.get_by_role("checkbox", name="player.banned").check()
        await page.get_by_role("button", name="Make it").click()
        await expect(card.locator("h2")).to_have_text(receiver.url)
        await expect(card.locator("p").first).to_have_text("player.banned · main")
        secret = await card.locator("code").inner_text()
        await page.get_by_role("button", name="Send a test").click()
        message = await receiver.message()
        assert message.is_signed_by(secret)
        await expect(card.locator("tbody td").nth(1)).to_have_text("webhook.test")
        await page.get_by_role("button", name="New secret").click()
        await page.locator("#ask .main").click()
        await expect(card.locator("code")).not_to_have_text(secret)
        await page.get_by_role("button", name="Switch off").click()
        await expect(card.locator(".tag")).to_have_text("off")
        await expect(card.locator("code")).to_have_count(0)
        await page.get_by_role("button", name="Switch on").click()
        await expect(card.locator(".tag")).to_have_count(0)
        await page.get_by_role("button", name="Delete").click()
        await page.locator("#ask .main").click()
        await expect(card).to_have_count(0)
    assert [entry["act"] for entry in await acts(api, tmp_path, "webhook")] == [
        "webhook.delete",
        "webhook.change",
        "webhook.change",
        "webhook.rotate",
        "webhook.create",
    ]


async def test_every_event_can_be_chosen(modules: Page) -> None:
    names = await modules.evaluate("async () => Object.keys((await import('/web/webhooks.js')).EVENTS)")
    assert tuple(names) == EVENTS


async def test_new_cases_come_by_themselves(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    ada = await joined(api, "ada")
    page = await browsing.blank()
    await page.clock.install()
    await page.goto(browsing.url + "/admin")
    await sign_in(page, "admin", (tmp_path / "admin-password").read_text().strip())
    counts = page.locator("#counts dd")
    await expect(counts.first).to_have_text("0")
    await scored(ada, 900)
    await page.clock.run_for(6_000)
    await cases(page, "ada")
    await expect(counts.first).to_have_text("1")


async def test_only_moderators_come_in(browsing: Browsing, api: Api) -> None:
    await joined(api, "ada")
    page = await browsing.open("/admin")
    await sign_in(page, "ada", "correct horse")
    await expect(page.locator("#said")).to_have_text("This player is no moderator.")
    await expect(page.locator("#account")).to_be_visible()
    browsing.expected += ["401"]
    await sign_in(page, "ada", "wrong horse")
    await expect(page.locator("#said")).to_have_text("Name and password do not match.")
    for part in ("#tabs", "#reviews", "#people", "#trail", "#counts"):
        await expect(page.locator(part)).to_be_hidden()


async def test_a_sign_in_lasts_over_a_reload_and_ends_with_signing_out(
    browsing: Browsing, api: Api, tmp_path: Path
) -> None:
    page = await enter(browsing, tmp_path)
    await page.reload()
    await expect(page.locator("#who bdi")).to_have_text("admin")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.locator("#account")).to_be_visible()
    await page.reload()
    await expect(page.locator("#account")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
async def test_every_part_fits_and_is_accessible(
    browsing: Browsing, api: Api, tmp_path: Path, width: int, scheme: Any
) -> None:
    ada = await joined(api, "ada", HOSTILE * 3)
    submission_id = (await scored(ada, 10, 30, 900))[-1]
    player_id = (await ada.get("me")).body["id"]
    await backend(api, tmp_path).post(f"admin/players/{player_id}/hide", {})
    long = {"url": f"http://127.0.0.1:9/{'x' * 500}", "events": list(EVENTS)}
    await backend(api, tmp_path).post("admin/webhooks", long)
    page = await browsing.open("/admin", viewport={"width": width, "height": 740}, color_scheme=scheme)
    await page.wait_for_selector("#account:not([hidden])")
    assert await violations(page) == []
    await sign_in(page, "admin", (tmp_path / "admin-password").read_text().strip())
    parts = {
        "reviews": "#reviews ol a",
        f"reviews/{submission_id}": ".plot svg",
        "players": "#people ol a",
        f"players/{player_id}": "#people .facts",
        "webhooks": "#webhooks ol details",
        "audit": "#trail tbody tr",
    }
    for part, sign in parts.items():
        await page.evaluate("part => { location.hash = part }", part)
        await page.wait_for_selector(sign)
        assert await page.evaluate("document.documentElement.scrollWidth") == width, part
        assert await violations(page) == [], part
    await page.keyboard.press("?")
    assert await violations(page) == []


async def test_a_plot_says_in_words_what_it_shows(modules: Page) -> None:
    said = await modules.evaluate(
        """async () => {
            const { plot, quantile } = await import("/web/plot.js");
            const points = [3, 1, 2, 900].map((value) => ({ value, state: "counted", current: value === 900 }));
            const figure = (points, sample) => plot({ title: "Scores", points, sample, format: String });
            document.body.append(figure(points, []));
            return [
                figure(points, [1, 2, 3, 4]).querySelector(".plot").ariaLabel,
                figure([], [5]).textContent,
                figure(points, []).querySelectorAll("tbody tr").length,
                [quantile([1, 2, 3, 4], 0.5), quantile([7], 0.99), quantile([], 0.5) === undefined],
            ];
        }"""
    )
    assert said == [
        "Scores. 4 shown, 1 to 900, middle 2; the board's middle is 2, half of it from 1 to 3.",
        "Scores Nothing yet.",
        4,
        [2, 7, True],
    ]
