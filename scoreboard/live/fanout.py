"""The fan-out: one frame to very many, by as little as one system call for each."""

from collections.abc import Iterable

from scoreboard.live.base import Sink


def push_all(sinks: Iterable[Sink], frame: bytes) -> list[Sink]:
    """Push to each of them, each at most once; answers who has too much unsent to take it. Awaits nothing.

    What is to be known of each is looked up for all of them first. A system call leaves the caches full of the
    kernel's data, so whatever the interpreter touches between two of them has to be fetched again, and costs several
    times what it does by itself.
    """
    late = []
    size = len(frame)
    for sink, send in zip(sinks, [sink.direct() for sink in sinks], strict=True):
        if send is None:
            if not sink.push(frame):
                late.append(sink)
            continue
        try:
            sent = send(frame)
        except OSError:  # no room, or the connection is lost, which the transport will find out
            sent = 0
        if sent != size:
            sink.hand_over(frame[sent:])
    return late
