"""Results, put together from encoded parts."""

from typing import Any

import msgpack
import msgspec
import pytest
from msgspec import UNSET, Struct

from scoreboard.api.replies import Label, result_frame
from scoreboard.live.base import Codec
from scoreboard.wire import PlayerOut, ScoreOut

HEADER_BYTES = 2
LONG_HEADER_BYTES = 4


class Small(Struct, omit_defaults=True):
    note: str | None = None


def large(fields: int) -> Struct:
    """An output of so many fields."""
    names = [f"field_{number}" for number in range(fields)]
    return msgspec.defstruct("Large", [(name, int) for name in names])(*range(fields))


def decoded(codec: Codec, frame: bytes) -> Any:
    payload = frame[HEADER_BYTES if frame[1] < 126 else LONG_HEADER_BYTES :]
    return msgspec.json.decode(payload) if codec == "json" else msgpack.unpackb(payload)


@pytest.mark.parametrize("codec", ["json", "msgpack"])
@pytest.mark.parametrize("label", [7, "seven", UNSET])
@pytest.mark.parametrize(
    "output",
    [None, Small(), Small("hello"), ScoreOut(status="held", submission_id="s", board="main")]
    + [large(fields) for fields in (13, 14, 15, 16, 300)],
    ids=repr,
)
def test_a_result_is_the_output_beside_type_and_id(codec: Codec, label: Label, output: Struct | None) -> None:
    head = {"type": "result"} if label is UNSET else {"type": "result", "id": label}
    fields = {} if output is None else msgspec.to_builtins(output)
    assert decoded(codec, result_frame(codec, label, output)) == {**head, **fields}


@pytest.mark.parametrize("codec", ["json", "msgpack"])
def test_an_output_with_an_id_of_its_own_stands_under_value(codec: Codec) -> None:
    output = PlayerOut(id="p_ada", name="Ada", role="player")
    expected = {"type": "result", "id": 7, "value": msgspec.to_builtins(output)}
    assert decoded(codec, result_frame(codec, 7, output)) == expected
