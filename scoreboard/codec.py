"""Text and bytes from clients into typed values, strictly.

What msgspec lets pass is refused here: a key given twice (also when one spelling is escaped), NUL, integers that do not
fit 64 bits, NaN, binary and extension types, nesting deeper than `MAX_DEPTH`, more than `MAX_ELEMENTS` elements.
Whatever is wrong with the input, the answer is `BadRequest`.

The typed decoder goes first and settles that the input is well formed. Then the value is written out again: a key given
twice is lost on that way, so the result is shorter. In JSON the quotes are counted, which without escapes mark nothing
but strings; in msgpack the bytes. Where a default was spelt out, or the type might add one, what is written out is what
a decoder without a type makes of the input. Input that holds anything out of the ordinary, such as a backslash, takes a
slower way instead that looks at every element.
"""

import json
import math
from collections.abc import Iterable
from functools import cache
from typing import Any, NoReturn, TypeVar

import msgpack
import msgspec

from scoreboard.errors import BadRequest

MAX_DEPTH = 16
MAX_ELEMENTS = 50_000
MAX_DETAIL_CHARACTERS = 300

T = TypeVar("T")

_INT64 = range(-(2**63), 2**63)
_EVERY_BYTE = frozenset(range(256))

_NINETEEN_DIGITS = b"0" * 19
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"0" * 9)
_SQUARE_TO_CURLY = bytes.maketrans(b"[]", b"{}")
_ALL_BUT_BRACKETS = bytes(_EVERY_BYTE - set(b"{}[]"))

# In msgpack: zero, bin, ext, float, uint 64, fixext; and what may begin an array or a map.
_ODD = {0x00, *range(0xC4, 0xCC), 0xCF, *range(0xD4, 0xD9)}
_OPENING = {*range(0x80, 0xA0), *range(0xDC, 0xE0)}
_ALL_UNREMARKABLE = bytes(_EVERY_BYTE - _ODD - _OPENING)
_ALL_OPENING = bytes(_OPENING)
_NUL_IN_JSON = b"\\u0000"

_FAULTS = (msgspec.MsgspecError, msgpack.UnpackException, ValueError, TypeError, OverflowError, RecursionError)

_json_encode = msgspec.json.Encoder().encode
_json_decode = msgspec.json.Decoder().decode
_msgpack_encode = msgspec.msgpack.Encoder().encode


def encode_json(value: object) -> bytes:
    """A value as JSON."""
    return _json_encode(value)


def encode_msgpack(value: object) -> bytes:
    """A value as msgpack."""
    return _msgpack_encode(value)


