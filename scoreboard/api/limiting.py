"""The limits in front of every operation, kept in this process."""

from typing import Literal

from scoreboard.clock import HOUR, MINUTE, Clock
from scoreboard.config import LimitSettings
from scoreboard.errors import RateLimited
from scoreboard.limits import Limiter, network_of
from scoreboard.model import ApiKey

LimitClass = Literal["none", "register", "login"]
"""What an operation counts as besides a request."""


class Limits:
    """Counts requests by address and by API key, and the costly ones by address once more."""

    def __init__(self, settings: LimitSettings, clock: Clock) -> None:
        self._requests = Limiter(settings.requests_per_minute, MINUTE, clock)
        self._by_key = Limiter(settings.key_requests_per_minute, MINUTE, clock)
        self._classes = {
            "register": Limiter(settings.registrations_per_hour, HOUR, clock),
            "login": Limiter(settings.logins_per_minute, MINUTE, clock),
        }

    def request(self, address: str) -> None:
        """Count a request from an address. Raises RateLimited."""
        _refuse(self._requests.take(network_of(address)), "requests from this address")

    def key_request(self, key: ApiKey) -> None:
        """Count a request with an API key. Raises RateLimited."""
        _refuse(self._by_key.take(key.id), "requests with this API key")

    def costly(self, limit_class: LimitClass, address: str) -> None:
        """Count a registration or sign-in from an address. Raises RateLimited."""
        if limit_class != "none":
            _refuse(
                self._classes[limit_class].take(network_of(address)), f"attempts to {limit_class} from this address"
            )


class MessageLimits:
    """Counts messages over WebSockets, by sender: a player, or one socket of a spectator.

    As another socket would be another sender, there is a budget of the address too: what as many sockets as it may have
    at once may send.
    """

    def __init__(self, settings: LimitSettings, clock: Clock) -> None:
        of_address = settings.messages_per_minute * settings.sockets_per_address
        self._by_sender = Limiter(settings.messages_per_minute, MINUTE, clock)
        self._by_address = Limiter(of_address, MINUTE, clock)

    def take(self, sender: str | int, network: str) -> float | None:
        """Count a message: None if it may come, else the seconds after which it might have."""
        wait_s = self._by_sender.take(sender)
        return self._by_address.take(network) if wait_s is None else wait_s


def _refuse(retry_after_s: float | None, what: str) -> None:
    if retry_after_s is not None:
        raise RateLimited(f"Too many {what}.", retry_after_s=retry_after_s)
