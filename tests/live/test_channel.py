import random
from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.live.base import Codec, Known
from scoreboard.live.channel import Channel, difference
from scoreboard.model import BoardPeriod, Page, Row
from scoreboard.wire import Delta, Snapshot
from tests.live.boards import View, decode

PERIOD = BoardPeriod("main", "all", "all")
LIMIT = 5


def rows(*standings: tuple[str, int]) -> tuple[Row, ...]:
    return tuple(
        Row(
            position=position,
            rank=position,
            player_id=player,
            name=player.upper(),
            score=score,
            achieved_at="1970-01-01T00:00:01.000000Z",
        )
        for position, (player, score) in enumerate(standings, 1)
    )


def page(version: int, shown: Sequence[Row], epoch: int = 1) -> Page:
    return Page(PERIOD, epoch, version, len(shown), tuple(shown), (b"",) * len(shown))


def message(channel: Channel, known: Known | None, codec: Codec = "json") -> Snapshot | Delta | None:
    frame = channel.frame_for(known, codec)
    if frame is None:
        return None
    decoded = decode(frame, codec)
    assert isinstance(decoded, Snapshot | Delta)
    return decoded


MANY = [(f"p{number}", 100 - number) for number in range(LIMIT)]


def test_a_newcomer_gets_a_snapshot_cut_to_the_limit() -> None:
    channel = Channel(PERIOD, 2, 20)
    assert channel.show(page(7, rows(("a", 3), ("b", 2), ("c", 1))))
    first = message(channel, None)
    assert isinstance(first, Snapshot)
    assert [row.player_id for row in first.rows] == ["a", "b"]
    assert (first.epoch, first.version, first.total, first.limit) == (1, 7, 3, 2)


def test_a_small_change_is_a_delta_from_the_version_the_client_shows() -> None:
    channel = Channel(PERIOD, LIMIT, 20)
    channel.show(page(1, rows(*MANY)))
    message(channel, None)
    assert channel.show(page(4, rows(("p1", 101), ("p0", 100), *MANY[2:])))
    changed = message(channel, (1, 1))
    assert isinstance(changed, Delta)
    assert (changed.from_, changed.version) == (1, 4)
    assert [row.player_id for row in changed.rows] == ["p1", "p0"]
    assert changed.gone == ()


def test_a_change_of_everything_is_sent_as_the_shorter_snapshot() -> None:
    channel = Channel(PERIOD, LIMIT, 20)
    channel.show(page(1, rows(*MANY)))
    message(channel, None)
    channel.show(page(2, rows(*((f"q{number}", 9 - number) for number in range(LIMIT)))))
    assert isinstance(message(channel, (1, 1)), Snapshot)


@given(st.randoms(use_true_random=False), st.sampled_from(["json", "msgpack"]))
def test_whatever_is_sent_is_the_shorter_of_delta_and_snapshot(chance: random.Random, codec: Codec) -> None:
    def some() -> tuple[Row, ...]:
        ids = chance.sample(["a", "b", "c" * 64, "d", "e", "f" * 64, "g"], chance.randint(0, LIMIT))
        return rows(*((player, chance.randint(0, 3)) for player in ids))

    channel = Channel(PERIOD, LIMIT, 20)
    channel.show(page(1, some()))
    channel.frame_for(None, codec)
    if not channel.show(page(2, some())):
        return
    update, snapshot = channel.frame_for((1, 1), codec), channel.frame_for(None, codec)
    assert update is not None
    assert snapshot is not None
    assert len(update) <= len(snapshot)


def test_nothing_is_sent_where_the_visible_rows_did_not_change() -> None:
    channel = Channel(PERIOD, 1, 20)
    channel.show(page(1, rows(("a", 3), ("b", 2))))
    message(channel, None)
    assert not channel.show(page(2, rows(("a", 3), ("c", 2))))
    assert message(channel, (1, 1)) is None
    newcomer = message(channel, None)
    assert newcomer is not None
    assert newcomer.version == 2
    assert message(channel, (1, 2)) is None, "the newest version, shown before and here"


