"""kill -9 between what happens and who is told of it."""

from pathlib import Path

from aiohttp import ClientSession

from tests.ports import free_port
from tests.server import Server
from tests.webhooks.receiver import PATH, receiving


async def test_what_happened_before_a_kill_is_told_after_it(tmp_path: Path) -> None:
    port = free_port()  # where nobody is yet
    with Server(tmp_path) as server:
        async with ClientSession(headers={"Authorization": f"Key {server.key}"}, raise_for_status=True) as http:
            url, hook = f"{server.url}/api/v1/", {"url": f"http://127.0.0.1:{port}{PATH}", "events": ["player.banned"]}
            async with http.post(f"{url}admin/webhooks", json=hook) as answer:
                secret = (await answer.json())["secret"]
            async with http.post(f"{url}auth/exchange", json={"player_id": "x:ada", "name": "Ada"}):
                pass
            async with http.post(f"{url}admin/players/x:ada/ban", json={}):
                pass
        server.kill()
        async with receiving(port) as receiver:
            server.start()
            message = await receiver.message()
            assert message.is_signed_by(secret)
            assert (message.event, message.data["player_id"]) == ("player.banned", "x:ada")
