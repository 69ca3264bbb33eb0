"""Many scores of a backend, over REST."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scoreboard.clock import SystemClock, rfc3339
from tests.api.app import Api, running


def item(player: str, score: int, **more: object) -> dict[str, object]:
    return {"player_id": player, "board": "main", "score": score, **more}


async def batch(key: Api, *items: Mapping[str, object], **headers: str) -> list[dict[str, Any]]:
    answer = await key.post("scores/batch", {"items": list(items)}, **headers)
    assert answer.status == 200, answer
    outcomes: list[dict[str, Any]] = answer.body["items"]
    return outcomes


async def test_items_make_unknown_players_and_are_answered_in_order(api: Api, key: Api) -> None:
    outcomes = await batch(key, item("steam:1", 5, id="a", name="Ada"), item("steam:2", 7, id="b"))
    assert [(outcome["id"], outcome["status"]) for outcome in outcomes] == [("a", "accepted"), ("b", "accepted")]
    assert await api.rows() == [(1, "steam:2", 7), (2, "Ada", 5)]


async def test_items_of_one_player_keep_their_order(api: Api, key: Api) -> None:
    outcomes = await batch(key, *(item("steam:1", 1, id=str(number)) for number in range(50)))
    assert [outcome["score"] for outcome in outcomes] == list(range(1, 51))
    assert [outcome["previous"] for outcome in outcomes] == [None, *range(1, 50)]


async def test_a_repeated_batch_counts_once_and_is_answered_as_the_first_time(api: Api, key: Api) -> None:
    items = [item("steam:1", 5, id="a"), item("steam:2", 7, id="b")]
    first, second = await batch(key, *items), await batch(key, *items)
    assert [outcome["submission_id"] for outcome in first] == [outcome["submission_id"] for outcome in second]
    assert await api.rows() == [(1, "steam:2", 7), (2, "steam:1", 5)]


async def test_an_id_used_for_something_else_is_refused(api: Api, key: Api) -> None:
    await batch(key, item("steam:1", 5, id="a"))
    (outcome,) = await batch(key, item("steam:1", 6, id="a"))
    assert (outcome["status"], outcome["code"]) == ("rejected", "idempotency_mismatch")
    assert await api.rows() == [(1, "steam:1", 5)]


async def test_a_batch_under_an_idempotency_key_counts_once(api: Api, key: Api) -> None:
    items = [item("steam:1", 5), item("steam:1", 6)]
    first = await batch(key, *items, Idempotency_Key="monday")
    second = await batch(key, *items, Idempotency_Key="monday")
    assert [outcome["submission_id"] for outcome in first] == [outcome["submission_id"] for outcome in second]
    assert await api.rows() == [(1, "steam:1", 11)]


async def test_an_idempotency_key_with_another_body_is_a_conflict_and_changes_nothing(api: Api, key: Api) -> None:
    await batch(key, item("steam:1", 5), Idempotency_Key="monday")
    items = {"items": [item("steam:1", 5), item("steam:2", 6)]}
    answer = await key.post("scores/batch", items, Idempotency_Key="monday")
    assert (answer.status, answer.code) == (409, "idempotency_mismatch")
    assert await api.rows() == [(1, "steam:1", 5)]


async def test_an_idempotency_key_belongs_to_its_body_even_if_nothing_of_that_was_stored(api: Api, key: Api) -> None:
    await batch(key, {**item("steam:1", 5), "board": "nope"}, Idempotency_Key="monday")
    answer = await key.post("scores/batch", {"items": [item("steam:2", 6)]}, Idempotency_Key="monday")
    assert (answer.status, answer.code) == (409, "idempotency_mismatch")
    assert await api.rows() == []


async def test_one_bad_item_does_not_stop_the_others(api: Api, key: Api) -> None:
    outcomes = await batch(
        key,
        item("steam:1", 5),
        {**item("steam:2", 5), "board": "nope"},
        item("steam:3", 2**53 - 1),
        item("steam:3", 1),
        item("p_nobody", 1),
    )
    assert [outcome.get("code", "ok") for outcome in outcomes] == [
        "ok",
        "not_found",
        "ok",
        "score_out_of_range",
        "not_found",
    ]


async def test_a_registered_player_may_be_scored_by_a_backend(api: Api, key: Api) -> None:
    _, ada_id = await api.registered("ada")
    await batch(key, item(ada_id, 5))
    assert await api.rows() == [(1, "ada", 5)]


async def test_an_imported_time_gives_the_tie_order(api: Api, key: Api) -> None:
    await batch(
        key,
        item("late", 5, at="2026-01-01T10:00:00.000002Z"),
        item("early", 5, at="2026-01-01T11:00:00.000001+01:00"),
    )
    top = await api.get("boards/main/top")
    assert [row["player_id"] for row in top.body["rows"]] == ["early", "late"]
    assert top.body["rows"][0]["achieved_at"] == "2026-01-01T10:00:00.000001Z"


async def test_a_time_in_the_future_or_without_zone_is_refused(key: Api) -> None:
    ahead = rfc3339(SystemClock().now() + 3_600_000_000)
    outcomes = await batch(key, item("a", 1, at=ahead), item("a", 1, at="2026-01-01T10:00:00"), item("a", 1, at="soon"))
    assert [outcome["code"] for outcome in outcomes] == ["bad_request"] * 3


async def test_a_time_needs_the_scope_import(api: Api, key: Api) -> None:
    made = await key.post("admin/keys", {"name": "game", "scopes": ["write"]})
    writer = api.of(f"Key {made.body['key']}")
    (outcome,) = await batch(writer, item("a", 1, at="2026-01-01T10:00:00Z"))
    assert outcome["code"] == "forbidden"


async def test_a_key_without_the_scope_and_a_player_cannot_write_batches(api: Api, key: Api) -> None:
    made = await key.post("admin/keys", {"name": "reader", "scopes": ["exchange"]})
    ada, _ = await api.registered("ada")
    for caller in (api.of(f"Key {made.body['key']}"), ada):
        answer = await caller.post("scores/batch", {"items": [item("a", 1)]})
        assert (answer.status, answer.code) == (403, "forbidden")
    assert (await api.post("scores/batch", {"items": [item("a", 1)]})).status == 401


async def test_a_revoked_key_ends_at_once(api: Api, key: Api) -> None:
    made = await key.post("admin/keys", {"name": "game", "scopes": ["write"]})
    writer = api.of(f"Key {made.body['key']}")
    await batch(writer, item("a", 1))
    assert (await key.call("DELETE", f"admin/keys/{made.body['id']}")).status == 204
    assert (await writer.post("scores/batch", {"items": [item("a", 1)]})).status == 401


async def test_a_thousand_items_are_taken_and_one_more_is_not(api: Api, key: Api) -> None:
    outcomes = await batch(key, *(item(f"p{number % 100}", 1) for number in range(1000)))
    assert {outcome["status"] for outcome in outcomes} == {"accepted"}
    assert {score for _, _, score in await api.rows()} == {10}
    answer = await key.post("scores/batch", {"items": [item("a", 1)] * 1001})
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_a_backends_own_player_signs_in_by_exchange_and_is_renamed_everywhere(api: Api, key: Api) -> None:
    await batch(key, item("steam:1", 5, name="Ada"))
    before = (await api.get("boards/main/top")).body
    answer = await key.post("auth/exchange", {"player_id": "steam:1", "name": "Countess"})
    assert answer.body["player"] == {"id": "steam:1", "name": "Countess", "role": "player"}
    after = (await api.get("boards/main/top")).body
    assert [row["name"] for row in after["rows"]] == ["Countess"]
    assert after["version"] > before["version"]
    assert (await api.of(f"Bearer {answer.body['access_token']}").score(5)).body["score"] == 10


async def test_repeats_after_a_restart_are_still_known(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        key = api.of(f"Key {(tmp_path / 'admin.key').read_text().strip()}")
        (first,) = await batch(key, item("steam:1", 5, id="a"))
    async with running(tmp_path) as api:
        key = api.of(f"Key {(tmp_path / 'admin.key').read_text().strip()}")
        (again,) = await batch(key, item("steam:1", 5, id="a"))
        assert again["submission_id"] == first["submission_id"]
        assert await api.rows() == [(1, "steam:1", 5)]
