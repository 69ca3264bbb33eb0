"""How a refusal looks over REST: RFC 9457."""

from typing import Any

from msgspec import UNSET, UnsetType

from scoreboard.errors import Quota
from scoreboard.wire.base import Output


class Problem(Output, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was refused; `code` does not change. `result` is the first answer to an action token used before.

    `quota` is the limit that was met. The server's log knows an internal error by its `request_id`.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    result: dict[str, Any] | UnsetType = UNSET
    quota: Quota | UnsetType = UNSET
