"""One browser for all tests here; servers and pages are each test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.api.app import Api, running
from tests.web.browsing import CHROMIUM, NOWHERE, OPTIONS, Browsing


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="package")
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running(tmp_path) as api:
        yield api


@pytest_asyncio.fixture(loop_scope="package")
async def browsing(browser: Browser, api: Api) -> AsyncIterator[Browsing]:
    """Pages of the application; nothing may go wrong in them."""
    browsing = Browsing(browser, str(api.http.make_url("")).rstrip("/"))
    yield browsing
    await browsing.close()
    assert browsing.faults == []


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def modules(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Page]:
    """A page for all tests of a file that only call functions."""
    async with running(tmp_path_factory.mktemp("modules")) as api:
        browsing = Browsing(browser, str(api.http.make_url("")).rstrip("/"))
        yield await browsing.open(NOWHERE)
        await browsing.close()
        assert browsing.faults == []
