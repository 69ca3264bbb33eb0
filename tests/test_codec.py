import json
import math
from typing import Any

import msgpack
import msgspec
import msgspec.inspect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.api.operation import Operation
from scoreboard.api.operations import OPERATIONS
from scoreboard.codec import MAX_DEPTH, MAX_ELEMENTS, decode_json, decode_msgpack, encode_json, encode_msgpack
from scoreboard.errors import BadRequest
from scoreboard.wire import Batch, ScoreUpdate

NUMBER = msgspec.json.Decoder(dict[str, int | float])
ANYTHING = msgspec.json.Decoder(Any)
ANY_MSGPACK = msgspec.msgpack.Decoder(Any)
SCORE_UPDATE = msgspec.json.Decoder(ScoreUpdate)
BATCH = msgspec.json.Decoder(Batch)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=10)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
).filter(lambda tree: _depth(tree) <= MAX_DEPTH)
JSONISH = st.text(st.sampled_from('{}[]":,\\ua0160deE.+-ntf l\0é\ud800'), max_size=40).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)


def _depth(tree: object) -> int:
    if isinstance(tree, dict):
        return 1 + max(map(_depth, tree.values()), default=0)
    if isinstance(tree, list):
        return 1 + max(map(_depth, tree), default=0)
    return 0


def _nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_a_score_update_is_read_into_its_type() -> None:
    raw = b'{"board":"main","action_token":"t","score":25,"tiebreakers":[3],"metadata":{"level":4}}'
    update = decode_json(raw, SCORE_UPDATE)
    assert update == ScoreUpdate(board="main", action_token="t", score=25, tiebreakers=(3,), metadata={"level": 4})
    assert decode_msgpack(encode_msgpack(json.loads(raw)), msgspec.msgpack.Decoder(ScoreUpdate)) == update


def test_a_full_batch_is_read() -> None:
    metadata = {f"key {n}": n for n in range(20)}
    items = [{"player_id": f"steam:{n}", "board": "main", "score": n, "metadata": metadata} for n in range(1000)]
    assert len(decode_json(json.dumps({"items": items}).encode(), BATCH).items) == 1000


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":1,"b":{"c":1,"c":2}}',
        b'[{"x":"a:","y":[{"k":":","l":0, "k" : 1}]}]',
        b'{"":0,"":0}',
        b'{"x":1,"a":{"a":1},"x":{"a":2}}',
    ],
)
def test_a_key_given_twice_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest, match="twice"):
        decode_json(raw, ANYTHING)


