"""Reading and changing boards, over REST."""

from pathlib import Path

import pytest

from scoreboard.config import Settings
from scoreboard.model import ActionRule, BoardSettings
from tests.api.app import NO_LIMITS, Api, running

LADDER = [("p1", 50), ("p2", 40), ("p3", 40), ("p4", 30), ("p5", 20)]


async def fill(key: Api, board: str = "main") -> None:
    items = [{"player_id": player, "board": board, "score": score} for player, score in LADDER]
    assert (await key.post("scores/batch", {"items": items})).status == 200


async def players(api: Api, path: str) -> list[str]:
    answer = await api.get(path)
    assert answer.status == 200, answer
    return [row["player_id"] for row in answer.body["rows"]]


async def test_top_gives_positions_and_shared_ranks(api: Api, key: Api) -> None:
    await fill(key)
    body = (await api.get("boards/main/top?limit=4")).body
    assert [(row["position"], row["rank"], row["player_id"]) for row in body["rows"]] == [
        (1, 1, "p1"),
        (2, 2, "p2"),
        (3, 2, "p3"),
        (4, 4, "p4"),
    ]
    assert (body["board"], body["window"], body["period"], body["total"], body["stale"]) == (
        "main",
        "all",
        "all",
        5,
        False,
    )


async def test_an_unchanged_top_is_not_sent_again(api: Api, key: Api) -> None:
    await fill(key)
    tag = (await api.get("boards/main/top")).headers["Etag"]
    unchanged = await api.get("boards/main/top", If_None_Match=tag)
    assert (unchanged.status, unchanged.body, unchanged.headers["Etag"]) == (304, None, tag)
    await fill(key)
    changed = await api.get("boards/main/top", If_None_Match=tag)
    assert (changed.status, changed.headers["Etag"] != tag) == (200, True)


async def test_pages_go_forward_and_back_by_cursor(api: Api, key: Api) -> None:
    await fill(key)
    first = (await api.get("boards/main/standings?limit=2")).body
    second = (await api.get(f"boards/main/standings?limit=2&cursor={first['next']}")).body
    third = (await api.get(f"boards/main/standings?limit=2&cursor={second['next']}")).body
    back = (await api.get(f"boards/main/standings?limit=2&cursor={third['previous']}")).body
    assert [[row["player_id"] for row in page["rows"]] for page in (first, second, third, back)] == [
        ["p1", "p2"],
        ["p3", "p4"],
        ["p5"],
        ["p3", "p4"],
    ]
    assert (first["previous"], third["next"]) == (None, None)


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%00", "eyJ.eyJ"])
async def test_a_cursor_that_is_not_ours_is_refused(api: Api, cursor: str) -> None:
    assert (await api.get(f"boards/main/standings?cursor={cursor}")).code == "bad_request"


async def test_a_cursor_belongs_to_its_board(api: Api, key: Api) -> None:
    await key.call("PUT", "admin/boards/other", {})
    await fill(key)
    cursor = (await api.get("boards/main/standings?limit=2")).body["next"]
    assert (await api.get(f"boards/other/standings?cursor={cursor}")).code == "bad_request"


async def test_around_is_shifted_at_the_edges(api: Api, key: Api) -> None:
    await fill(key)
    assert await players(api, "boards/main/around/p1?k=1") == ["p1", "p2", "p3"]
    assert await players(api, "boards/main/around/p3?k=1") == ["p2", "p3", "p4"]
    assert await players(api, "boards/main/around/p5?k=1") == ["p3", "p4", "p5"]
    assert (await api.get("boards/main/around/nobody")).status == 404


async def test_one_player_with_percentile(api: Api, key: Api) -> None:
    await fill(key)
    body = (await api.get("boards/main/players/p2")).body
    assert (body["position"], body["rank"], body["score"], body["total"], body["percentile"]) == (2, 2, 40, 5, 80.0)


async def test_ranks_of_a_list_name_who_is_missing(api: Api, key: Api) -> None:
    await fill(key)
    answer = await api.post("boards/main/ranks", {"players": ["p5", "nobody", "p1", "p5"]})
    assert [row["player_id"] for row in answer.body["rows"]] == ["p1", "p5"]
    assert answer.body["missing"] == ["nobody"]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=abc", "limit=1&limit=2", "nonsense=1", "window=day"])
async def test_a_bad_query_is_refused(api: Api, query: str) -> None:
    answer = await api.get(f"boards/main/top?{query}")
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_an_unknown_board_is_not_found(api: Api) -> None:
    assert (await api.get("boards/nope/top")).code == "not_found"


