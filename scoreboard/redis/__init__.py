"""Redis as the backends use it: one connection in turns, scripts, messages; the driver is known here alone."""

from scoreboard.redis.keys import Keys
from scoreboard.redis.scripts import Script, load_script
from scoreboard.redis.server import Command, Server, evaluate
from scoreboard.redis.subscriber import Subscriber

__all__ = ["Command", "Keys", "Script", "Server", "Subscriber", "evaluate", "load_script"]
