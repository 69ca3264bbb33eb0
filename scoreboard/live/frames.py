"""Server frames of RFC 6455, built whole, so that one frame's bytes serve every subscriber."""

import struct

from scoreboard.codec import encode_json, encode_msgpack
from scoreboard.live.base import Codec

_FINAL = 0x80
_TEXT, _BINARY, _CLOSE, _PONG = 0x1, 0x2, 0x8, 0xA
_DATA: dict[Codec, int] = {"json": _TEXT, "msgpack": _BINARY}

_SHORT = struct.Struct(">BB").pack
_MEDIUM = struct.Struct(">BBH").pack
_LONG = struct.Struct(">BBQ").pack
_PROTOCOL_ERROR, _LOST = 1002, 1006

_CODE = struct.Struct(">H").pack

MAX_REASON_BYTES = 123
"""What a close frame has room for beside its code."""


def encode(codec: Codec, message: object) -> bytes:
    """A message as the payload of a frame."""
    return encode_json(message) if codec == "json" else encode_msgpack(message)


def frame(codec: Codec, payload: bytes) -> bytes:
    """A data frame: text for JSON, binary for msgpack."""
    return _framed(_DATA[codec], payload)


def message_frame(codec: Codec, message: object) -> bytes:
    """A message, encoded and framed."""
    return frame(codec, encode(codec, message))


def close_frame(code: int | None, reason: str = "") -> bytes:
    """A close frame; without a code it has no payload."""
    if code is None:
        return _framed(_CLOSE, b"")
    return _framed(_CLOSE, _CODE(code) + reason.encode()[:MAX_REASON_BYTES])


def close_answer(code: int | None) -> bytes:
    """The answer to a peer's close frame: its own code, but never the one that stands for a lost connection."""
    return close_frame(_PROTOCOL_ERROR if code == _LOST else code or None)


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping frame."""
    return _framed(_PONG, payload)


def _framed(opcode: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        header = _SHORT(_FINAL | opcode, length)
    elif length < 65536:
        header = _MEDIUM(_FINAL | opcode, 126, length)
    else:
        header = _LONG(_FINAL | opcode, 127, length)
    return header + payload
