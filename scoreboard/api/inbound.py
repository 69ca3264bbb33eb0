"""What a client may send over a WebSocket: one closed tagged union, made from the operations and the socket's own."""

from collections.abc import Mapping
from typing import Annotated, Any, Union

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from scoreboard.codec import decode_json, decode_msgpack
from scoreboard.errors import BadRequest
from scoreboard.live.base import Codec
from scoreboard.live.failure import MessageId
from scoreboard.model import MAX_SCORE
from scoreboard.wire import Authenticate, Input, Nothing, Subscribe, Unsubscribe

Id = Annotated[int, Meta(ge=-MAX_SCORE, le=MAX_SCORE)] | Annotated[str, Meta(max_length=64)]

OWN: dict[str, type[Struct]] = {
    "auth": Authenticate,
    "subscribe": Subscribe,
    "unsubscribe": Unsubscribe,
    "activity": Nothing,
    "ping": Nothing,
    "pong": Nothing,
}
"""Messages that the socket itself answers."""


class _Labelled(Struct):
    """As much of a broken message as is needed to answer it."""

    id: Id | UnsetType = UNSET


class Inbound:
    """Decodes messages; what comes out is an instance of its operation's input, with `id` besides."""

    def __init__(self, inputs: Mapping[str, type[Struct]]) -> None:
        self._names: dict[type[Struct], str] = {}
        for name, input_type in {**inputs, **OWN}.items():
            self._names[_message(name, input_type)] = name
        union: Any = Union[tuple(self._names)]  # noqa: UP007 - the members are known at run time only
        self._json: msgspec.json.Decoder[Input] = msgspec.json.Decoder(union)
        self._msgpack: msgspec.msgpack.Decoder[Input] = msgspec.msgpack.Decoder(union)
        self._json_label = msgspec.json.Decoder(_Labelled)
        self._msgpack_label = msgspec.msgpack.Decoder(_Labelled)

    def decode(self, codec: Codec, raw: bytes) -> Input:
        """One message. Raises BadRequest."""
        if codec == "json":
            return decode_json(raw, self._json)
        return decode_msgpack(raw, self._msgpack)

    def name_of(self, message: Input) -> str:
        """The message's type as the client wrote it."""
        return self._names[type(message)]

    def label_of(self, codec: Codec, raw: bytes) -> MessageId | UnsetType:
        """The id of a message that could not be decoded, if that much can be read."""
        try:
            return (self._json_label if codec == "json" else self._msgpack_label).decode(raw).id
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, BadRequest):
            return UNSET


def id_of(message: Input) -> MessageId | UnsetType:
    """The id of a message, if it has one."""
    label: MessageId | UnsetType = getattr(message, "id", UNSET)
    return label


def is_utf8(raw: bytes) -> bool:
    """Whether a text message is text."""
    if raw.isascii():
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _message(name: str, input_type: type[Struct]) -> type[Struct]:
    taken = {"id", "type"} & set(input_type.__struct_fields__)
    if taken:
        raise TypeError(f"the input of {name!r} cannot have the field {taken.pop()!r}: messages use it")
    return msgspec.defstruct(
        f"Message_{name}",
        [("id", Id | UnsetType, UNSET)],
        bases=(input_type,),
        tag_field="type",
        tag=name,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )
