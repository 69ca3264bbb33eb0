"""What a WebSocket answers to messages: `result`, `error`, `auth.ok` and `pong`."""

import secrets
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from scoreboard.api.problems import count_refusal, report
from scoreboard.errors import InternalError, ScoreboardError
from scoreboard.live.base import Codec
from scoreboard.live.failure import MessageId, failure
from scoreboard.live.frames import encode, frame, message_frame
from scoreboard.live.outlet import Outlet
from scoreboard.metrics import Metrics
from scoreboard.wire import PlayerOut

Label = MessageId | UnsetType
"""The `id` of the message that is answered, if it had one."""


_FIXMAP, _FIXMAP_KEYS, _MAP16 = 0x80, 15, 0xDE
"""How maps begin in msgpack: with the number of their keys, up to fifteen or up to 65,535."""


class SocketLimits(Struct, frozen=True):
    """What a connection may do."""

    messages_per_minute: int
    max_message_bytes: int
    max_subscriptions: int


class AuthOk(Struct, frozen=True, kw_only=True, tag_field="type", tag="auth.ok", omit_defaults=True):
    """Who the server takes the client for; a spectator has neither player nor expiry."""

    id: Label = UNSET
    player: PlayerOut | None
    expires_in: int | None
    ping_s: float
    limits: SocketLimits


class Pong(Struct, frozen=True, kw_only=True, tag_field="type", tag="pong", omit_defaults=True):
    """The answer to a client's `ping`."""

    id: Label = UNSET


class Subscribed(Struct, frozen=True):
    """The answer to `subscribe`."""

    subscription: str


class Replies:
    """Writes to one client, in its codec."""

    __slots__ = ("_metrics", "_outlet")

    def __init__(self, outlet: Outlet, metrics: Metrics) -> None:
        self._outlet = outlet
        self._metrics = metrics

    def send(self, message: object) -> None:
        """A message of the server's own."""
        self._outlet.write(message_frame(self._outlet.codec, message))

    def result(self, label: Label, output: Struct | None) -> None:
        """A message was done."""
        self._outlet.write(result_frame(self._outlet.codec, label, output))

    def refuse(self, fault: Exception, label: Label = UNSET) -> None:
        """A message was not done; what nobody foresaw is reported, and the client hears no more than that."""
        if isinstance(fault, ScoreboardError):
            count_refusal(fault, self._metrics)
            self.send(failure(fault, label))
            return
        request_id = secrets.token_hex(8)
        report(fault, "a message over a WebSocket", request_id, self._metrics)
        self.send(failure(InternalError(), label, request_id=request_id))


def whole(seconds: float) -> float:
    """The same duration, as an integer where it is one."""
    return int(seconds) if seconds == int(seconds) else seconds


def result_frame(codec: Codec, label: Label, output: Struct | None) -> bytes:
    """A `result`: the output's fields beside the message's id, or under `value` where the output has an id itself."""
    if output is not None and "id" in output.__struct_fields__:
        return message_frame(codec, {**_head(label), "value": output})
    if output is None:
        return message_frame(codec, _head(label))
    head, body = encode(codec, _head(label)), encode(codec, output)
    return frame(codec, (_spliced if codec == "json" else _spliced_msgpack)(head, body))


def _head(label: Label) -> dict[str, Any]:
    return {"type": "result"} if label is UNSET else {"type": "result", "id": label}


def _spliced(head: bytes, body: bytes) -> bytes:
    """Two JSON objects as one, without decoding either."""
    return head if body == b"{}" else head[:-1] + b"," + body[1:]


def _spliced_msgpack(head: bytes, body: bytes) -> bytes:
    """Two msgpack maps as one, the first of up to fifteen keys; the second may have as many or more."""
    if body[0] == _MAP16:
        keys, body = int.from_bytes(body[1:3]), body[3:]
    else:
        keys, body = body[0] - _FIXMAP, body[1:]
    keys += head[0] - _FIXMAP
    opening = bytes([_FIXMAP + keys]) if keys <= _FIXMAP_KEYS else bytes([_MAP16]) + keys.to_bytes(2)
    return opening + head[1:] + body
