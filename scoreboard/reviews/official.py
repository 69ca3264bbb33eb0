"""Who decides."""

from msgspec import Struct

from scoreboard.clock import from_rfc3339
from scoreboard.errors import BadRequest


class Official(Struct, frozen=True):
    """A moderator, an admin or a key with the scope, by the name that the audit trail has for them."""

    name: str
    is_admin: bool = False


def instant(text: str | None, field: str) -> int | None:
    """A time that was asked for, in microseconds. Raises BadRequest."""
    try:
        return None if text is None else from_rfc3339(text)
    except ValueError:
        raise BadRequest(f"`{field}` is not an RFC 3339 time with its zone.") from None


def future(text: str | None, field: str, now: int) -> int | None:
    """The same, of a time to come. Raises BadRequest."""
    at = instant(text, field)
    if at is not None and at <= now:
        raise BadRequest(f"`{field}` does not lie in the future.")
    return at
