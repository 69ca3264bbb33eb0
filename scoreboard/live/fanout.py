"""The fan-out: one frame to very many, by as little as one system call for each."""

import os
from array import array
from collections.abc import Collection

from scoreboard.live.base import NO_DESCRIPTOR, Sink


def push_all(sinks: Collection[Sink], frame: bytes) -> list[Sink]:
    """Push to each of them, each at most once; answers who has too much unsent to take it. Awaits nothing.

    What is to be known of each is looked up for all of them first, and then is one number for each. A system call
    leaves the caches full of the kernel's data, so whatever the interpreter touches between two of them has to be
    fetched again, and costs several times what it does by itself.
    """
    late = []
    descriptors = array("i", [sink.descriptor() for sink in sinks])
    left = _write_all(descriptors, frame)
    if left:
        ordered = list(sinks)
        for place, written in left:
            sink = ordered[place]
            if descriptors[place] != NO_DESCRIPTOR:
                sink.hand_over(frame[written:])
            elif not sink.push(frame):
                late.append(sink)
    return late


def _write_all(descriptors: "array[int]", frame: bytes) -> list[tuple[int, int]]:
    """Give the frame to the kernel for each; answers the places of those that did not take all, and how much they did.

    It took nothing where there is no descriptor.
    """
    left = []
    size = len(frame)
    for place, descriptor in enumerate(descriptors):
        if descriptor == NO_DESCRIPTOR:
            left.append((place, 0))
            continue
        try:
            written = os.write(descriptor, frame)
        except OSError:  # no room, or the connection is lost, which the transport will find out
            written = 0
        if written != size:
            left.append((place, written))
    return left
