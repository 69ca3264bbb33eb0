"""Cases for the rules to look at."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from scoreboard.anticheat import Case
from scoreboard.anticheat.history import entry
from scoreboard.anticheat.neighbours import Neighbours
from scoreboard.anticheat.sketch import Sketch, bucket_of
from scoreboard.clock import MILLISECOND, SECOND
from scoreboard.model import ActionRule, Order

AT = 1_800_000_000 * SECOND


def case(
    score: int = 1,
    action: ActionRule | None = None,
    *,
    took_ms: float = 100,
    intervals_ms: Sequence[float] = (),
    scores: Sequence[int] | None = None,
    order: Order = "desc",
    everyone: Sketch | None = None,
    peers: Sketch | None = None,
    neighbours: Neighbours | None = None,
) -> Case:
    """A submission after others at these intervals; they scored the same unless told."""
    intervals = [round(interval * MILLISECOND) for interval in intervals_ms]
    times = [AT - back for back in accumulate(reversed(intervals))][::-1]
    scores = [score] * len(times) if scores is None else scores
    return Case(
        score,
        action or ActionRule(),
        AT,
        AT - round(took_ms * MILLISECOND),
        order,
        b"".join(map(entry, times, scores)),
        everyone,
        peers,
        neighbours,
    )


def crowd(scores: Iterable[int], players: int = 20) -> Sketch:
    """How so many players scored, in turns."""
    sketch = Sketch(players)
    for number, score in enumerate(scores):
        sketch.add(f"p{number % players}", bucket_of(score))
    return sketch