def decode_json(raw: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """JSON as the decoder's type. Raises BadRequest with a sentence that names the place in the input."""
    try:
        value = decoder.decode(raw)
        if b"\\" in raw or _is_long(raw) or _is_deep(raw):
            _Census().visit(json.loads(raw, object_pairs_hook=_distinct))
        else:
            strings = raw.count(b'"')
            known = _adds_nothing(value) and _json_encode(value).count(b'"') == strings
            if not known and _json_encode(_json_decode(raw)).count(b'"') != strings:
                raise BadRequest("A key is given twice in one object.")
    except _FAULTS as fault:
        raise _refusal(fault) from None
    return value


def decode_msgpack(raw: bytes, decoder: msgspec.msgpack.Decoder[T]) -> T:
    """Msgpack as the decoder's type. Raises BadRequest with a sentence that names the place in the input."""
    try:
        value = decoder.decode(raw)
        known = _adds_nothing(value) and len(_msgpack_encode(value)) == len(raw)
        if _is_odd(raw, value if known else None) or not (known or _msgpack_encode(msgpack.unpackb(raw)) == raw):
            # The lengths stated inside are known to be true by now: nothing is allocated that is not there.
            _Census().visit(msgpack.unpackb(raw, object_pairs_hook=_distinct, ext_hook=_no_extension))
    except _FAULTS as fault:
        raise _refusal(fault) from None
    return value


def _adds_nothing(value: object) -> bool:
    """Whether a value is written out without what nobody sent; the types inside must be of that kind too."""
    return isinstance(value, msgspec.Struct) and _omits_defaults(type(value))


@cache
def _omits_defaults(kind: type[msgspec.Struct]) -> bool:
    return kind.__struct_config__.omit_defaults  # which is made anew each time it is asked for


def _is_long(raw: bytes) -> bool:
    """Whether an integer of the text may exceed 64 bits, or the elements their number."""
    if _NINETEEN_DIGITS in raw.translate(_DIGITS_TO_ZERO):
        return True
    return len(raw) > MAX_ELEMENTS and raw.count(b",") + raw.count(b"{") + raw.count(b"[") > MAX_ELEMENTS


def _is_deep(raw: bytes) -> bool:
    """Whether brackets nest too deep, if those inside strings count: each round takes the innermost pairs away."""
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return False
    brackets = raw.translate(_SQUARE_TO_CURLY, _ALL_BUT_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"{}", b"")
    return bool(brackets)


def _is_odd(raw: bytes, known: object) -> bool:
    """Whether msgpack may hold more than short integers and plain strings in a few containers.

    A zero is most likely part of an integer. Where all that the input holds is `known`, JSON tells if it is a NUL.
    """
    remarkable = raw.translate(None, _ALL_UNREMARKABLE)
    if len(remarkable) > MAX_DEPTH or len(raw) > MAX_ELEMENTS:
        return True
    odd = remarkable.translate(None, _ALL_OPENING)
    if not odd or odd.strip(b"\0"):
        return bool(odd)
    return known is None or _NUL_IN_JSON in _json_encode(known)


class _Census:
    """Walks a decoded tree, counts its elements, and refuses what no type of ours should have to refuse."""

    def __init__(self) -> None:
        self._elements = 0

    def visit(self, node: object, depth: int = 1) -> None:
        if isinstance(node, str):
            _check_text(node)
        elif isinstance(node, dict):
            for key in node:
                _check_text(key)
            self._enter(node.values(), len(node), depth)
        elif isinstance(node, list):
            self._enter(node, len(node), depth)
        else:
            _check_scalar(node)

    def _enter(self, children: Iterable[object], count: int, depth: int) -> None:
        self._elements += count
        if depth > MAX_DEPTH:
            raise BadRequest(f"The input is nested deeper than {MAX_DEPTH} levels.")
        if self._elements > MAX_ELEMENTS:
            raise BadRequest(f"The input has more than {MAX_ELEMENTS} elements.")
        for child in children:
            self.visit(child, depth + 1)


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise BadRequest("Every key must be a string.")
    if "\0" in text:
        raise BadRequest("A string holds the character NUL.")


def _check_scalar(node: object) -> None:
    if isinstance(node, int):
        if node not in _INT64:
            raise BadRequest("A number does not fit 64 bits.")
    elif isinstance(node, float):
        if not math.isfinite(node):
            raise BadRequest("A number is not finite.")
    elif node is not None:
        raise BadRequest("Only strings, numbers, booleans, null, arrays and objects are allowed.")


def _distinct(pairs: list[tuple[Any, object]]) -> dict[Any, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequest("A key is given twice in one object.")
    return found


def _no_extension(code: int, data: bytes) -> NoReturn:
    raise BadRequest("Extension types are not allowed.")


def _refusal(fault: Exception) -> BadRequest:
    if isinstance(fault, UnicodeDecodeError):
        return BadRequest("A string is not valid UTF-8.")
    if isinstance(fault, RecursionError):
        return BadRequest(f"The input is nested deeper than {MAX_DEPTH} levels.")
    return BadRequest(f"{str(fault)[:MAX_DETAIL_CHARACTERS].rstrip('.')}.")
