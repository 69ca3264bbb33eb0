"""Boards, batches and questions that make no sense: refused as documented, nothing changed, nothing in the log."""

import json
from typing import Any

import pytest

from tests.api.target import BATCH, BOARD, Target, assert_refused

BAD_BOARDS: list[dict[str, Any]] = [
    {"order": "sideways"},
    {"operator": "average"},
    {"rank": "olympic"},
    {"windows": []},
    {"windows": ["decade"]},
    {"windows": ["all", "all"]},
    {"timezone": "Mars/Olympus"},
    {"timezone": "../../etc/passwd"},
    {"timezone": ""},
    {"title": "x" * 200},
    {"decimals": -1},
    {"min_score": 5, "max_score": 4},
    {"max_score": 2**53},
    {"tiebreakers": [{"name": f"t{number}"} for number in range(5)]},
    {"tiebreakers": [{"name": "t"}, {"name": "t"}]},
    {"actions": {"coin": {"max_score": "many"}}},
    {"actions": {"a b": {}}},
    {"seasons": {"s": {"start": "yesterday", "end": "tomorrow"}}},
    {"live_limit": 1000},
    {"surprise": True},
    {"board": "other"},
]


@pytest.mark.parametrize("settings", BAD_BOARDS, ids=lambda settings: json.dumps(settings)[:50])
async def test_bad_board_settings_are_refused(target: Target, settings: dict[str, Any]) -> None:
    for board in (BOARD, "brand-new"):
        answer = await target.request(
            "PUT",
            f"/api/v1/admin/boards/{board}",
            json.dumps(settings).encode(),
            authorization=f"Key {target.server.key}",
        )
        assert_refused(answer, 400, "bad_request")


@pytest.mark.parametrize("board", ["MAIN", "a%20b", "-x", "x" * 65, "%00", "%F0%9F%8F%86"])
async def test_a_bad_board_id_is_refused(target: Target, board: str) -> None:
    path = f"/api/v1/admin/boards/{board}"
    answer = await target.request("PUT", path, b"{}", authorization=f"Key {target.server.key}")
    assert_refused(answer, 400, "bad_request")


@pytest.mark.parametrize(
    "items",
    [
        None,
        "main",
        [],
        {},
        [5],
        [{}],
        [{"player_id": "a", "board": "main", "score": 1}] * 1001,
        [{"player_id": "a", "board": "main", "score": 1.5}],
        [{"player_id": "a b", "board": "main", "score": 1}],
        [{"player_id": "", "board": "main", "score": 1}],
        [{"player_id": "a", "board": "main", "score": 1, "id": ""}],
        [{"player_id": "a", "board": "main", "score": 1, "id": "x" * 129}],
        [{"player_id": "a", "board": "main", "score": 1, "admin": 1}],
        [{"player_id": "a", "board": "main", "score": 1, "at": 5}],
    ],
    ids=lambda items: json.dumps(items)[:60],
)
async def test_a_malformed_batch_is_refused_whole(target: Target, items: Any) -> None:
    body = json.dumps({"items": items}).encode()
    answer = await target.request("POST", BATCH, body, authorization=f"Key {target.server.key}")
    assert_refused(answer, 400, "bad_request")


BAD_ITEMS: list[tuple[dict[str, Any], str]] = [
    ({"board": "nowhere"}, "not_found"),
    ({"player_id": "p_nobody"}, "not_found"),
    ({"at": "2999-01-01T00:00:00Z"}, "bad_request"),
    ({"at": "yesterday"}, "bad_request"),
    ({"at": "2026-01-01T00:00:00"}, "bad_request"),
    ({"at": "0001-01-01T00:00:00+23:59"}, "bad_request"),
    ({"name": "\u202eevil"}, "bad_request"),
    ({"name": "a\u0007b"}, "bad_request"),
    ({"tiebreakers": [1]}, "bad_request"),
    ({"metadata": {"a": "x" * 3000}}, "bad_request"),
]


async def test_a_bad_item_of_a_batch_is_refused_alone(target: Target) -> None:
    items = [{"player_id": "e:eve", "board": BOARD, "score": 1, **change} for change, _ in BAD_ITEMS]
    body = json.dumps({"items": items}).encode()
    answer = await target.request("POST", BATCH, body, authorization=f"Key {target.server.key}")
    assert answer.status == 200, answer.body
    outcomes = json.loads(answer.body)["items"]
    assert [(one["status"], one["code"]) for one in outcomes] == [("rejected", code) for _, code in BAD_ITEMS]


@pytest.mark.parametrize(
    ("path", "body", "codes"),
    [
        ("auth/register", {"username": "", "password": "long enough"}, {"bad_request"}),
        ("auth/register", {"username": "eve", "password": "short"}, {"bad_request"}),
        ("auth/register", {"username": "e\u0000ve", "password": "long enough"}, {"bad_request"}),
        ("auth/register", {"username": "e\u202eve", "password": "long enough"}, {"bad_request"}),
        ("auth/register", {"username": "e" * 33, "password": "long enough"}, {"bad_request"}),
        ("auth/register", {"username": "eve", "password": "long enough", "role": "admin"}, {"bad_request"}),
        ("auth/register", {"username": "eve", "password": "x" * 300}, {"bad_request"}),
        ("auth/login", {"username": "nobody", "password": "whatever"}, {"unauthenticated"}),
        ("auth/login", {"username": "nobody", "password": 5}, {"bad_request"}),
        ("auth/login", {"username": {"$ne": ""}, "password": "x"}, {"bad_request"}),
        ("auth/refresh", {"refresh_token": "nonsense"}, {"unauthenticated"}),
        ("auth/refresh", {"refresh_token": "ä" * 50}, {"unauthenticated"}),
        ("auth/refresh", {"refresh_token": "x" * 5000}, {"bad_request"}),
        ("auth/refresh", {}, {"bad_request"}),
        ("boards/main/ranks", {"players": []}, {"bad_request"}),
        ("boards/main/ranks", {"players": ["a"] * 501}, {"bad_request"}),
        ("boards/main/ranks", {"players": ["a b"]}, {"bad_request"}),
        ("boards/main/ranks", {"players": "e:ada"}, {"bad_request"}),
    ],
)
async def test_a_bad_question_is_refused(target: Target, path: str, body: dict[str, Any], codes: set[str]) -> None:
    answer = await target.request("POST", f"/api/v1/{path}", json.dumps(body).encode(), authorization="")
    assert answer.code in codes, answer
    assert answer.status in {400, 401}
