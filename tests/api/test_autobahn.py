"""Autobahn's fuzzing client, the usual test suite of WebSocket servers, against the live endpoint.

Only where `SCOREBOARD_TEST_AUTOBAHN` names its command `wstest`; bin/autobahn fetches it and runs this.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from aiohttp import WSMsgType
from msgspec import Struct

from scoreboard.api import ws
from scoreboard.api.replies import Replies
from scoreboard.api.services import Services
from scoreboard.api.socket import Message, Socket
from scoreboard.config import LimitSettings, LiveSettings
from scoreboard.live.frames import frame
from scoreboard.live.outlet import Outlet
from tests.api.sockets import house

WSTEST = os.environ.get("SCOREBOARD_TEST_AUTOBAHN", "")
COMPRESSION = ["12.*", "13.*"]
"""Cases of an extension that the server does not offer."""

LATE = {"6.4.1", "6.4.2", "6.4.3", "6.4.4"}
"""Cases of text that is no UTF-8 from an early fragment on: it is refused, but once the whole message is there."""

PASSED = {"OK", "NON-STRICT", "INFORMATIONAL"}
AGENT = "scoreboard"
LARGEST = 16 * 1024 * 1024
LIVE = LiveSettings(max_message_bytes=LARGEST, upgrades_per_s=0, auth_s=600)
"""The settings of a server, but for the size of a message and the time to sign in, which nobody does here."""

LIMITS = LimitSettings(requests_per_minute=0, sockets_per_address=0, messages_per_minute=0)
pytestmark = pytest.mark.timeout(900)


class Case(Struct, rename="camel"):
    """What the suite says of one of its cases, and of how the connection was closed."""

    behavior: str
    behavior_close: str
    remote_close_code: int | None


class Silent(Replies):
    """Says nothing of its own: the fuzzing client takes every message for an echo, the goodbye before a close too."""

    __slots__ = ()

    def send(self, message: object) -> None:
        """Leave it out."""


class EchoSocket(Socket):
    """A socket that answers every message with the same, in either codec; all else is as for everybody."""

    __slots__ = ()

    def __init__(self, services: Services, outlet: Outlet, address: str, user_agent: str) -> None:
        super().__init__(services, outlet, address, user_agent)
        self._replies = Silent(outlet, services.metrics)

    async def _take(self, message: Message) -> None:
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            self._codec = "json" if message.type is WSMsgType.TEXT else "msgpack"
        await super()._take(message)

    async def _read(self, raw: bytes, now: int) -> None:
        self._outlet.write(frame(self._codec, raw))


async def test_every_case_of_the_fuzzing_client_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ws, "Socket", EchoSocket)
    async with house(LIVE, LIMITS) as place:
        found = await fuzz(place.url, tmp_path)
    assert len(found) > 300
    failed = {number: case for number, case in found.items() if {case.behavior, case.behavior_close} - PASSED}
    assert not failed
    assert {number for number, case in found.items() if case.behavior == "NON-STRICT"} == LATE
    assert {number for number, case in found.items() if case.remote_close_code == 1007} >= LATE


async def fuzz(url: str, folder: Path) -> Mapping[str, Case]:
    """Run all cases; what became of each, by its number."""
    spec = {
        "outdir": str(folder / "report"),
        "servers": [{"agent": AGENT, "url": url, "protocols": ["scoreboard.v1.json"]}],
        "cases": ["*"],
        "exclude-cases": COMPRESSION,
        "exclude-agent-cases": {},
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    process = await asyncio.create_subprocess_exec(
        *(WSTEST, "--mode", "fuzzingclient", "--spec", str(folder / "spec.json")),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    index = (folder / "report" / "index.json").read_bytes()
    return msgspec.json.decode(index, type=dict[str, dict[str, Case]])[AGENT]
