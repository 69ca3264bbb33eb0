"""Every failure the server tells a client about, one class each.

::

    ScoreboardError
    ├── BadRequest               400 bad_request
    │   └── TooLarge             413 too_large
    ├── Unauthenticated          401 unauthenticated
    │   └── TokenExpired         401 token_expired
    ├── Forbidden                403 forbidden
    │   ├── OriginRefused        403 origin_refused
    │   ├── PlayerBanned         403 player_banned
    │   ├── ActionTokenInvalid   403 action_token_invalid
    │   ├── ActionTokenExpired   403 action_token_expired
    │   └── RuleRejected         403 rule_rejected
    ├── NotFound                 404 not_found
    ├── Conflict                 409 conflict
    │   ├── UsernameTaken        409 username_taken
    │   ├── ActionTokenUsed      409 action_token_used
    │   ├── ScoreOutOfRange      409 score_out_of_range
    │   ├── PeriodClosed         409 period_closed
    │   └── IdempotencyMismatch  409 idempotency_mismatch
    ├── RateLimited              429 rate_limited
    ├── InternalError            500 internal_error
    └── Unavailable              503 unavailable
        ├── OutcomeUnknown       503 outcome_unknown
        └── Overloaded           503 overloaded

    ConfigError                  refuses to start; never sent to a client

``detail`` is written for the client and holds nothing secret. ``temporary`` tells a client that the same request may
succeed later.
"""

from typing import Any, ClassVar

from msgspec import Struct


class Quota(Struct, frozen=True):
    """A limit that was met: how many of what it is called are allowed in how many seconds."""

    name: str
    count: int
    window_s: int


class ScoreboardError(Exception):
    """A failure with a stable code; `detail` is one sentence for the client."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on the server"
    temporary: ClassVar[bool] = False

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        result: dict[str, Any] | None = None,
        quota: Quota | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.result = result
        self.quota = quota


class BadRequest(ScoreboardError):
    code = "bad_request"
    status = 400
    title = "The request is not valid"


class TooLarge(BadRequest):
    code = "too_large"
    status = 413
    title = "The request is too large"


class Unauthenticated(ScoreboardError):
    code = "unauthenticated"
    status = 401
    title = "Sign in first"


class TokenExpired(Unauthenticated):
    code = "token_expired"
    title = "The access token has expired"


class Forbidden(ScoreboardError):
    code = "forbidden"
    status = 403
    title = "This is not allowed"


class OriginRefused(Forbidden):
    code = "origin_refused"
    title = "Pages of this origin may not do this"


class PlayerBanned(Forbidden):
    code = "player_banned"
    title = "This player is banned"


class ActionTokenInvalid(Forbidden):
    code = "action_token_invalid"
    title = "This action token is not valid here"


class ActionTokenExpired(Forbidden):
    code = "action_token_expired"
    title = "This action token has expired"


class RuleRejected(Forbidden):
    code = "rule_rejected"
    title = "The score was rejected by a rule of this board"


class NotFound(ScoreboardError):
    code = "not_found"
    status = 404
    title = "There is no such thing here"


class Conflict(ScoreboardError):
    code = "conflict"
    status = 409
    title = "The request conflicts with what is there"


class UsernameTaken(Conflict):
    code = "username_taken"
    title = "This username is taken, or looks like one that is"


class ActionTokenUsed(Conflict):
    code = "action_token_used"
    title = "This action token was used before"


class ScoreOutOfRange(Conflict):
    code = "score_out_of_range"
    title = "The resulting score would be out of range"


class PeriodClosed(Conflict):
    code = "period_closed"
    title = "This period takes no scores at that time"


class IdempotencyMismatch(Conflict):
    code = "idempotency_mismatch"
    title = "This id was used before with another request"


class RateLimited(ScoreboardError):
    code = "rate_limited"
    status = 429
    title = "Too many requests"
    temporary = True


class InternalError(ScoreboardError):
    """What a client hears of a fault of ours; the rest is in the log under the request's id."""


class Unavailable(ScoreboardError):
    code = "unavailable"
    status = 503
    title = "The server cannot do this right now"
    temporary = True


class OutcomeUnknown(Unavailable):
    code = "outcome_unknown"
    title = "The outcome is not known; repeat the same request"


class Overloaded(Unavailable):
    code = "overloaded"
    title = "The server is busy"


class ConfigError(Exception):
    """The configuration cannot be used; the text is one clear line for the operator."""
