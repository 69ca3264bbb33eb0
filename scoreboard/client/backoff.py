"""How long a client waits before it tries again: exponential with full jitter, never less than it was told."""

import random

LONGEST_S = 20.0
SHORTEST_S = 0.5


def pause_s(attempt: int, retry_after_s: float | None = None) -> float:
    """Seconds to wait after the given attempt (0 for the first), at least what the server asked for."""
    spread = min(LONGEST_S, SHORTEST_S * 2 ** min(attempt, 16))
    wait = min(LONGEST_S, SHORTEST_S + random.uniform(0, spread))
    return max(wait, retry_after_s or 0.0)
