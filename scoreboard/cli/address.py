"""Where the server is that a command speaks to."""

from urllib.parse import urlsplit

import click

SERVER = "http://127.0.0.1:8080"


def checked_url(context: click.Context, option: click.Parameter, url: str) -> str:
    """The address as given. Raises click.BadParameter where it is none."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise click.BadParameter("must look like http://host:port")
    return url
