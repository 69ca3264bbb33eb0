from scoreboard.bench.stalled import reached


def test_a_push_has_reached_the_crowd_when_a_hundredth_still_lacks_it() -> None:
    first, second = [0.001] * 98 + [0.5, 9.0], [0.002] * 99 + [9.0]
    assert reached([*first, *second], 100) == [0.5, 0.002]
