"""What an operation is: one thing that can be asked of the server, whichever transport it comes by."""

from collections.abc import Awaitable, Callable
from typing import Generic, Literal, TypeVar

from msgspec import Struct

from scoreboard.api.call import Call
from scoreboard.api.context import Context
from scoreboard.api.limiting import LimitClass
from scoreboard.model import Scope

In = TypeVar("In", bound=Struct)
Out = TypeVar("Out")

Access = Literal["anyone", "reader", "caller", "player"] | Scope
"""Who may call: anyone; readers (anyone on a public board, else any player or key); any caller; players; or keys with
that scope and the roles that stand for it."""


class Operation(Struct, Generic[In, Out], frozen=True):
    """One thing that can be asked of the server.

    `guarded` operations carry submissions and go past the judge. `websocket` says that the operation is also a message
    of its name. `body_cap` names the setting that bounds the request's body.
    """

    name: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    input: type[In]
    run: Callable[[Context, Call, In], Awaitable[Out]]
    access: Access
    status: int = 200
    limit: LimitClass = "none"
    guarded: bool = False
    websocket: bool = True
    body_cap: Literal["max_body_bytes", "max_batch_bytes"] = "max_body_bytes"
