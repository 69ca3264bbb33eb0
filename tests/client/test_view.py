"""What a live client shows after snapshots and deltas."""

import pytest
from msgspec import UNSET, UnsetType

from scoreboard.client.view import BoardView, Gap, from_delta, from_snapshot
from scoreboard.wire import Delta, Row, Snapshot


def row(position: int, player: str, score: int) -> Row:
    return Row(position=position, rank=position, player_id=player, name=player, score=score, achieved_at="")


def snapshot(
    version: int, *rows: Row, epoch: int = 1, period: str = "all", frozen_at: str | UnsetType = UNSET
) -> Snapshot:
    return Snapshot(
        board="main",
        window="all",
        period=period,
        limit=3,
        epoch=epoch,
        version=version,
        total=len(rows),
        rows=rows,
        frozen_at=frozen_at,
    )


def delta(old: int, new: int, *rows: Row, gone: tuple[str, ...] = (), epoch: int = 1) -> Delta:
    return Delta(
        board="main",
        window="all",
        period="all",
        limit=3,
        epoch=epoch,
        from_=old,
        version=new,
        total=9,
        rows=rows,
        gone=gone,
    )


def players(view: BoardView) -> list[str]:
    return [row.player_id for row in view.rows]


SHOWN = from_snapshot(None, snapshot(5, row(1, "a", 9), row(2, "b", 8), row(3, "c", 7)))


def test_a_delta_moves_rows_to_their_new_positions() -> None:
    view = from_delta(SHOWN, delta(5, 7, row(1, "d", 10), row(2, "a", 9), row(3, "b", 8), gone=("c",)))
    assert players(view) == ["d", "a", "b"]
    assert (view.version, view.total) == (7, 9)


def test_a_delta_leaves_the_other_rows_alone() -> None:
    view = from_delta(SHOWN, delta(5, 6, row(3, "d", 7), gone=("c",)))
    assert players(view) == ["a", "b", "d"]
    assert view.rows[0] is SHOWN.rows[0]


def test_what_is_not_newer_is_dropped() -> None:
    assert from_snapshot(SHOWN, snapshot(5)) is SHOWN
    assert from_snapshot(SHOWN, snapshot(4)) is SHOWN
    assert from_delta(SHOWN, delta(3, 5)) is SHOWN


def test_a_new_epoch_or_period_replaces_what_is_shown() -> None:
    assert players(from_snapshot(SHOWN, snapshot(1, row(1, "z", 1), epoch=2))) == ["z"]
    assert players(from_snapshot(SHOWN, snapshot(1, period="2026-11"))) == []


@pytest.mark.parametrize("new", [delta(6, 7), delta(5, 6, epoch=2)])
def test_a_delta_that_does_not_continue_what_is_shown_is_a_gap(new: Delta) -> None:
    with pytest.raises(Gap):
        from_delta(SHOWN, new)


def test_a_delta_before_any_snapshot_is_a_gap() -> None:
    with pytest.raises(Gap):
        from_delta(None, delta(5, 6))


def test_a_frozen_board_says_since_when_until_it_is_revealed_at_the_same_version_too() -> None:
    frozen = from_snapshot(SHOWN, snapshot(5, *SHOWN.rows, frozen_at="2026-11-25T14:00:00.000000Z"))
    assert (frozen.frozen_at, frozen.version) == ("2026-11-25T14:00:00.000000Z", 5)
    moved = from_delta(frozen, delta(5, 6, row(1, "a", 10)))
    assert moved.frozen_at == frozen.frozen_at
    assert from_snapshot(moved, snapshot(6, *moved.rows)).frozen_at is None
    assert from_snapshot(moved, snapshot(5)) is moved
