"""A running server as hostile input finds it: credentials good and bad, raw requests, and what must stay as it is."""

import asyncio
import json
import re
import socket
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jwt
import msgspec

from scoreboard.client import Client
from scoreboard.clock import HOUR, ManualClock, SystemClock
from scoreboard.secrets import load_secret
from scoreboard.tokens import AccessTokens, ActionTokens, Keyring
from tests.api import described
from tests.server import Server

BOARD = "main"
CONFIG = {
    "boards": {
        BOARD: {"operator": "sum", "actions": {"coin": {"max_score": 100}, "gem": {"max_score": 100}}},
        "other": {"operator": "sum", "actions": {"coin": {"max_score": 100}}},
        "club": {"operator": "sum", "public": False, "actions": {"coin": {}}},
    }
}
UPDATE = "/api/v1/scores/update"
BATCH = "/api/v1/scores/batch"
FOREIGN_SECRET = b"another server's secret, quite long enough"
TROUBLE = re.compile(r"Traceback|\bERROR\b|\bCRITICAL\b|never retrieved|never awaited")


class Answer(NamedTuple):
    """Status, problem code (empty where it succeeded) and body of an HTTP answer."""

    status: int
    code: str
    body: bytes


class Target:
    """One server, one player with a score on the board, and a log that must stay free of trouble."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.address = urlsplit(server.url).hostname or ""
        self.port = urlsplit(server.url).port or 0
        self.player = "e:ada"
        self.token = ""
        self.session = ""
        self._read = 0
        self._keyring = Keyring.from_secrets(load_secret(server.data / "secret.key"))

    async def prepare(self) -> None:
        """Bring the player and a first score."""
        async with Client(self.server.url, key=self.server.key) as backend:
            self.token = (await backend.exchange(self.player, "Ada")).access_token
        self.session = str(jwt.decode(self.token, options={"verify_signature": False})["sid"])
        await self.score(await self.action_token(), 7)

    async def action_token(self, board: str = BOARD) -> str:
        """A genuine, unused action token."""
        async with Client(self.server.url, token=self.token) as client:
            return (await client.start_action(board, "coin")).action_token

    async def score(self, action_token: str, score: int) -> str:
        """Submit; returns the submission's id."""
        async with Client(self.server.url, token=self.token) as client:
            return (await client.submit(BOARD, action_token, score)).submission_id

    async def shown(self) -> bytes:
        """What every board shows, to compare before and after."""
        pages = []
        async with Client(self.server.url, key=self.server.key) as backend:
            for board in await backend.boards():
                pages.append((board, [row async for row in backend.standings(board.board)]))
        return msgspec.json.encode(pages)

    def trouble(self) -> str:
        """What the server's log says since the last look, where it tells of a fault; empty where it does not."""
        log = self.server.log
        new, self._read = log[self._read :], len(log)
        return new if TROUBLE.search(new) else ""

    # Credentials that look right

    def expired_access(self) -> str:
        """An access token that was good two hours ago."""
        clock = ManualClock(SystemClock().now() - 2 * HOUR)
        tokens = AccessTokens(self._keyring, "scoreboard", "scoreboard", 900, clock)
        return tokens.issue(self.player, self.session, "player")

    def access(self, *, issuer: str = "scoreboard", audience: str = "scoreboard", secret: bytes | None = None) -> str:
        """An access token for the player with one thing about it changed."""
        keyring = self._keyring if secret is None else Keyring.from_secrets(secret)
        return AccessTokens(keyring, issuer, audience, 900, SystemClock()).issue(self.player, self.session, "player")

    def action(
        self, *, player: str = "", board: str = BOARD, action: str = "coin", age: int = 0, secret: bytes | None = None
    ) -> str:
        """An action token with one thing about it changed; `age` in microseconds."""
        keyring = self._keyring if secret is None else Keyring.from_secrets(secret)
        tokens = ActionTokens(keyring, ManualClock(SystemClock().now() - age))
        return tokens.issue(player or self.player, board, action, 600)[0]

    def signed(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None, *, key: str = "action") -> str:
        """Any claims under a genuine key, as a careless backend might mint them."""
        current = self._keyring.current
        signing = current.action if key == "action" else current.access
        return jwt.encode(dict(claims), signing, algorithm="HS256", headers={"kid": current.kid, **(header or {})})

    # Raw requests

    async def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        content_type: str | None = "application/json",
        authorization: str | bytes | None = None,
        headers: tuple[bytes, ...] = (),
    ) -> Answer:
        """One request exactly as given, with nothing normalised on its way."""
        credentials = f"Bearer {self.token}" if authorization is None else authorization
        lines = [
            f"{method} {path} HTTP/1.1".encode(),
            b"Host: scoreboard",
            b"Connection: close",
            *([f"Content-Type: {content_type}".encode()] if content_type else []),
            *([b"Authorization: " + _bytes(credentials)] if credentials else []),
            *headers,
        ]
        if not any(header.lower().startswith((b"content-length", b"transfer-encoding")) for header in headers):
            lines.append(f"Content-Length: {len(body)}".encode())
        answer = await self.raw(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        if answer.code:  # what is no HTTP is refused before it is known what is asked for
            kind = {"Content-Type": "application/problem+json"}
            described.check(method, path.partition("?")[0], answer.status, kind, json.loads(answer.body))
        return answer

    async def raw(self, sent: bytes) -> Answer:
        """The answer to these bytes; status 0 where the server only closed the connection."""
        reader, writer = await asyncio.open_connection(self.address, self.port)
        try:
            writer.write(sent)
            try:
                received = await _answer(reader)
            except (ConnectionResetError, asyncio.IncompleteReadError):
                received = b""
        finally:
            writer.close()
        return _parsed(received)

    async def abandon(self, sent: bytes) -> None:
        """Send these bytes and cut the connection hard, waiting for nothing."""
        _, writer = await asyncio.open_connection(self.address, self.port)
        writer.write(sent)
        await writer.drain()
        raw: socket.socket = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        writer.transport.abort()


def unsigned(claims: Mapping[str, Any], header: Mapping[str, Any]) -> str:
    """A token without a signature, whatever its header says."""
    parts = (urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=").decode() for part in (header, claims))
    return ".".join((*parts, ""))


def assert_refused(answer: Answer, status: int, code: str) -> None:
    """A problem as documented: its status, its code, a request id, and nothing of the server's insides."""
    assert (answer.status, answer.code) == (status, code), answer.body
    problem = json.loads(answer.body)
    assert problem["status"] == status
    assert problem["request_id"]
    assert problem["title"]
    assert "Traceback" not in answer.body.decode()


def update(score: str = "5", token: str = "t", more: str = "") -> bytes:
    """The body of a score update, well formed unless told."""
    return f'{{"board":"main","action_token":"{token}","score":{score}{more}}}'.encode(errors="surrogatepass")


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """Head and body; the server may keep the connection open for a while after an early answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


def _parsed(received: bytes) -> Answer:
    head, _, body = received.partition(b"\r\n\r\n")
    if not head:
        return Answer(0, "", b"")
    try:
        code = msgspec.json.decode(body)["code"]
    except (msgspec.DecodeError, KeyError, TypeError):
        code = ""
    return Answer(int(head.split()[1]), code, body)
