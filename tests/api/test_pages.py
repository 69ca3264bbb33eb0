"""The page and its files over HTTP."""

import re
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from scoreboard.app import create_app
from scoreboard.config import DataSettings, ServerSettings, Settings
from tests.api.app import Api, running


async def fetch(api: Api, path: str, **headers: str) -> tuple[int, Mapping[str, str], str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with api.http.get(path, headers=named) as response:
        return response.status, response.headers, await response.text()


async def test_the_page_may_load_only_what_is_its_own(api: Api) -> None:
    for path in ("/", "/b/main", "/admin", "/docs"):
        status, headers, text = await fetch(api, path)
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        nothing = {name for name, sources in policy.items() if sources == "'none'"}
        own = {name for name, sources in policy.items() if sources == "'self'"}
        assert nothing == {"default-src", "base-uri", "form-action", "frame-ancestors"}
        assert own | {"img-src"} == policy.keys() - nothing
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", text)


async def test_a_slash_too_many_leads_to_the_page(api: Api) -> None:
    for path in ("/b/main", "/b/main?display=wall&limit=5", "/b/%2F%2Fevil.example", "/admin", "/docs"):
        async with api.http.get(path.partition("?")[0] + "/" + "".join(path.partition("?")[1:])) as response:
            assert [each.status for each in response.history] == [308]
            assert response.status == (404 if "evil" in path else 200)
            assert response.url.raw_path_qs == path


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def test_where_there_is_nothing_a_browser_gets_a_page_and_a_program_what_it_can_read(api: Api) -> None:
    for path in ("/nope", "/nope/", "/a/b", "/b", "/b/nope", "/a//", "/b/nope?display=wall"):
        status, headers, text = await fetch(api, path, Accept=BROWSER)
        assert (status, headers["Content-Type"]) == (404, "text/html; charset=utf-8"), path
        assert "ETag" not in headers
        assert "frame-ancestors" in headers["Content-Security-Policy"]
        for link in re.findall(r'(?:src|href)="([^"#][^"]*)"', text):
            async with api.http.get(api.http.make_url(path).join(URL(link)).relative()) as answer:
                assert answer.status == 200, (path, link)
        for accept in ("*/*", "application/json, text/html;q=0.9", "text/html;q=0", "text/html;q=x", ""):
            refused = await api.get(path, Accept=accept)
            assert (refused.status, refused.code) == (404, "not_found"), (path, accept)
    for path in ("/api/v1/nope", "/api/nope", "/api/v1/boards/nope", "/web/nope.js"):
        assert (await api.get(path, Accept=BROWSER)).code == "not_found"
    head = await api.call("HEAD", "/nope", Accept=BROWSER)
    assert (head.status, head.body) == (404, None)
    assert (await api.post("/nope", Accept=BROWSER)).status == 404


async def test_a_browser_that_has_the_page_of_a_board_is_told_that_the_board_is_gone(api: Api) -> None:
    _, there, _ = await fetch(api, "/b/main", Accept=BROWSER)
    assert (await fetch(api, "/b/main", Accept=BROWSER, If_None_Match=there["ETag"]))[0] == 304
    status, headers, text = await fetch(api, "/b/nope", Accept=BROWSER, If_None_Match=there["ETag"])
    assert (status, headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "<title>" in text


async def test_the_page_for_nothing_finds_its_files_below_another_application(tmp_path: Path) -> None:
    outer = web.Application()
    outer.add_subapp("/games/", create_app(Settings(data=DataSettings(dir=str(tmp_path)))))
    async with TestClient(TestServer(outer)) as http:
        for path in ("/games/nope", "/games/a/b/c", "/games/b/nope"):
            async with http.get(path, headers={"Accept": BROWSER}) as answer:
                assert (answer.status, answer.content_type) == (404, "text/html")
                [style] = re.findall(r'href="([^"]*page.css)"', await answer.text())
                async with http.get(answer.url.join(URL(style)).relative()) as file:
                    assert file.status == 200


async def test_only_sites_that_are_listed_may_frame_a_board_and_only_one_without_buttons(tmp_path: Path) -> None:
    listed = ServerSettings(frame_ancestors=("https://blog.example", "'self'"))
    async with running(tmp_path, Settings(server=listed)) as api:
        for path, framers in (
            ("/b/main?display=embed", "https://blog.example 'self'"),
            ("/b/main?display=overlay", "https://blog.example 'self'"),
            ("/b/main", "'none'"),
            ("/b/main?display=page", "'none'"),
            ("/admin?display=embed", "'none'"),
        ):
            _, headers, _ = await fetch(api, path)
            assert headers["Content-Security-Policy"].endswith(f"frame-ancestors {framers}")


async def test_every_link_of_the_page_leads_to_a_file_that_never_changes(api: Api) -> None:
    for path, home in (("/", "/"), ("/b/main", "/b/../"), ("/admin", "/"), ("/docs", "/")):
        _, _, text = await fetch(api, path)
        links = re.findall(r'(?:src|href)="([^"#][^"]*)"', text)
        assert len(links) >= 5
        for link in links:
            if "web/" not in link:
                assert (await fetch(api, home + link))[0] == 200
                continue
            status, headers, _ = await fetch(api, home + link)
            assert (status, headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
            assert headers["X-Content-Type-Options"] == "nosniff"


async def test_files_under_their_plain_names_are_asked_for_again(api: Api) -> None:
    status, headers, text = await fetch(api, "/web/scoreboard.js")
    assert (status, headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert (headers["Cache-Control"], headers["Access-Control-Allow-Origin"]) == ("no-cache", "*")
    assert "export class Scoreboard" in text
    status, headers, text = await fetch(api, "/web/scoreboard.js", If_None_Match=headers["ETag"])
    assert (status, text) == (304, "")
    status, headers, _ = await fetch(api, "/web/of-another-version/scoreboard.js")
    assert (status, headers["Cache-Control"]) == (200, "no-cache")


async def test_nothing_else_is_served(api: Api) -> None:
    pages = ("index.html", "admin.html", "docs.html", "nowhere.html")
    for name in (*pages, "", "nothing.js", "..%2fconfig.yaml", "x/..%2fconfig.yaml"):
        assert (await api.get(f"/web/{name}")).code == "not_found"
