"""Pages in a real browser, and all that went wrong in them."""

from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

CHROMIUM = "/usr/bin/chromium"
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

NOWHERE = "/b/nowhere"
"""A page that subscribes to nothing; it is no fault that a browser says so."""

# Remembers what is gone by the time a test could look: violations, states of the connection, and how rows moved.
RECORDER = """
window.seen = { violations: [], states: [], glides: [] };
document.addEventListener("securitypolicyviolation", (event) => seen.violations.push(event.violatedDirective));
new MutationObserver(() => seen.states.push(document.documentElement?.dataset.state))
  .observe(document, { attributes: true, attributeFilter: ["data-state"], subtree: true });
const animate = Element.prototype.animate;
Element.prototype.animate = function (frames, options) {
  if (options.id === "glide") seen.glides.push([this.dataset.player, frames[0].transform]);
  return animate.call(this, frames, options);
};
"""


class Browsing:
    """The pages of one test on one server."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.url = url
        self.faults: list[str] = []
        self.server_may_be_gone = False
        self.expected: list[str] = []  # statuses that a test provokes, which the browser tells as errors
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    async def open(self, path: str = "/", **options: Any) -> Page:
        """A page of the server's, in a browser of its own."""
        page = await self.blank(**options)
        await page.goto(self.url + path)
        return page

    async def blank(self, **options: Any) -> Page:
        """An empty page in a browser of its own, which shares nothing with the others."""
        context = await self._browser.new_context(**options)
        self._contexts.append(context)
        await context.add_init_script(RECORDER)
        page = await context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", self._said)
        page.on("pageerror", lambda fault: self.faults.append(f"uncaught: {fault}"))
        page.on("request", self._asked)
        return page

    async def close(self) -> None:
        """Close all pages; whatever went wrong in them is in `faults`."""
        for context in self._contexts:
            for page in context.pages:
                violations = await page.evaluate("window.seen?.violations ?? []")
                self.faults += [f"violates {directive}" for directive in violations]
            await context.close()

    def _said(self, message: ConsoleMessage) -> None:
        expected = self.server_may_be_gone and "WebSocket connection to" in message.text
        expected |= NOWHERE in message.location["url"] and "status of 404 " in message.text
        expected |= any(f"responded with a status of {status} " in message.text for status in self.expected)
        if message.type in ("error", "warning") and not expected:
            self.faults.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.faults.append(f"asked {request.url}")


async def live(page: Page) -> None:
    """Wait until the page says so."""
    await page.wait_for_selector(":root[data-state=active]:not([data-phase=loading])")


async def shown(page: Page, *rows: str) -> None:
    """Wait until the board shows these rows, each as `rank name score`, and nothing moves any more."""
    read = """(wanted) => {
        const text = (row, part) => row.querySelector(part).textContent;
        const rows = [...document.querySelectorAll("tbody tr")];
        const shown = rows.map((row) => [".medal", ".who", ".value"].map((part) => text(row, part)).join(" "));
        const moving = document.getAnimations().some(({ id }) => id === "glide");
        return !moving && JSON.stringify(shown) === JSON.stringify(wanted);
    }"""
    await page.wait_for_function(read, arg=list(rows))


async def sign_up(page: Page, name: str) -> None:
    """Make a new player and be them."""
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill("correct horse")
    await page.get_by_role("button", name="Sign up").click()
    await page.wait_for_selector("#score:not([hidden])")


async def score(page: Page, points: str) -> None:
    """Do the board's action, and wait for the answer."""
    await page.get_by_label("Points").fill(points)
    await page.get_by_role("button", name="Start").click()
    await page.get_by_role("button", name="Score!").click()
    await page.wait_for_selector("#said:not(:empty)")
