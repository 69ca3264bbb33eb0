import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from scoreboard.live.base import Codec
from scoreboard.live.frames import close_frame, frame, pong_frame


def parse(raw: bytes) -> Frame:
    """What the reference implementation makes of a frame."""
    stream = StreamReader()
    stream.feed_data(raw)
    stream.feed_eof()
    parser = Frame.parse(stream.read_exact, mask=False)
    try:
        next(parser)
    except StopIteration as done:
        assert stream.buffer == b""
        parsed: Frame = done.value
        return parsed
    raise AssertionError("the frame is not complete")


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 100_000])
@pytest.mark.parametrize(("codec", "opcode"), [("json", Opcode.TEXT), ("msgpack", Opcode.BINARY)])
def test_a_frame_of_any_length_is_well_formed(codec: Codec, opcode: Opcode, length: int) -> None:
    parsed = parse(frame(codec, b"x" * length))
    assert (parsed.opcode, parsed.fin, parsed.data) == (opcode, True, b"x" * length)


def test_control_frames_are_well_formed() -> None:
    assert parse(pong_frame(b"abc")).data == b"abc"
    assert parse(close_frame(4401, "auth")).data == b"\x11\x31auth"
    assert parse(close_frame(None)).data == b""
    assert len(parse(close_frame(1008, "y" * 500)).data) <= 125