async def test_a_board_is_made_and_described(api: Api, key: Api) -> None:
    settings = {
        "title": "Sprint",
        "order": "asc",
        "rank": "dense",
        "windows": ["day", "all", "spring"],
        "seasons": {"spring": {"start": "2026-03-01T00:00:00Z", "end": "2026-06-01T00:00:00Z"}},
        "timezone": "Asia/Tokyo",
        "week_start": "sunday",
        "min_score": 0,
        "max_score": 9,
    }
    made = await key.call("PUT", "admin/boards/sprint", settings)
    assert made.status == 200, made
    shown = (await api.get("boards/sprint")).body
    assert {name: shown[name] for name in settings} == settings
    assert [board["board"] for board in (await api.get("boards")).body["boards"]] == ["main", "sprint"]


@pytest.mark.parametrize(
    "settings",
    [
        {"timezone": "Mars/Olympus"},
        {"windows": ["fortnight"]},
        {"windows": []},
        {"order": "sideways"},
        {"tiebreakers": [{"name": "a"}, {"name": "a"}]},
        {"tiebreakers": [{"name": name} for name in "abcde"]},
        {"min_score": 5, "max_score": 1},
        {"colour": "red"},
        {"board": "other"},
        {"actions": {"coin": {"max_score": 2**53}}},
    ],
)
async def test_settings_that_make_no_sense_are_refused(api: Api, key: Api, settings: dict[str, object]) -> None:
    answer = await key.call("PUT", "admin/boards/odd", settings)
    assert (answer.status, answer.code) == (400, "bad_request")
    assert (await api.get("boards/odd")).status == 404


async def test_a_board_with_scores_keeps_what_its_standings_are_made_by(api: Api, key: Api) -> None:
    await key.call("PUT", "admin/boards/race", {"operator": "best"})
    await fill(key, "race")
    refused = await key.call("PUT", "admin/boards/race", {"operator": "sum"})
    assert (refused.status, refused.code) == (409, "conflict")
    assert (await api.get("boards/race")).body["operator"] == "best"


async def test_another_rank_rule_is_seen_at_once(api: Api, key: Api) -> None:
    await key.call("PUT", "admin/boards/race", {})
    await fill(key, "race")
    assert [rank for rank, _, _ in await api.rows("race")] == [1, 2, 2, 4, 5]
    before = (await api.get("boards/race/top")).headers["Etag"]
    await key.call("PUT", "admin/boards/race", {"rank": "dense"})
    assert [rank for rank, _, _ in await api.rows("race")] == [1, 2, 2, 3, 4]
    assert (await api.get("boards/race/top")).headers["Etag"] != before


async def test_another_rank_rule_is_seen_in_past_periods_too(api: Api, key: Api) -> None:
    await key.call("PUT", "admin/boards/race", {"windows": ["day"]})
    at = "2026-01-01T12:00:00Z"
    items = [{"player_id": player, "board": "race", "score": score, "at": at} for player, score in LADDER]
    await key.post("scores/batch", {"items": items})
    past = "boards/race/top?period=2026-01-01"
    assert [row["rank"] for row in (await api.get(past)).body["rows"]] == [1, 2, 2, 4, 5]
    await key.call("PUT", "admin/boards/race", {"windows": ["day"], "rank": "dense"})
    assert [row["rank"] for row in (await api.get(past)).body["rows"]] == [1, 2, 2, 3, 4]


async def test_an_empty_board_takes_another_order_and_tie_columns(api: Api, key: Api) -> None:
    await key.call("PUT", "admin/boards/race", {"order": "desc"})
    await api.get("boards/race/top")
    await key.call("PUT", "admin/boards/race", {"order": "asc", "tiebreakers": [{"name": "faults", "order": "asc"}]})
    items = [
        {"player_id": player, "board": "race", "score": score, "tiebreakers": [faults]}
        for player, score, faults in (("a", 7, 0), ("b", 5, 2), ("c", 5, 1))
    ]
    placed = (await key.post("scores/batch", {"items": items})).body["items"]
    assert [(item["score"], item["position"]) for item in placed] == [(7, 3), (5, 2), (5, 1)]
    rows = (await api.get("boards/race/top")).body["rows"]
    assert [(row["player_id"], row["score"], row["tiebreakers"]) for row in rows] == [
        ("c", 5, [1]),
        ("b", 5, [2]),
        ("a", 7, [0]),
    ]


async def test_only_admins_make_boards(api: Api, tmp_path: Path) -> None:
    ada, _ = await api.registered("ada")
    assert (await ada.call("PUT", "admin/boards/x", {})).status == 403
    assert (await api.call("PUT", "admin/boards/x", {})).status == 401
    password = (tmp_path / "admin-password").read_text().strip()
    signed_in = await api.post("auth/login", {"username": "admin", "password": password})
    admin = api.of(f"Bearer {signed_in.body['access_token']}")
    assert (await admin.call("PUT", "admin/boards/x", {})).status == 200


