"""What a goodbye asks of the client."""

import pytest

from scoreboard.live import farewell
from scoreboard.live.farewell import RETRY_MS, Farewell

FAREWELLS = [one for one in vars(farewell).values() if isinstance(one, Farewell)]


@pytest.mark.parametrize("one", FAREWELLS, ids=lambda one: one.reason)
def test_nobody_is_asked_to_come_back_at_once_nor_all_at_the_same_time(one: Farewell) -> None:
    waits = [one.bye().retry_after_ms for _ in range(100)]
    assert RETRY_MS[0] <= min(waits) < max(waits) <= RETRY_MS[1]


def test_who_is_told_a_time_is_told_that_time() -> None:
    assert farewell.RESTART._replace(retry_after_ms=3_210).bye().retry_after_ms == 3_210
