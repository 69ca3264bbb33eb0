"""What the server and its writer process say to each other: frames of msgpack over a socket, its length before each.

The server sends batches, and the writer answers each in turn. Before the first answer it says that it is ready, and at
any time what belongs into the server's log.
"""

import struct
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from scoreboard.errors import InternalError, OutcomeUnknown, Unavailable
from scoreboard.model import Board, Submission
from scoreboard.storage.base import Committal

HEAD = struct.Struct(">I")


class Batch(Struct, frozen=True, array_like=True):
    """Submissions for one transaction, each with the number of its board; `boards` are those with a new number."""

    boards: dict[int, Board]
    numbers: Sequence[int]
    submissions: Sequence[Submission]
    now: int


class Ready(Struct, frozen=True, array_like=True, tag="ready"):
    """The database is open; batches may come."""


class Logged(Struct, frozen=True, array_like=True, tag="log"):
    """A record for the log, its text complete."""

    logger: str
    level: int
    text: str


class Done(Struct, frozen=True, array_like=True, tag="done"):
    """A batch is on the disk."""

    committal: Committal


class Failed(Struct, frozen=True, array_like=True, tag="failed"):
    """A batch failed; `kind` names the class of the error."""

    kind: str
    detail: str
    retry_after_s: float | None = None


Said = Ready | Logged | Done | Failed

encode = msgspec.msgpack.Encoder().encode
decode_batch = msgspec.msgpack.Decoder(Batch).decode
decode_said = msgspec.msgpack.Decoder(Said).decode

_ERRORS = {kind.__name__: kind for kind in (Unavailable, OutcomeUnknown, InternalError)}


def frame(message: Batch | Said) -> bytes:
    """The bytes of a message."""
    body = encode(message)
    return HEAD.pack(len(body)) + body


class Frames:
    """Puts together what comes in pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are whole by now."""
        if self._rest:
            data = self._rest + data
        start = 0
        while len(data) - start >= HEAD.size:
            end = start + HEAD.size + HEAD.unpack_from(data, start)[0]
            if end > len(data):
                break
            yield data[start + HEAD.size : end]
            start = end
        self._rest = data[start:]


def failed(error: BaseException) -> Failed:
    """How an error travels; one that is a fault of ours says nothing of itself but in the log."""
    if type(error) is ValueError:
        return Failed(ValueError.__name__, str(error))
    kind = next((name for name, each in _ERRORS.items() if type(error) is each), InternalError.__name__)
    return Failed(kind, getattr(error, "detail", ""), getattr(error, "retry_after_s", None))


def error_of(failure: Failed) -> Exception:
    """The error as it was raised."""
    if failure.kind == ValueError.__name__:
        return ValueError(failure.detail)
    return _ERRORS[failure.kind](failure.detail, retry_after_s=failure.retry_after_s)
