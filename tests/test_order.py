import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.model import MAX_SCORE, BoardSettings, Order, TieColumn
from scoreboard.order import OrderKeys, order_keys

ORDERS: tuple[Order, ...] = ("asc", "desc")
PLAYER = "p_7k"

Directions = tuple[Order, Order, Order]
Numbers = tuple[int, tuple[int, int], int, str]
"""Score, tie columns, time and player of a standing."""

numbers = st.one_of(st.integers(-3, 3), st.integers(-MAX_SCORE, MAX_SCORE), st.sampled_from((MAX_SCORE, -MAX_SCORE)))
players = st.text("Aa0_.:-", min_size=1, max_size=4)
standings = st.tuples(numbers, st.tuples(numbers, numbers), st.integers(0, 3), players)
directions = st.tuples(*[st.sampled_from(ORDERS)] * 3)


def keys_of(*orders: Order) -> OrderKeys:
    columns = tuple(TieColumn(f"column{index}", order) for index, order in enumerate(orders[1:]))
    return order_keys(BoardSettings(order=orders[0], tiebreakers=columns))


@given(directions, standings)
def test_a_key_holds_all_of_its_standing(orders: Directions, standing: Numbers) -> None:
    keys = keys_of(*orders)
    key = keys.encode(*standing)
    assert keys.decode(key) == standing
    assert keys.score(key) == standing[0]


@given(directions, st.lists(standings, max_size=8))
def test_keys_sort_as_the_board_does(orders: Directions, given: list[Numbers]) -> None:
    signs = [1 if order == "asc" else -1 for order in orders]
    keys = keys_of(*orders)

    def by_columns(standing: Numbers) -> tuple[int, int, int, int, bytes]:
        score, (first, second), at, player = standing
        return signs[0] * score, signs[1] * first, signs[2] * second, at, player.encode()

    expected = sorted(given, key=by_columns)
    assert [keys.decode(key) for key in sorted(keys.encode(*standing) for standing in given)] == expected


@pytest.mark.parametrize("order", ORDERS)
def test_the_largest_scores_keep_every_digit(order: Order) -> None:
    keys = keys_of(order)
    scores = [-MAX_SCORE, -MAX_SCORE + 1, -1, 0, 1, MAX_SCORE - 1, MAX_SCORE]
    decoded = [keys.decode(key).score for key in sorted(keys.encode(score, (), 0, PLAYER) for score in scores)]
    assert decoded == (scores if order == "asc" else scores[::-1])


def test_standings_of_a_shared_rank_have_the_group_in_common() -> None:
    keys = keys_of("desc", "asc")
    first, second = keys.encode(7, (1,), 10, "ada"), keys.encode(7, (1,), 20, "bob")
    assert keys.group(first) == keys.group(second)
    assert keys.group(first) != keys.group(keys.encode(7, (2,), 10, "ada"))
    assert keys.group(first) != keys.group(keys.encode(8, (1,), 10, "ada"))


@given(directions, standings, standings)
def test_a_probe_sorts_before_its_equals_and_after_the_better(
    orders: Directions,
    standing: Numbers,
    probed: Numbers,
) -> None:
    keys = keys_of(*orders)
    key, probe = keys.encode(*standing), keys.probe(probed[0], probed[1])
    assert (probe <= key) == (keys.group(key) >= probe)
    assert probe < keys.encode(*probed)


def test_tie_columns_not_given_count_as_zero() -> None:
    keys = keys_of("desc", "asc", "desc")
    assert keys.encode(7, (3,), 10, PLAYER) == keys.encode(7, (3, 0), 10, PLAYER)
    assert keys.encode(7, (), 10, PLAYER) == keys.encode(7, (0, 0), 10, PLAYER)


def test_more_tie_columns_than_declared_are_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        keys_of("desc").encode(7, (1,), 10, PLAYER)


def test_a_number_beyond_63_bits_is_an_error() -> None:
    with pytest.raises(struct.error):
        keys_of("asc").encode(2**63, (), 0, PLAYER)


def test_the_bytes_of_a_key_are_fixed() -> None:
    # They are stored in databases and shared with Redis: changing them needs a migration.
    key = keys_of("desc", "asc").encode(5, (-2,), 1_000_000, "ada")
    assert key.hex() == "7ffffffffffffffb7ffffffffffffffe80000000000f4240616461"
