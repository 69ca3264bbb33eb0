import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.clock import HOUR, MINUTE, SECOND, ManualClock
from scoreboard.limits import Concurrency, Limiter, network_of


def test_the_count_is_allowed_at_once_and_then_no_more() -> None:
    limiter = Limiter(5, MINUTE, ManualClock())
    assert [limiter.take("a") for _ in range(5)] == [None] * 5
    assert limiter.take("a") == pytest.approx(12, abs=0.001)


def test_who_waits_as_told_is_admitted_and_who_comes_before_is_not() -> None:
    clock = ManualClock()
    limiter = Limiter(2, MINUTE, clock)
    limiter.take("a", 2)
    wait = limiter.take("a")
    assert wait is not None
    clock.advance(int(wait * SECOND) - 100)
    assert limiter.take("a") is not None
    clock.advance(100)
    assert limiter.take("a") is None
    assert limiter.take("a") is not None


def test_keys_have_their_own_buckets() -> None:
    limiter = Limiter(1, HOUR, ManualClock())
    assert limiter.take("a") is None
    assert limiter.take("b") is None
    assert limiter.take("a") is not None


def test_a_refusal_takes_nothing() -> None:
    clock = ManualClock()
    limiter = Limiter(1, SECOND, clock)
    limiter.take("a")
    for _ in range(1000):
        limiter.take("a")
    clock.advance(SECOND)
    assert limiter.take("a") is None


def test_zero_means_no_limit() -> None:
    limiter = Limiter(0, MINUTE, ManualClock())
    assert {limiter.take("a", 1_000_000) for _ in range(100)} == {None}


def test_a_cost_above_the_count_waits_for_a_full_bucket_and_leaves_it_in_debt() -> None:
    clock = ManualClock()
    limiter = Limiter(10, 10 * SECOND, clock)
    assert limiter.take("a", 30) is None
    assert limiter.take("a") == pytest.approx(21, abs=0.001)
    clock.advance(21 * SECOND)
    assert limiter.take("a", 11) is not None
    assert limiter.take("a") is None


def test_the_table_is_bounded_and_forgets_the_key_idle_for_longest() -> None:
    limiter = Limiter(2, MINUTE, ManualClock(), max_keys=3)
    for key in ("idle", "busy", "other", "busy", "new"):
        assert limiter.take(key) is None
    assert len(limiter) == 3
    assert limiter.take("busy") is not None
    assert [limiter.take("idle"), limiter.take("idle")] == [None, None]


@given(
    st.integers(1, 50),
    st.integers(1, 5000),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 5)), min_size=1, max_size=60),
)
def test_no_window_ever_holds_more_than_twice_the_count(count: int, per: int, calls: list[tuple[int, int]]) -> None:
    clock = ManualClock(0)
    limiter = Limiter(count, per * count, clock)
    taken: list[tuple[int, int]] = []
    for pause, cost in calls:
        clock.advance(pause)
        if cost <= count and limiter.take("a", cost) is None:
            taken.append((clock.now(), cost))
    for start, _ in taken:
        within = sum(cost for at, cost in taken if start <= at < start + per * count)
        assert within <= 2 * count


def test_concurrency_is_capped_per_key_and_forgets_keys_not_in_use() -> None:
    sockets = Concurrency(2)
    assert [sockets.enter("a"), sockets.enter("a"), sockets.enter("a"), sockets.enter("b")] == [True, True, False, True]
    sockets.leave("a")
    assert sockets.enter("a")
    for key in ("a", "a", "b"):
        sockets.leave(key)
    assert (sockets.held("a"), sockets.held("b")) == (0, 0)
    with pytest.raises(KeyError):
        sockets.leave("a")


def test_a_cap_of_zero_means_no_limit_but_still_counts() -> None:
    sockets = Concurrency(0)
    assert all(sockets.enter("a") for _ in range(100))
    assert sockets.held("a") == 100


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_an_ipv6_neighbourhood_counts_as_one(address: str, network: str) -> None:
    assert network_of(address) == network