async def test_a_board_that_is_not_public_needs_a_sign_in(tmp_path: Path) -> None:
    boards = {"club": BoardSettings(public=False, actions={"coin": ActionRule()})}
    async with running(tmp_path, Settings(limits=NO_LIMITS, boards=boards)) as api:
        ada, _ = await api.registered("ada")
        for path in ("boards/club", "boards/club/top", "boards/club/standings", "boards/club/periods"):
            assert (await api.get(path)).status == 401, path
            assert (await ada.get(path)).status == 200, path
        assert (await api.get("boards")).body["boards"] == []
        assert len((await ada.get("boards")).body["boards"]) == 1


async def test_windows_count_each_score_once_and_old_periods_stay_readable(api: Api, key: Api) -> None:
    await key.call("PUT", "admin/boards/race", {"operator": "sum", "windows": ["all", "day", "month"]})
    items = [
        {"player_id": "a", "board": "race", "score": 1, "at": at}
        for at in ("2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z", "2026-02-01T12:00:00Z")
    ]
    await key.post("scores/batch", {"items": items})
    scores = {
        period: (await api.get(f"boards/race/top?{period}")).body["rows"][0]["score"]
        for period in ("window=all", "window=month&period=2026-01", "window=day&period=2026-01-02")
    }
    assert list(scores.values()) == [3, 2, 1]
    assert (await api.get("boards/race/top?window=day")).body["rows"] == []
    assert (await api.get("boards/race/top?window=day&period=1999-01-01")).body["total"] == 0
    assert (await api.get("boards/race/top?window=day&period=2026-13-01")).status == 400
    listed = (await api.get("boards/race/periods")).body["periods"]
    days = [(period["period"], period["current"]) for period in listed if period["window"] == "day"]
    assert days[0][1] is True
    assert days[1:] == [("2026-02-01", False), ("2026-01-02", False), ("2026-01-01", False)]
    assert (listed[-1]["window"], listed[-1]["start"], listed[-1]["current"]) == ("all", None, True)


async def test_a_window_that_is_added_shows_what_was_before(api: Api, key: Api) -> None:
    await key.call("PUT", "admin/boards/race", {"operator": "sum"})
    items = [
        {"player_id": "a", "board": "race", "score": score, "at": at}
        for score, at in ((1, "2026-01-01T12:00:00Z"), (2, "2026-01-01T13:00:00Z"), (4, "2026-01-02T12:00:00Z"))
    ]
    await key.post("scores/batch", {"items": items})
    await key.post("scores/batch", {"items": [{"player_id": "b", "board": "race", "score": 8}]})
    await key.call("PUT", "admin/boards/race", {"operator": "sum", "windows": ["all", "month"]})
    assert await scores(api, "window=month") == [8]
    assert await scores(api, "window=month&period=2026-01") == [7]
    added = await key.post("scores/batch", {"items": [{"player_id": "b", "board": "race", "score": 1}]})
    assert added.body["items"][0]["score"] == 9
    assert await scores(api, "window=month") == [9]


async def test_a_window_that_comes_back_shows_what_changed_meanwhile(api: Api, key: Api) -> None:
    both, one = ({"operator": "sum", "windows": windows} for windows in (["all", "month"], ["all"]))
    item = {"player_id": "a", "board": "race", "score": 1}
    await key.call("PUT", "admin/boards/race", both)
    await key.post("scores/batch", {"items": [item, {**item, "at": "2026-01-01T12:00:00Z"}]})
    assert await scores(api, "window=month&period=2026-01") == [1]
    await key.call("PUT", "admin/boards/race", one)
    await key.post("scores/batch", {"items": [item, {**item, "at": "2026-01-02T12:00:00Z"}]})
    await key.call("PUT", "admin/boards/race", both)
    assert await scores(api, "window=month") == [2]
    assert await scores(api, "window=month&period=2026-01") == [2]


async def scores(api: Api, query: str) -> list[int]:
    return [row["score"] for row in (await api.get(f"boards/race/top?{query}")).body["rows"]]


async def test_a_season_takes_scores_within_its_dates_only(api: Api, key: Api) -> None:
    season = {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}
    await key.call("PUT", "admin/boards/cup", {"windows": ["winter"], "seasons": {"winter": season}})
    items = [
        {"player_id": "a", "board": "cup", "score": 1, "at": at}
        for at in ("2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
    ]
    answer = await key.post("scores/batch", {"items": items})
    assert [item.get("code", "ok") for item in answer.body["items"]] == ["period_closed", "ok", "period_closed"]
    assert (await api.get("boards/cup/top")).body["total"] == 1


async def test_the_open_periods_of_many_boards_stay_loaded(tmp_path: Path) -> None:
    windows = ("all", "day", "week", "month")
    boards = {f"b{number}": BoardSettings(windows=windows) for number in range(65)}
    async with running(tmp_path, Settings(limits=NO_LIMITS, boards=boards)) as api:
        epochs = [(await api.get(f"boards/{board}/top")).body["epoch"] for board in boards]
    assert max(epochs) <= len(boards) * len(windows)  # each load takes the next epoch
