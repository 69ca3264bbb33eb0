"""The pages `/`, `/b/{board}`, `/admin` and `/docs`, and the files in `scoreboard/web` that all pages are made of.

Whoever looks for a page where there is none gets one that says so, if they would rather read HTML than JSON.
"""

import hashlib
from importlib import resources
from typing import Final

from aiohttp import web

from scoreboard.api.context import CONTEXT
from scoreboard.api.openapi import openapi
from scoreboard.api.problems import PROBLEM, RequestHandler
from scoreboard.errors import NotFound

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors {framers}",
    )
)

FRAMED: Final = frozenset({"embed", "overlay", "wall"})
"""What a board may be shown as in a frame of another site: on these there is nothing to press."""

PAGE: Final = "index.html"
ADMIN: Final = "admin.html"
DOCS: Final = "docs.html"
NOWHERE: Final = "nowhere.html"
FOR_PROGRAMS: Final = ("api/", "web/")
"""Below these addresses there are no pages."""

KINDS: Final = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
ROOT: Final = "front"
FOREVER: Final = "public, max-age=31536000, immutable"
REVALIDATE: Final = "no-cache"


class Files:
    """Everything in `scoreboard/web`, read once; `version` is another whenever any of it is."""

    def __init__(self) -> None:
        folder = resources.files("scoreboard").joinpath("web")
        self._contents = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
        self.version = hashlib.sha256(repr(sorted(self._contents.items())).encode()).hexdigest()[:16]

    def page(self, name: str, home: str) -> bytes:
        """A page, its links going by `home`, which leads to the root of the application."""
        content = self._contents[name].replace(b'="web/', f'="{home}web/{self.version}/'.encode())
        return content.replace(b'="./', f'="{home or "./"}'.encode())

    def read(self, name: str) -> bytes:
        """A file that pages may ask for. Raises NotFound."""
        if name in (PAGE, ADMIN, DOCS, NOWHERE) or name not in self._contents:
            raise NotFound("There is nothing at this address.")
        return self._contents[name]


FILES: Final[web.AppKey[Files]] = web.AppKey("files", Files)


def add_routes(app: web.Application) -> None:
    """The pages, and below `/web/` their files: under the version that the pages name, they never change."""
    app[FILES] = Files()
    app.router.add_get("/", front, name=ROOT)
    app.router.add_get("/b/{board}", board)
    app.router.add_get("/admin", admin)
    app.router.add_get("/docs", docs)
    for path in ("/b/{board}/", "/admin/", "/docs/"):
        app.router.add_get(path, without_slash)
    app.router.add_get("/openapi.json", description)
    app.router.add_get("/web/{name}", file)
    app.router.add_get("/web/{version}/{name}", file)


async def front(request: web.Request) -> web.Response:
    """The page with the first board."""
    return _page(request, "")


async def board(request: web.Request) -> web.Response:
    """The page with the board that its address names; it says so itself where there is none. Raises NotFound."""
    try:
        request.app[CONTEXT].boards.get(request.match_info["board"])
    except NotFound:
        if not _prefers_html(request):
            raise
        return _page(request, "../", status=404)
    return _page(request, "../")


async def admin(request: web.Request) -> web.Response:
    """The page for moderators; it holds nothing that they have to sign in for."""
    return _page(request, "", ADMIN)


async def docs(request: web.Request) -> web.Response:
    """The page that shows what can be asked of the server, which it reads from `/openapi.json`."""
    return _page(request, "", DOCS)


@web.middleware
async def nowhere(request: web.Request, handler: RequestHandler) -> web.StreamResponse:
    """A page for those who look for one where there is nothing."""
    response = await handler(request)
    if response.status != 404 or request.match_info.http_exception is None or not _prefers_html(request):
        return response
    below = request.rel_url.raw_path.removeprefix(str(request.app.router[ROOT].url_for()))
    if below.startswith(FOR_PROGRAMS):
        return response
    return _page(request, "../" * below.count("/"), NOWHERE, status=404)


async def without_slash(request: web.Request) -> web.Response:
    """From an address with a slash too many to the page; relative, as an application around this one is not known."""
    name, query = request.rel_url.raw_parts[-2], request.rel_url.raw_query_string
    return web.Response(status=308, headers={"Location": f"../{name}?{query}" if query else f"../{name}"})


async def description(request: web.Request) -> web.Response:
    """The same for programs; tools on other origins may read it too."""
    response = _answer(request, openapi(), "application/json", REVALIDATE)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


async def file(request: web.Request) -> web.Response:
    """A script, style or picture; pages of other origins may use it too."""
    files, name = request.app[FILES], request.match_info["name"]
    current = request.match_info.get("version") == files.version
    body, kind = files.read(name), KINDS[name.rpartition(".")[2]]
    response = _answer(request, body, kind, FOREVER if current else REVALIDATE)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _page(request: web.Request, home: str, name: str = PAGE, status: int = 200) -> web.Response:
    response = _answer(request, request.app[FILES].page(name, home), "text/html", REVALIDATE, status)
    framers = _framers(request) if name == PAGE else "'none'"
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.format(framers=framers)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _framers(request: web.Request) -> str:
    allowed = request.app[CONTEXT].settings.server.frame_ancestors
    return " ".join(allowed) if allowed and request.query.get("display") in FRAMED else "'none'"


def _prefers_html(request: web.Request) -> bool:
    """Whether it is asked for by name, and nothing a program reads is asked for rather."""
    wanted = {}
    for part in request.headers.get("Accept", "").split(","):
        kind, _, parameters = part.partition(";")
        wanted[kind.strip().lower()] = _weight(parameters)
    html = wanted.get("text/html", 0.0)
    return html > 0 and html >= max(wanted.get("application/json", 0.0), wanted.get(PROBLEM, 0.0))


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _answer(request: web.Request, body: bytes, kind: str, caching: str, status: int = 200) -> web.Response:
    headers = {"Cache-Control": caching, "X-Content-Type-Options": "nosniff"}
    if status == 200:  # whoever has a page from when there was one is told if there is none
        tag = headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
    return web.Response(status=status, body=body, headers=headers, content_type=kind, charset="utf-8")
