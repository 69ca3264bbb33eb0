"""Where a request came from, behind proxies too."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from aiohttp import web

from scoreboard.errors import BadRequest

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def address_of(request: web.Request, trusted_proxies: Sequence[str]) -> str:
    """The client's address: the peer, or behind listed proxies the last entry of `X-Forwarded-For` that is none.

    Raises BadRequest where a listed proxy sends something that is no address.
    """
    peer = request.remote or ""
    if not trusted_proxies or not _is_trusted(peer, tuple(trusted_proxies)):
        return peer
    entries = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    for entry in reversed([entry.strip() for entry in entries if entry.strip()]):
        peer = entry
        if not _is_trusted(entry, tuple(trusted_proxies)):
            break
    return peer


@lru_cache(maxsize=4096)
def _is_trusted(address: str, trusted: tuple[str, ...]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise BadRequest("X-Forwarded-For holds something that is no address.") from None
    return any(parsed in network for network in _networks(trusted))


@lru_cache(maxsize=8)
def _networks(trusted: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text, strict=False) for text in trusted)
