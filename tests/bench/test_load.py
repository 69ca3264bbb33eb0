"""The by-hand protocols: what a partial read must not break."""

import pytest

from scoreboard.bench.load import is_whole
from scoreboard.bench.sockets import client_frame, split
from scoreboard.live.frames import frame

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\nServer: x\r\n\r\n"


def test_an_answer_is_whole_when_its_last_byte_is_there() -> None:
    answer = HEAD + b"12345"
    assert [is_whole(answer[:length]) for length in range(len(answer) + 1)].index(True) == len(answer)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_frames_of_every_length_are_found(size: int) -> None:
    payloads = [b"x" * size, b"next"]
    assert split(b"".join(frame("json", payload) for payload in payloads)) == (payloads, b"")


def test_what_is_not_complete_is_left() -> None:
    whole, cut = frame("json", b"a" * 300), frame("json", b"b" * 300)
    for length in range(len(cut)):
        assert split(whole + cut[:length]) == ([b"a" * 300], cut[:length])


@pytest.mark.parametrize(("size", "header"), [(5, b"\x82\x85"), (300, b"\x82\xfe\x01\x2c")])
def test_a_client_frame_is_masked_by_zeros(size: int, header: bytes) -> None:
    assert client_frame(2, b"p" * size) == header + b"\0\0\0\0" + b"p" * size