@pytest.mark.parametrize(
    "raw",
    [
        b'[{"a":1},{"a":2}]',
        b'{"a":{"a":{"a":"a"}}}',
        b'{"a":"a","b":"a"}',
        b'["x",":a","x",":a"]',
        b'{"a\\"":1,"a":2}',
        b'{"\\\\u0061":1,"a":2}',
    ],
)
def test_a_key_used_in_several_objects_or_as_a_value_is_no_repeat(raw: bytes) -> None:
    assert decode_json(raw, ANYTHING) == json.loads(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e999",
        b"-1e999",
        b"9223372036854775808",
        b"-9223372036854775809",
        b"[" + b"1" * 400 + b"]",
        b"1" * 5000,
        b'"a\x00b"',
        b'"a\\u0000b"',
        b'{"\\u0000":1}',
        b'"\\ud800"',
        b'"\\udc00x"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b"[1,]",
        b"{'a':1}",
        b'{"a" 1}',
        b"01",
        _nested(MAX_DEPTH + 1),
        _nested(100_000),
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'["\\n",' + _nested(MAX_DEPTH) + b"]",
        b"[" + b"0," * MAX_ELEMENTS + b"0]",
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_what_json_should_not_hold_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        decode_json(raw, ANYTHING)


@pytest.mark.parametrize("raw", [_nested(MAX_DEPTH), b"[" * 16 + b'"[[{"' + b"]" * 16, b"9223372036854775807", b"-0"])
def test_what_lies_within_the_limits_is_accepted(raw: bytes) -> None:
    assert decode_json(raw, ANYTHING) == json.loads(raw)


@pytest.mark.parametrize("score", [b"true", b"1.0", b'"1"', b"9007199254740992", b"1e3", b"null", b"[1]"])
def test_a_score_is_an_integer_of_53_bits(score: bytes) -> None:
    with pytest.raises(BadRequest, match=r"\$\.score"):
        decode_json(b'{"board":"main","action_token":"t","score":' + score + b"}", SCORE_UPDATE)


def test_a_refusal_names_the_unknown_field_and_stays_short() -> None:
    raw = b'{"board":"main","action_token":"t","score":1,"' + b"x" * 9000 + b'":1}'
    with pytest.raises(BadRequest, match="unknown field `xxx") as refusal:
        decode_json(raw, SCORE_UPDATE)
    assert len(refusal.value.detail) < 400


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc1",
        b"\xa1\xff",
        b"\xa1\x00",
        b"\xa3\xed\xa0\x80",
        b"\x81\x01\x02",
        b"\x81\xc0\x02",
        b"\x81\x90\x02",
        b"\x82\xa1a\x01\xa1a\x02",
        b"\x92\x01\x82\xa1a\x01\xa1a\x01",
        b"\x82\xa1a\x01\xd9\x01a\x02",
        b"\xcf" + b"\xff" * 8,
        b"\xca\x7f\xc0\x00\x00",
        b"\xcb\x7f\xf8" + b"\x00" * 6,
        b"\xcb\x7f\xf0" + b"\x00" * 6,
        b"\xc4\x01a",
        b"\xc7\x00\x05",
        b"\xd4\x05a",
        b"\xd6\xff\x00\x00\x00\x01",
        b"\xd7\xff" + b"\x00" * 8,
        b"\xc0\xc0",
        b"\x91" * MAX_DEPTH + b"\x90",
        b"\x91" * 100_000 + b"\xc0",
        b"\xdc\x3f\xff" * 1000,
        b"\xdf\xff\xff\xff\xff",
        b"\xdd\x00\x00\xc3\x51" + b"\x00" * 50_001,
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_what_msgpack_should_not_hold_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        decode_msgpack(raw, ANY_MSGPACK)


def test_msgpack_from_another_encoder_is_read() -> None:
    tree = {"type": "score", "score": 300, "metadata": {"pace": 1.5, "name": "Жαč"}, "long": "x" * 40}
    assert decode_msgpack(msgpack.packb(tree), msgspec.msgpack.Decoder(dict[str, Any])) == tree
    assert decode_msgpack(b"\x81\xd9\x01a\xd1\x00\x05", msgspec.msgpack.Decoder(dict[str, int])) == {"a": 5}
    assert decode_msgpack(b"\x91" * (MAX_DEPTH - 1) + b"\x90", ANY_MSGPACK) == json.loads(_nested(MAX_DEPTH))


def test_a_zero_in_a_number_is_told_from_a_nul_in_a_string() -> None:
    decoder = msgspec.msgpack.Decoder(ScoreUpdate)
    given: dict[str, Any] = {"board": "main", "action_token": "t", "score": 0, "tiebreakers": [256, 70_000]}
    assert decode_msgpack(encode_msgpack(given), decoder).tiebreakers == (256, 70_000)
    spelt_out = {**given, "metadata": {"name": "\\u0000"}}
    assert decode_msgpack(encode_msgpack(spelt_out), decoder).metadata == spelt_out["metadata"]
    for hidden in ({"metadata": {"name": "a\0"}}, {"metadata": {"\0": 1}}, {"action_token": "\0"}):
        with pytest.raises(BadRequest):
            decode_msgpack(encode_msgpack({**given, **hidden}), decoder)


@given(st.binary(max_size=60) | JSONISH)
def test_bytes_are_json_or_a_bad_request(raw: bytes) -> None:
    try:
        value = decode_json(raw, ANYTHING)
    except BadRequest:
        return
    assert value == json.loads(raw)


@given(st.binary(max_size=60))
def test_bytes_are_msgpack_or_a_bad_request(raw: bytes) -> None:
    try:
        value = decode_msgpack(raw, ANY_MSGPACK)
    except BadRequest:
        return
    assert value == msgpack.unpackb(raw)


@given(TREES)
def test_every_plain_tree_survives_both_codecs(tree: object) -> None:
    assert decode_json(encode_json(tree), ANYTHING) == tree
    assert decode_json(json.dumps(tree).encode(), ANYTHING) == tree
    assert decode_msgpack(encode_msgpack(tree), ANY_MSGPACK) == tree
    assert decode_msgpack(msgpack.packb(tree), ANY_MSGPACK) == tree


@given(st.floats(), st.integers())
def test_a_number_is_accepted_exactly_if_it_is_finite_and_fits(real: float, whole: int) -> None:
    for number, fits in ((real, math.isfinite(real)), (whole, -(2**63) <= whole < 2**63)):
        try:
            accepted = decode_json(json.dumps({"n": number}).encode(), NUMBER) == {"n": number}
        except BadRequest:
            accepted = False
        assert accepted == fits


def _structs(type_: msgspec.inspect.Type) -> set[type[msgspec.Struct]]:
    """Every Struct that a type is made of."""
    found: set[type[msgspec.Struct]] = set()
    waiting = [type_]
    while waiting:
        each = waiting.pop()
        if isinstance(each, msgspec.inspect.StructType):
            if each.cls in found:
                continue
            found.add(each.cls)
            waiting += [field.type for field in each.fields]
        for name in ("types", "item_types"):
            waiting += getattr(each, name, ())
        for name in ("item_type", "key_type", "value_type"):
            if (inner := getattr(each, name, None)) is not None:
                waiting.append(inner)
    return found


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_no_input_that_is_checked_by_writing_it_out_adds_what_nobody_sent(operation: Operation[Any, Any]) -> None:
    if not operation.input.__struct_config__.omit_defaults:
        return
    for struct in _structs(msgspec.inspect.type_info(operation.input)):
        spelt_out = [field.name for field in msgspec.structs.fields(struct) if not field.required]
        assert not spelt_out or struct.__struct_config__.omit_defaults, struct


@pytest.mark.parametrize(
    "raw",
    [
        b'{"board":"main","action_token":"t","score":1,"score":1}',
        b'{"board":"main","action_token":"t","score":1,"metadata":null,"metadata":{"a":"b"}}',
        b'{"board":"main","action_token":"t","score":1,"metadata":{"a":1},"metadata":null}',
        b'{"board":"main","action_token":"t","score":1,"metadata":{"a":"x","a":"x"}}',
        b'{"board":"main","board":"main","action_token":"t","score":1,"tiebreakers":[]}',
    ],
)
def test_a_field_given_twice_is_refused_whatever_its_default(raw: bytes) -> None:
    with pytest.raises(BadRequest, match="twice"):
        decode_json(raw, SCORE_UPDATE)


def test_a_field_given_twice_in_msgpack_is_refused_whatever_its_default() -> None:
    fields = [("board", "main"), ("action_token", "t"), ("score", 1), ("metadata", None), ("metadata", {"a": 1})]
    for pairs in (fields, fields[::-1], [*fields[:3], fields[2]]):
        packer = msgpack.Packer()
        raw = packer.pack_map_header(len(pairs)) + b"".join(packer.pack(each) for pair in pairs for each in pair)
        with pytest.raises(BadRequest, match="twice"):
            decode_msgpack(raw, msgspec.msgpack.Decoder(ScoreUpdate))


def test_a_default_that_is_spelt_out_is_taken() -> None:
    raw = b'{"board":"main","action_token":"t","score":1,"tiebreakers":[],"metadata":null}'
    assert decode_json(raw, SCORE_UPDATE) == ScoreUpdate(board="main", action_token="t", score=1)
    packed = msgpack.packb(json.loads(raw))
    assert decode_msgpack(packed, msgspec.msgpack.Decoder(ScoreUpdate)) == decode_json(raw, SCORE_UPDATE)
