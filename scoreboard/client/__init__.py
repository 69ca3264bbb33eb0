"""An asynchronous Python client: `Client` for REST, `Live` for the WebSocket."""

from scoreboard.client.live import LinkState, Live, Update
from scoreboard.client.problems import ClientError
from scoreboard.client.rest import Client
from scoreboard.client.view import BoardView

__all__ = ["BoardView", "Client", "ClientError", "LinkState", "Live", "Update"]