def test_the_newest_version_is_no_proof_of_its_rows_where_it_was_never_sent() -> None:
    channel = Channel(PERIOD, LIMIT, 20)
    channel.show(page(7, rows(*MANY)))
    assert isinstance(message(channel, (1, 7)), Snapshot)


def test_a_delta_starts_only_from_a_version_that_was_sent() -> None:
    channel = Channel(PERIOD, LIMIT, 20)
    channel.show(page(1, rows(*MANY)))
    message(channel, None)
    channel.show(page(2, rows(("p0", 200), *MANY[1:])))
    channel.show(page(3, rows(("p0", 300), *MANY[1:])))
    assert isinstance(message(channel, (1, 2)), Snapshot)
    assert isinstance(message(channel, (1, 1)), Delta)


def test_a_version_beyond_the_bounded_history_gets_a_snapshot() -> None:
    channel = Channel(PERIOD, LIMIT, 3)
    for version in range(1, 6):
        channel.show(page(version, rows(("top", 1000 + version), *MANY[:-1])))
        message(channel, None)
    channel.show(page(6, rows(("top", 2000), *MANY[:-1])))
    assert isinstance(message(channel, (1, 4)), Delta)
    assert isinstance(message(channel, (1, 1)), Snapshot)


def test_another_epoch_forgets_what_was_sent_before() -> None:
    channel = Channel(PERIOD, LIMIT, 20)
    channel.show(page(9, rows(*MANY)))
    message(channel, None)
    assert channel.show(page(1, rows(*MANY), epoch=2))
    assert isinstance(message(channel, (1, 9)), Snapshot)
    assert not channel.show(page(10, rows(("a", 1)), epoch=1)), "an older epoch is ignored"
    assert channel.head == (2, 1)


def test_equal_wishes_share_one_frame() -> None:
    channel = Channel(PERIOD, LIMIT, 20)
    channel.show(page(1, rows(*MANY)))
    assert channel.frame_for(None, "json") is channel.frame_for(None, "json")
    assert channel.frame_for(None, "json") is channel.frame_for((99, 4), "json")


def test_difference_names_moved_changed_new_and_gone() -> None:
    moved, gone = difference(rows(("a", 9), ("b", 8), ("c", 7)), rows(("b", 8), ("d", 7)))
    assert [row.player_id for row in moved] == ["b", "d"]
    assert gone == ("a", "c")


boards = st.lists(
    st.lists(st.tuples(st.sampled_from("abcdefg"), st.integers(0, 5)), max_size=LIMIT, unique_by=lambda row: row[0]),
    max_size=12,
)


@given(boards, st.sets(st.integers(0, 12)), st.sampled_from(["json", "msgpack"]), st.integers(1, 4))
def test_a_client_that_misses_some_updates_ends_with_the_same_rows(
    states: list[list[tuple[str, int]]], missed: set[int], codec: Codec, remembered: int
) -> None:
    channel, lazy, eager = Channel(PERIOD, LIMIT, remembered), View(), View()
    known: dict[View, Known | None] = {lazy: None, eager: None}
    for version, state in enumerate([*states, [("z", 1)]], 1):
        channel.show(page(version, rows(*state)))
        for view in (eager,) if version in missed and version <= len(states) else (eager, lazy):
            update = message(channel, known[view], codec)
            if update is not None:
                view.apply(update)
                known[view] = channel.head
            assert view.shows(page(version, rows(*state)), LIMIT)


def test_msgpack_and_json_say_the_same() -> None:
    channel = Channel(PERIOD, LIMIT, 20)
    channel.show(page(1, rows(*MANY)))
    json, msgpack = message(channel, None, "json"), message(channel, None, "msgpack")
    assert msgspec.to_builtins(json) == msgspec.to_builtins(msgpack)
