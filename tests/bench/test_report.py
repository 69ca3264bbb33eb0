import pytest

from scoreboard.bench.report import Check, Sample, figures, percentile, ratios, shares, spread


def test_the_middle_and_the_extremes_are_told() -> None:
    found = spread([3.0, 1.0, 2.0, 10.0])
    assert (found.median, found.lowest, found.highest) == (2.5, 1.0, 10.0)


def test_a_figure_is_compared_with_the_limit_of_its_own_round() -> None:
    found = ratios([50.0, 30.0, 90.0], [100.0, 100.0, 100.0])
    assert (found.median, found.lowest, found.highest) == (0.5, 0.3, 0.9)
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected


def test_of_one_value_every_percentile_is_that_value() -> None:
    assert percentile([7.0], 0.5) == percentile([7.0], 0.99) == 7.0


def test_the_rate_is_the_middle_round_and_latencies_are_those_of_all() -> None:
    samples = [Sample(10, [0.001], 1, 0), Sample(30, [0.002, 0.003], 1, 0), Sample(20, [0.1], 1, 0)]
    assert figures(samples) == {"per_s": 20, "p50_ms": 2.0, "p99_ms": 100.0}


def test_without_latencies_only_the_rate_is_told() -> None:
    assert figures([Sample(10, (), 1, 0)]) == {"per_s": 10}


def test_work_for_each_second_of_cpu_does_not_count_the_time_others_took() -> None:
    assert Sample(500, (), 0.5, 0).per_cpu_s == Sample(1000, (), 1.0, 0).per_cpu_s


def test_shares_of_cpu_are_told_for_both_sides() -> None:
    found = shares([Sample(1, (), 0.9, 0.2)], [Sample(1, (), 1.0, 0.4)])
    assert found == {"server": 0.9, "client": 0.2, "limit_server": 1.0, "limit_client": 0.4}


@pytest.mark.parametrize(
    ("at_least", "measured", "met"), [(True, 0.4, True), (True, 0.39, False), (False, 0.4, True), (False, 0.41, False)]
)
def test_a_budget_is_met_up_to_its_bound(at_least: bool, measured: float, met: bool) -> None:
    assert Check("ratio", 0.4, at_least, measured).met is met
