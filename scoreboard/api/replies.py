"""What a WebSocket answers to messages: `result`, `auth.ok` and `pong`."""

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from scoreboard.codec import encode_json
from scoreboard.live.base import Codec
from scoreboard.live.failure import MessageId
from scoreboard.live.frames import frame, message_frame
from scoreboard.wire import PlayerOut


class SocketLimits(Struct, frozen=True):
    """What a connection may do."""

    messages_per_minute: int
    max_message_bytes: int
    max_subscriptions: int


class AuthOk(Struct, frozen=True, kw_only=True, tag_field="type", tag="auth.ok", omit_defaults=True):
    """Who the server takes the client for; a spectator has neither player nor expiry."""

    id: MessageId | UnsetType = UNSET
    player: PlayerOut | None
    expires_in: int | None
    ping_s: float
    limits: SocketLimits


class Pong(Struct, frozen=True, kw_only=True, tag_field="type", tag="pong", omit_defaults=True):
    """The answer to a client's `ping`."""

    id: MessageId | UnsetType = UNSET


class Subscribed(Struct, frozen=True):
    """The answer to `subscribe`."""

    subscription: str


def result_frame(codec: Codec, message_id: MessageId | UnsetType, output: Struct | None) -> bytes:
    """A `result`: the output's fields beside the message's id, or under `value` where the output has an id itself."""
    if output is not None and "id" in output.__struct_fields__:
        return message_frame(codec, {**_head(message_id), "value": output})
    if codec == "msgpack":
        fields = {} if output is None else msgspec.to_builtins(output)
        return message_frame(codec, {**_head(message_id), **fields})
    return frame(codec, _spliced(encode_json(_head(message_id)), b"{}" if output is None else encode_json(output)))


def _head(message_id: MessageId | UnsetType) -> dict[str, Any]:
    return {"type": "result"} if message_id is UNSET else {"type": "result", "id": message_id}


def _spliced(head: bytes, body: bytes) -> bytes:
    """Two JSON objects as one, without decoding either."""
    return head if body == b"{}" else head[:-1] + b"," + body[1:]
