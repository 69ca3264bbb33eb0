"""The receiver in the documentation takes what is signed, and nothing else."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from scoreboard.webhooks.signing import headers, new_secret

PAGE = Path(__file__).parent.parent.parent / "docs" / "webhooks.md"


async def test_the_receiver_that_is_shown_verifies(monkeypatch: pytest.MonkeyPatch) -> None:
    secret, body, now = new_secret(), b'{"type":"webhook.test"}', int(time.time())
    monkeypatch.setenv("WEBHOOK_SECRET", secret)
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    shown: dict[str, Any] = {"__name__": "shown"}
    exec(code, shown)
    async with TestClient(TestServer(shown["app"])) as http:
        for signed_by, at, sent, status in [
            ([secret], now, body, 204),
            ([new_secret(), secret], now, body, 204),
            ([new_secret()], now, body, 401),
            ([secret], now - 3600, body, 401),
            ([secret], now, b'{"type":"player.banned"}', 401),
        ]:
            signed = headers("msg_1", at, body, signed_by)
            async with http.post("/scoreboard", data=sent, headers=signed) as answer:
                assert answer.status == status
