import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.errors import ScoreOutOfRange
from scoreboard.fold import Counted, Standing, fold, fold_one, is_newest
from scoreboard.model import MAX_SCORE, BoardSettings, Operator, Order, TieColumn

PENALTY = (TieColumn("penalty", "asc"),)

histories = st.lists(
    st.builds(
        Counted,
        st.integers(0, 20),
        st.text("0123", min_size=4, max_size=4),
        st.integers(-5, 5),
        st.tuples(st.integers(0, 2)),
    ),
    max_size=6,
).map(sorted)
operators = st.sampled_from(("best", "latest", "sum"))
orders = st.sampled_from(("asc", "desc"))


def board(operator: Operator, order: Order = "desc") -> BoardSettings:
    return BoardSettings(operator=operator, order=order, tiebreakers=PENALTY)


def run(at: int, score: int, penalty: int = 0) -> Counted:
    return Counted(at, f"id{at:04}", score, (penalty,))


def test_nothing_counted_is_no_standing() -> None:
    assert fold(board("best"), []) is None


@pytest.mark.parametrize("operator", ["best", "latest", "sum"])
def test_the_first_submission_is_the_standing(operator: Operator) -> None:
    assert fold(board(operator), [run(5, -7, 2)]) == Standing(-7, (2,), 5, 5, "id0005")


@pytest.mark.parametrize(("order", "kept"), [("desc", 9), ("asc", 4)])
def test_best_keeps_the_better_score(order: Order, kept: int) -> None:
    standing = fold(board("best", order), [run(1, 7), run(2, kept), run(3, 7)])
    assert standing == Standing(kept, (0,), 2, 3, "id0003")


def test_best_compares_and_replaces_tie_columns_with_the_score_as_one_run() -> None:
    better_score = fold(board("best"), [run(1, 7, 0), run(2, 8, 5)])
    better_tie = fold(board("best"), [run(1, 7, 3), run(2, 7, 1)])
    worse_tie = fold(board("best"), [run(1, 7, 3), run(2, 7, 4)])
    assert better_score == Standing(8, (5,), 2, 2, "id0002")
    assert better_tie == Standing(7, (1,), 2, 2, "id0002")
    assert worse_tie == Standing(7, (3,), 1, 2, "id0002")


def test_an_equal_run_does_not_move_the_time_it_was_achieved() -> None:
    for operator in ("best", "latest"):
        assert fold(board(operator), [run(1, 7, 3), run(2, 7, 3)]) == Standing(7, (3,), 1, 2, "id0002")


def test_latest_takes_the_last_even_if_it_is_worse() -> None:
    assert fold(board("latest"), [run(1, 7), run(2, 3, 9)]) == Standing(3, (9,), 2, 2, "id0002")


def test_sum_adds_scores_and_replaces_tie_columns() -> None:
    assert fold(board("sum"), [run(1, 7, 1), run(2, -9, 4)]) == Standing(-2, (4,), 2, 2, "id0002")


def test_adding_zero_does_not_move_the_time_it_was_achieved() -> None:
    assert fold(board("sum"), [run(1, 7, 1), run(2, 0, 4)]) == Standing(7, (4,), 1, 2, "id0002")


@pytest.mark.parametrize("sign", [1, -1])
def test_a_sum_beyond_the_largest_score_is_refused(sign: int) -> None:
    standing = fold(board("sum"), [run(1, sign * MAX_SCORE)])
    assert fold_one(board("sum"), standing, run(2, -sign)).score == sign * (MAX_SCORE - 1)
    with pytest.raises(ScoreOutOfRange):
        fold_one(board("sum"), standing, run(2, sign))


def test_a_sum_may_be_out_of_range_on_its_way() -> None:
    there_and_back = [run(1, MAX_SCORE), run(2, 5), run(3, -6)]
    assert fold(board("sum"), there_and_back) == Standing(MAX_SCORE - 1, (0,), 3, 3, "id0003")
    with pytest.raises(ScoreOutOfRange):
        fold(board("sum"), there_and_back[:2])


def test_the_newest_submission_comes_after_all_that_are_counted() -> None:
    standing = fold(board("sum"), [run(5, 1)])
    assert is_newest(None, run(1, 1))
    assert is_newest(standing, run(6, 1))
    assert not is_newest(standing, run(4, 1))
    assert is_newest(standing, Counted(5, "id0006", 1, ()))
    assert not is_newest(standing, Counted(5, "id0005", 1, ()))


@given(operators, orders, histories)
def test_folding_one_at_a_time_gives_the_plain_definition(
    operator: Operator, order: Order, history: list[Counted]
) -> None:
    standing = fold(board(operator, order), history)
    if not history:
        assert standing is None
        return
    assert standing is not None
    last = history[-1]
    sign = 1 if order == "asc" else -1
    best = min(history, key=lambda one: (sign * one.score, one.tiebreakers))
    expected = {
        "best": (best.score, best.tiebreakers),
        "latest": (last.score, last.tiebreakers),
        "sum": (sum(one.score for one in history), last.tiebreakers),
    }
    assert (standing.score, standing.tiebreakers) == expected[operator]
    assert (standing.last_at, standing.last_id) == (last.accepted_at, last.submission_id)
    if operator == "best":
        assert standing.achieved_at == best.accepted_at
