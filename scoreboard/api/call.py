"""One call of an operation, whichever transport it came by."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from scoreboard.audit import by_player
from scoreboard.errors import Unauthenticated
from scoreboard.model import ApiKey
from scoreboard.pipeline import Judged
from scoreboard.submissions import Refused
from scoreboard.tokens import Claims

if TYPE_CHECKING:
    from scoreboard.api.context import Context
    from scoreboard.api.limiting import Allowance
    from scoreboard.api.operation import Operation

Transport = Literal["rest", "websocket"]


class Caller(Struct, frozen=True):
    """Who calls: a signed-in player by the claims of the access token, or a backend by its API key."""

    claims: Claims | None = None
    key: ApiKey | None = None

    @property
    def anonymous(self) -> bool:
        """Whether nobody in particular calls."""
        return self.claims is None and self.key is None

    @property
    def name(self) -> str:
        """How the audit trail names the caller."""
        if self.key is not None:
            return f"key:{self.key.id}"
        return "nobody" if self.claims is None else by_player(self.claims.player_id)


NOBODY = Caller()


class Call(Struct, eq=False):
    """An operation being called; the middlewares fill in `allowance`, `caller` and `judged`.

    `credentials` is the Authorization header of a request; a WebSocket brings its `caller` with it.
    """

    context: "Context"
    operation: "Operation[Any, Any]"
    transport: Transport
    address: str = ""
    input: Any = None
    caller: Caller = NOBODY
    credentials: str | None = None
    user_agent: str = ""
    idempotency_key: str | None = None
    allowance: "Allowance | None" = None
    judged: Sequence[Judged | Refused] = ()
    _request_id: str = ""

    @property
    def request_id(self) -> str:
        """Names this call in the log and in error answers; made when first asked for."""
        self._request_id = self._request_id or secrets.token_hex(8)
        return self._request_id

    @property
    def claims(self) -> Claims:
        """The claims of the player who calls. Raises Unauthenticated where it is none."""
        if self.caller.claims is None:
            raise Unauthenticated
        return self.caller.claims

    @property
    def submission(self) -> Judged:
        """The one submission that the call carries past the judge."""
        (judged,) = self.judged
        assert isinstance(judged, Judged)
        return judged

    @property
    def key(self) -> ApiKey:
        """The API key that calls. Raises Unauthenticated where it is none."""
        if self.caller.key is None:
            raise Unauthenticated
        return self.caller.key


Handler = Callable[[Call], Awaitable[Any]]
