"""One message to one address, and what came of it.

An address is an admin's word, and the server may stand where others may not go: unless that is allowed, nothing is sent
to addresses that are not public, whatever name leads to them. No redirect is followed.
"""

import ipaddress
import socket
from collections.abc import Mapping
from typing import NamedTuple

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

TIMEOUT_S = 15.0
NOT_PUBLIC = "the address is not a public one"

_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")
"""All that is given out of IPv6: what else leads anywhere leads to IPv4 addresses, or to a network of one's own."""

_TUNNELLED = ipaddress.IPv6Network("2002::/16")
"""Addresses of 6to4, each with an IPv4 one inside, perhaps a private one."""


class Answer(NamedTuple):
    """The status that was answered, or else what went wrong, in words that do not tell the address."""

    status: int | None
    error: str | None = None


class _NotPublic(OSError):
    pass


class _PublicResolver(ThreadedResolver):
    """Looks names up, and leaves out all addresses that are not public."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = [each for each in await super().resolve(host, port, family) if is_public(each["host"])]
        if not found:
            raise _NotPublic(NOT_PUBLIC)
        return found


def is_public(host: str) -> bool:
    """Whether an address is one of the public internet; a name is taken for one, its addresses are looked at later."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        # Numbers alone, as in `127.1`, are taken for an address by some resolvers, and for a name by none.
        return host.rstrip(".").lower() != "localhost" and not host.replace(".", "").isdigit()
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if isinstance(address, ipaddress.IPv6Address) and (address not in _GIVEN_OUT or address in _TUNNELLED):
        return False
    return address.is_global and not address.is_multicast


def open_session(*, private: bool) -> ClientSession:
    """Connections to send on; `private` addresses too, if that is allowed."""
    connector = TCPConnector(limit=0, resolver=None if private else _PublicResolver())
    return ClientSession(connector=connector, cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=TIMEOUT_S))


async def post(session: ClientSession, url: str, headers: Mapping[str, str], body: bytes, *, private: bool) -> Answer:
    """Send a message once."""
    address = URL(url)
    if not private and not is_public(address.host or ""):
        return Answer(None, NOT_PUBLIC)
    try:
        # What is answered is not read: its status is all that counts, and one that goes on costs the connection.
        async with session.post(address, data=body, headers=headers, allow_redirects=False) as answer:
            return Answer(answer.status, None if answer.ok and answer.status < 300 else f"answered {answer.status}")
    except TimeoutError:
        return Answer(None, f"no answer within {TIMEOUT_S:g} s")
    except (ClientError, OSError, ValueError) as fault:  # their texts may hold the address
        refused = isinstance(fault, _NotPublic) or isinstance(fault.__cause__, _NotPublic)
        return Answer(None, NOT_PUBLIC if refused else type(fault).__name__)
