import pytest

from scoreboard.alerts.rules import CALM, Facts, Notice, Watchman
from scoreboard.clock import MINUTE, SECOND
from scoreboard.config import AlertSettings

START = 1_800_000_000 * SECOND
EVERY = 15 * MINUTE
DEAD = Facts(problems={"database": "the disk is full"})


@pytest.fixture
def watchman() -> Watchman:
    return Watchman(AlertSettings(faults_per_minute=3, refused_per_minute=10, held_per_minute=20), START)


def told(notices: list[Notice]) -> list[tuple[str, str]]:
    return [(notice.cause, notice.kind) for notice in notices]


def test_while_all_is_well_nothing_is_told(watchman: Watchman) -> None:
    assert [watchman.look(START + number * SECOND, Facts()) for number in range(300)] == [[]] * 300


@pytest.mark.parametrize(
    ("cause", "below", "beyond"),
    [
        ("faults", Facts(faults=2), Facts(faults=3)),
        ("refusals", Facts(refused=9), Facts(refused=10)),
        ("held", Facts(held=19), Facts(held=20)),
        ("drift", Facts(), Facts(drift=1)),
        ("outbox", Facts(arrears_s=29.9), Facts(arrears_s=30)),
        ("redis", Facts(), Facts(problems={"redis": "cannot be reached"})),
    ],
)
def test_each_cause_is_told_from_its_bound_on(watchman: Watchman, cause: str, below: Facts, beyond: Facts) -> None:
    assert watchman.look(START + 10 * SECOND, below) == []
    (notice,) = watchman.look(START + 20 * SECOND, beyond)
    assert (notice.cause, notice.kind) == (cause, "raised")
    assert notice.text
    assert watchman.active == {cause}


def test_a_bound_of_zero_is_never_met() -> None:
    never = AlertSettings(faults_per_minute=0, refused_per_minute=0, held_per_minute=0, arrears_s=0)
    much = Facts(faults=1000, refused=1000, held=1000, arrears_s=1000)
    assert Watchman(never, START).look(START + SECOND, much) == []
    assert len(Watchman(AlertSettings(), START).look(START + SECOND, much)) == 4


def test_what_comes_slowly_is_no_burst(watchman: Watchman) -> None:
    for minute in range(60):
        assert watchman.look(START + minute * MINUTE, Facts(faults=2 * minute)) == []


def test_what_lasts_is_told_again_after_each_interval_and_not_before(watchman: Watchman) -> None:
    kinds = {
        second: notice.kind for second in range(0, 3600, 10) for notice in watchman.look(START + second * SECOND, DEAD)
    }
    assert kinds == {0: "raised", 900: "still", 1800: "still", 2700: "still"}


def test_the_end_is_told_once_when_it_has_been_calm_for_a_while(watchman: Watchman) -> None:
    watchman.look(START, DEAD)
    watchman.look(START + MINUTE, Facts())
    assert watchman.look(START + MINUTE + CALM - 1, Facts()) == []
    (notice,) = watchman.look(START + MINUTE + CALM, Facts())
    assert (notice.cause, notice.kind, notice.lasted) == ("database", "recovered", MINUTE)
    assert notice.text == "the disk is full"
    assert watchman.active == frozenset()
    assert watchman.look(START + 2 * EVERY, Facts()) == []


def test_a_dependency_that_comes_and_goes_is_told_of_once(watchman: Watchman) -> None:
    notices = [
        notice
        for number in range(80)  # of ten seconds each, not calm for long enough
        for notice in watchman.look(START + number * 10 * SECOND, DEAD if number % 3 else Facts())
    ]
    assert told(notices) == [("database", "raised")]


def test_of_one_cause_at_most_one_alert_is_told_in_an_interval_even_if_it_recovers_between(watchman: Watchman) -> None:
    at, notices = START, []
    for _ in range(7):  # two minutes wrong, two minutes well: almost two intervals
        for number in range(24):
            at += 10 * SECOND
            notices += watchman.look(at, DEAD if number < 12 else Facts())
    assert told(notices) == [("database", "raised"), ("database", "recovered"), ("database", "raised")] + (
        [("database", "recovered")] if len(notices) == 4 else []
    )


def test_causes_are_told_apart(watchman: Watchman) -> None:
    both = Facts(problems={"database": "is away", "redis": "is away"}, drift=4)
    assert told(watchman.look(START, both)) == [("drift", "raised"), ("database", "raised"), ("redis", "raised")]


def test_arrears_that_cannot_be_told_are_not_taken_for_none(watchman: Watchman) -> None:
    watchman.look(START, Facts(arrears_s=60))
    for second in range(10, 300, 10):
        assert "outbox" not in [
            cause for cause, _ in told(watchman.look(START + second * SECOND, Facts(arrears_s=None)))
        ]
    assert "outbox" in watchman.active


def test_who_was_hushed_does_not_tell_the_end_either(watchman: Watchman) -> None:
    watchman.look(START, DEAD)
    watchman.hush("database")
    watchman.look(START + MINUTE, Facts())
    assert watchman.look(START + 5 * MINUTE, Facts()) == []
