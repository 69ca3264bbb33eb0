"""What becomes of held scores and of those who sent them, over REST and WebSocket, in both modes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from scoreboard.app.state import STORAGE
from scoreboard.clock import HOUR, SECOND, SystemClock, from_rfc3339, rfc3339
from scoreboard.config import Settings
from tests.api.app import Api, backend, running
from tests.api.modes import settings
from tests.api.sockets import Line

__all__ = ["settings"]

UNKNOWN = "01930000-0000-7000-8000-000000000000"


@pytest.fixture
async def api(settings: Settings, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(tmp_path, settings) as api:
        yield api


@pytest.fixture
def key(api: Api, tmp_path: Path) -> Api:
    return backend(api, tmp_path)


async def held(player: Api, score: int = 900, board: str = "main") -> str:
    answer = await player.score(score, board=board)
    assert answer.status == 202, answer
    assert answer.body == {"status": "held", "submission_id": answer.body["submission_id"], "board": board}
    submission_id: str = answer.body["submission_id"]
    return submission_id


async def history(player: Api, player_id: str, board: str = "main") -> list[tuple[int, str]]:
    answer = await player.get(f"boards/{board}/players/{player_id}/history")
    assert answer.status == 200, answer
    return [(each["score"], each["state"]) for each in answer.body["submissions"]]


async def acts(key: Api, **wanted: str) -> list[str]:
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    answer = await key.get(f"admin/audit?limit=100&{query}")
    assert answer.status == 200, answer
    return [entry["act"] for entry in answer.body["entries"]]


async def line(api: Api, token: str | None = None) -> Line:
    connection = Line(await api.http.ws_connect("/ws"), "json")
    await connection.sign_in(token)
    return connection


async def signed_up(api: Api, username: str) -> tuple[Api, str, str]:
    """A new player: calls made as them, their id, their access token."""
    answer = await api.post("auth/register", {"username": username, "password": "correct horse"})
    assert answer.status == 201, answer
    token = answer.body["access_token"]
    return api.of(f"Bearer {token}"), answer.body["player"]["id"], token


async def test_a_held_score_is_nowhere_but_in_the_player_s_own_history(api: Api, key: Api) -> None:
    ada, ada_id = await api.registered("ada")
    bob, bob_id = await api.registered("bob")
    await bob.score(50)
    await held(ada)
    assert await history(ada, ada_id) == [(900, "held")]
    assert await history(bob, ada_id) == []
    assert await api.rows() == [(1, "bob", 50)]
    top = (await api.get("boards/main/top")).body
    assert top["total"] == 1
    assert (await api.get(f"boards/main/players/{ada_id}")).status == 404
    assert (await bob.get(f"boards/main/players/{bob_id}")).body["total"] == 1
    assert "evidence" not in str(await ada.get(f"boards/main/players/{ada_id}/history"))


async def test_an_approved_score_counts_at_its_original_time_and_everybody_sees_it(api: Api, key: Api) -> None:
    ada, ada_id = await api.registered("ada")
    bob, _ = await api.registered("bob")
    submission_id = await held(ada, 900, "best")
    await bob.score(90, board="best")
    watcher = await line(api)
    await watcher.subscribe(board="best", limit=10)
    await watcher.of_type("snapshot")
    at = (await key.get(f"admin/reviews/{submission_id}")).body["review"]["at"]
    approved = await key.post(f"admin/reviews/{submission_id}/approve", {"reason": "seen on video"})
    assert (approved.status, approved.body["state"], approved.body["reason"]) == (200, "approved", "seen on video")
    row = (await api.get(f"boards/best/players/{ada_id}")).body
    assert (row["score"], row["achieved_at"], row["position"]) == (900, at, 1)
    assert await api.rows("best") == [(1, "ada", 900), (2, "bob", 90)]
    while [row.name for row in watcher.view.rows.values()] != ["ada", "bob"]:
        await watcher.of_type("snapshot", "delta")
    assert await history(bob, ada_id, "best") == [(900, "counted")]
    assert await acts(key, act="review") == ["review.approve"]


async def test_the_older_of_two_equal_scores_stands_higher_though_approved_later(api: Api, key: Api) -> None:
    await key.call("PUT", "admin/boards/best", {"actions": {"coin": {"max_score": 40}, "gem": {}}})
    ada, _ = await api.registered("ada")
    bob, _ = await api.registered("bob")
    submission_id = await held(ada, 50, "best")
    await bob.score(50, await bob.token("best", "gem"), "best")
    await key.post(f"admin/reviews/{submission_id}/approve", {})
    names = [row["name"] for row in (await api.get("boards/best/top")).body["rows"]]
    assert names == ["ada", "bob"]


async def test_a_rejected_score_is_dropped_and_the_player_stays(api: Api, key: Api) -> None:
    ada, ada_id = await api.registered("ada")
    await ada.score(5)
    submission_id = await held(ada)
    rejected = await key.post(f"admin/reviews/{submission_id}/reject", {"reason": "a bot"})
    assert (rejected.status, rejected.body["state"], rejected.body["player_status"]) == (200, "rejected", "active")
    assert await history(ada, ada_id) == [(900, "rejected"), (5, "counted")]
    assert "a bot" not in str(await ada.get(f"boards/main/players/{ada_id}/history"))
    assert await api.rows() == [(1, "ada", 5)]
    assert (await ada.score(1)).status == 200


async def test_a_rejection_with_a_ban_hides_all_standings_ends_sessions_and_closes_sockets(api: Api, key: Api) -> None:
    ada, ada_id, token = await signed_up(api, "ada")
    bob, _ = await api.registered("bob")
    await ada.score(60)
    await ada.score(60, board="best")
    await bob.score(50)
    submission_id = await held(ada)
    socket = await line(api, token)
    watcher = await line(api)
    await watcher.subscribe(board="main", limit=10)
    await key.post(f"admin/reviews/{submission_id}/reject", {"ban": True})
    assert (await socket.parted())["code"] == 4403
    assert await api.rows() == [(1, "bob", 50)]
    assert await api.rows("best") == []
    while [row.name for row in watcher.view.rows.values()] != ["bob"]:
        await watcher.of_type("snapshot", "delta")
    for answer in (await ada.get("me"), await ada.post("actions", {"board": "main", "action": "coin"})):
        assert (answer.status, answer.code) == (403, "player_banned")
    signing_in = await api.post("auth/login", {"username": "ada", "password": "correct horse"})
    assert (signing_in.status, signing_in.code) == (403, "player_banned")
    assert (await api.get(f"boards/main/players/{ada_id}")).status == 404
    assert (await bob.get(f"boards/main/players/{ada_id}/history")).status == 404
    assert await acts(key, subject=ada_id, act="player") == ["player.ban"]


async def test_a_lifted_ban_leaves_everything_exactly_as_before(api: Api, key: Api) -> None:
    ada, ada_id = await api.registered("ada")
    bob, _ = await api.registered("bob")
    await ada.score(60)
    await bob.score(60)
    before = (await api.get("boards/main/top")).body["rows"]
    assert (await key.post(f"admin/players/{ada_id}/ban", {"reason": "a bot"})).body["status"] == "banned"
    assert [row["name"] for row in (await api.get("boards/main/top")).body["rows"]] == ["bob"]
    lifted = await key.post(f"admin/players/{ada_id}/lift", {})
    assert (lifted.body["status"], lifted.body["banned_until"]) == ("active", None)
    assert (await api.get("boards/main/top")).body["rows"] == before
    assert (await ada.get("me")).status == 401
    again = await api.post("auth/login", {"username": "ada", "password": "correct horse"})
    assert (await api.of(f"Bearer {again.body['access_token']}").score(1)).status == 200


async def test_a_ban_for_a_while_ends_by_itself(api: Api, key: Api) -> None:
    ada, ada_id = await api.registered("ada")
    await ada.score(60)
    watcher = await line(api)
    await watcher.subscribe(board="main", limit=10)
    until = rfc3339(SystemClock().now() + SECOND)
    banned = await key.post(f"admin/players/{ada_id}/ban", {"until": until})
    assert (banned.body["status"], banned.body["banned_until"]) == ("banned", until)
    assert await api.rows() == []
    while watcher.view.rows or watcher.view.version == (0, 0):
        await watcher.of_type("snapshot", "delta")
    while not watcher.view.rows:
        await watcher.of_type("snapshot", "delta")
    assert SystemClock().now() >= from_rfc3339(until)
    assert await api.rows() == [(1, "ada", 60)]
    assert (await key.get(f"admin/players/{ada_id}")).body["player"]["status"] == "active"
    assert await acts(key, subject=ada_id, act="player") == ["player.lift", "player.ban"]
    past = await key.post(f"admin/players/{ada_id}/ban", {"until": rfc3339(SystemClock().now() - HOUR)})
    assert (past.status, past.code) == (400, "bad_request")


async def test_a_ban_by_a_server_that_died_before_it_could_tell_holds_soon(api: Api, key: Api) -> None:
    ada, ada_id, token = await signed_up(api, "ada")
    await ada.score(60)
    socket = await line(api, token)
    storage = api.http.app[STORAGE] if api.http.app else None
    assert storage is not None
    await storage.set_status(ada_id, "banned", SystemClock().now())
    assert (await socket.parted())["code"] == 4403
    assert await api.rows() == []
    answer = await ada.get("me")
    assert (answer.status, answer.code) == (403, "player_banned")


async def test_a_hidden_player_is_seen_by_nobody_and_goes_on(api: Api, key: Api) -> None:
    ada, ada_id, token = await signed_up(api, "ada")
    bob, _ = await api.registered("bob")
    for name, score in (("cy", 50), ("dan", 40)):
        await (await api.registered(name))[0].score(score)
    await bob.score(70)
    await ada.score(60)
    socket = await line(api, token)
    assert (await key.post(f"admin/players/{ada_id}/hide", {})).body["status"] == "hidden"
    assert await api.rows() == [(1, "bob", 70), (2, "cy", 50), (3, "dan", 40)]
    answer = (await ada.score(1)).body
    assert (answer["score"], answer["position"], answer["rank"]) == (61, 2, 2)
    assert (await socket.ask("me", id=1))["value"]["id"] == ada_id
    await socket.subscribe(board="main", me=True)
    shown = await socket.of_type("me")
    assert (shown["position"], shown["score"]) == (2, 61)
    own = (await ada.get(f"boards/main/players/{ada_id}")).body
    assert (own["position"], own["rank"], own["score"], own["total"]) == (2, 2, 61, 4)
    around = (await ada.get(f"boards/main/around/{ada_id}?k=1")).body
    assert [(row["position"], row["rank"], row["name"]) for row in around["rows"]] == [
        (1, 1, "bob"),
        (2, 2, "ada"),
        (3, 3, "cy"),
    ]
    for other in (bob, api, key):
        assert (await other.get(f"boards/main/players/{ada_id}")).status == 404
        assert (await other.get(f"boards/main/around/{ada_id}")).status == 404
    assert await history(ada, ada_id) == [(1, "counted"), (60, "counted")]
    await key.post(f"admin/players/{ada_id}/lift", {})
    assert (await api.rows())[:2] == [(1, "bob", 70), (2, "ada", 61)]


async def test_two_moderators_do_not_decide_one_case(api: Api, key: Api) -> None:
    ada, _ = await api.registered("ada")
    submission_id = await held(ada)
    other = api.of("Key " + (await key.post("admin/keys", {"name": "mod", "scopes": ["moderate"]})).body["key"])
    claimed = await other.post(f"admin/reviews/{submission_id}/claim", {"lease_s": 60})
    assert claimed.status == 200
    assert claimed.body["claimed_by"].startswith("key:")
    for path in ("claim", "approve", "reject"):
        answer = await key.post(f"admin/reviews/{submission_id}/{path}", {})
        assert (answer.status, answer.code) == (409, "conflict")
    assert (await key.call("DELETE", f"admin/reviews/{submission_id}/claim")).status == 409
    assert (await other.post(f"admin/reviews/{submission_id}/approve", {})).status == 200
    for path in ("claim", "approve", "reject"):
        assert (await other.post(f"admin/reviews/{submission_id}/{path}", {})).status == 409
    assert await api.rows() == [(1, "ada", 900)]


async def test_a_claim_can_be_given_back(api: Api, key: Api) -> None:
    ada, _ = await api.registered("ada")
    submission_id = await held(ada)
    await key.post(f"admin/reviews/{submission_id}/claim", {})
    released = await key.call("DELETE", f"admin/reviews/{submission_id}/claim")
    assert (released.status, released.body["claimed_by"], released.body["lease_until"]) == (200, None, None)


async def test_the_queue_is_paged_and_filtered(api: Api, key: Api) -> None:
    ada, ada_id = await api.registered("ada")
    ids = [await held(ada, 900 + number) for number in range(3)]
    ids.append(await held(ada, 700, "best"))
    first = (await key.get("admin/reviews?state=open&limit=3")).body
    assert [review["submission_id"] for review in first["reviews"]] == ids[:3]
    assert (first["next"], first["open"]) == (ids[2], 4)
    rest = (await key.get(f"admin/reviews?state=open&limit=3&after={first['next']}")).body
    assert ([review["submission_id"] for review in rest["reviews"]], rest["next"]) == (ids[3:], None)
    for query, expected in [
        ("board=best", ids[3:]),
        (f"player_id={ada_id}&limit=1", ids[:1]),
        ("rule=max_increment", ids),
        ("rule=too_fast", []),
        ("state=approved", []),
    ]:
        found = (await key.get(f"admin/reviews?{query}")).body["reviews"]
        assert [review["submission_id"] for review in found] == expected, query


async def test_a_review_shows_the_evidence_and_what_to_compare_with(api: Api, key: Api) -> None:
    ada, ada_id = await api.registered("ada")
    bob, _ = await api.registered("bob")
    for score in (5, 6):
        await ada.score(score)
        await bob.score(score + 10)
    submission_id = await held(ada)
    noted = await key.post(f"admin/reviews/{submission_id}/notes", {"text": "Asked for a video."})
    assert [note["text"] for note in noted.body["notes"]] == ["Asked for a video."]
    body = (await key.get(f"admin/reviews/{submission_id}")).body
    review = body["review"]
    assert (review["player_id"], review["player_name"], review["score"], review["action"]) == (
        ada_id,
        "ada",
        900,
        "coin",
    )
    assert [(each["rule"], each["facts"]["score"]) for each in review["evidence"]] == [("max_increment", 900)]
    assert [(point["score"], point["state"]) for point in body["recent"]] == [
        (5, "counted"),
        (6, "counted"),
        (900, "held"),
    ]
    assert body["recent"][0]["interval_ms"] is None
    assert all(point["interval_ms"] >= 0 for point in body["recent"][1:])
    assert body["sample"]["scores"] == [5, 6, 15, 16]
    assert len(body["sample"]["intervals_ms"]) == 2
    assert await acts(key, subject=submission_id) == ["review.note"]


async def test_many_are_decided_at_once_and_each_by_itself(api: Api, key: Api) -> None:
    ada, _ = await api.registered("ada")
    ids = [await held(ada, 900 + number) for number in range(3)]
    await key.post(f"admin/reviews/{ids[1]}/reject", {})
    asked = {"submission_ids": [*ids, UNKNOWN], "decision": "approve", "reason": "an event"}
    decided = (await key.post("admin/reviews/decide", asked)).body["reviews"]
    assert [(each["state"], each.get("code")) for each in decided] == [
        ("approved", None),
        ("failed", "conflict"),
        ("approved", None),
        ("failed", "not_found"),
    ]
    assert await api.rows() == [(1, "ada", 1802)]


async def test_an_admin_appoints_a_moderator_who_then_decides_until_dismissed(api: Api, key: Api) -> None:
    ada, _ = await api.registered("ada")
    grace, grace_id = await api.registered("grace")
    submission_id = await held(ada)
    assert (await grace.get("admin/reviews")).code == "forbidden"
    answer = await key.post(f"admin/players/{grace_id}/role", {"role": "moderator", "reason": "reliable"})
    assert (answer.status, answer.body["role"]) == (200, "moderator")
    assert (await grace.get("me")).code == "unauthenticated"

    moderator = await signed_in(api, "grace")
    assert (await moderator.post(f"admin/reviews/{submission_id}/approve", {})).status == 200
    assert (await moderator.post(f"admin/players/{grace_id}/role", {"role": "moderator"})).code == "forbidden"
    assert (await key.post(f"admin/players/{grace_id}/role", {"role": "player"})).body["role"] == "player"
    assert (await moderator.get("admin/reviews")).code == "unauthenticated"
    assert (await (await signed_in(api, "grace")).get("admin/reviews")).code == "forbidden"
    assert await acts(key, act="player.role") == ["player.role"] * 2


async def test_an_admin_stays_one_and_nobody_is_made_one(api: Api, key: Api) -> None:
    (admin,) = (await key.get("admin/players?query=admin")).body["players"]
    assert (await key.post(f"admin/players/{admin['id']}/role", {"role": "player"})).code == "forbidden"
    assert (await key.post("admin/players/p_nobody/role", {"role": "moderator"})).code == "not_found"
    _, ada_id = await api.registered("ada")
    assert (await key.post(f"admin/players/{ada_id}/role", {"role": "admin"})).code == "bad_request"


async def signed_in(api: Api, username: str) -> Api:
    """A player with a new session."""
    answer = await api.post("auth/login", {"username": username, "password": "correct horse"})
    assert answer.status == 200, answer
    return api.of(f"Bearer {answer.body['access_token']}")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "admin/reviews"),
        ("GET", f"admin/reviews/{UNKNOWN}"),
        ("POST", f"admin/reviews/{UNKNOWN}/approve"),
        ("POST", f"admin/reviews/{UNKNOWN}/reject"),
        ("POST", "admin/players/ada/ban"),
        ("GET", "admin/players"),
        ("DELETE", "admin/players/ada"),
        ("GET", "admin/audit"),
    ],
)
async def test_only_officials_may(api: Api, key: Api, method: str, path: str) -> None:
    body: dict[str, Any] | None = {} if method == "POST" else None
    player, _ = await api.registered("ada")
    writer = api.of("Key " + (await key.post("admin/keys", {"name": "w", "scopes": ["write"]})).body["key"])
    assert (await api.call(method, path, body)).status == 401
    assert (await player.call(method, path, body)).status == 403
    assert (await writer.call(method, path, body)).status == 403
    assert (await key.call(method, path, body)).status in (200, 404)


async def test_admins_cannot_be_kept_out_and_moderators_by_admins_only(api: Api, key: Api, tmp_path: Path) -> None:
    moderator = api.of("Key " + (await key.post("admin/keys", {"name": "m", "scopes": ["moderate"]})).body["key"])
    found = (await moderator.get("admin/players?query=adm")).body["players"]
    (admin,) = [player for player in found if player["role"] == "admin"]
    for caller in (moderator, key):
        for path in ("ban", "hide"):
            assert (await caller.post(f"admin/players/{admin['id']}/{path}", {})).status == 403
    assert (await key.call("DELETE", f"admin/players/{admin['id']}")).status == 403


async def test_a_player_s_file_has_sessions_standings_and_scores(api: Api, key: Api) -> None:
    ada, ada_id = await api.registered("ada")
    await ada.score(60)
    await ada.score(30, board="best")
    submission_id = await held(ada)
    body: dict[str, Any] = (await key.get(f"admin/players/{ada_id}")).body
    assert (body["player"]["name"], body["player"]["username"], body["player"]["status"]) == ("ada", "ada", "active")
    assert len(body["sessions"]) == 1
    assert {(each["board"], each["window"], each["score"]) for each in body["standings"]} == {
        ("best", "all", 30),
        ("main", "all", 60),
        ("main", "day", 60),
    }
    assert [(each["board"], each["score"], each["state"]) for each in body["submissions"]] == [
        ("main", 900, "held"),
        ("best", 30, "counted"),
        ("main", 60, "counted"),
    ]
    assert body["open_reviews"] == [submission_id]
    assert (await key.get("admin/players/nobody")).status == 404


async def test_an_erased_player_is_gone_and_the_name_is_free(api: Api, key: Api) -> None:
    ada, ada_id, token = await signed_up(api, "ada")
    await ada.score(60)
    socket = await line(api, token)
    assert (await ada.call("DELETE", "me")).status == 204
    assert (await socket.parted())["code"] == 4403
    assert await api.rows() == []
    assert (await ada.get("me")).status in (401, 403)
    assert (await api.post("auth/login", {"username": "ada", "password": "correct horse"})).status == 401
    body = (await key.get(f"admin/players/{ada_id}")).body
    assert (body["player"]["name"], body["player"]["username"], body["player"]["status"]) == ("", None, "erased")
    assert body["sessions"] == []
    entries = (await key.get(f"admin/audit?subject={ada_id}")).body["entries"]
    assert [(entry["act"], entry["detail"]) for entry in entries] == [
        ("player.erase", {}),
        ("register", None),
    ]
    assert (await key.post(f"admin/players/{ada_id}/lift", {})).status == 404
    await api.registered("ada")


async def test_everything_is_on_the_socket_too(api: Api, key: Api, tmp_path: Path) -> None:
    ada, ada_id = await api.registered("ada")
    submission_id, other = await held(ada), await held(ada, 901)
    password = (tmp_path / "admin-password").read_text().strip()
    signed_in = await api.post("auth/login", {"username": "admin", "password": password})
    admin = await line(api, signed_in.body["access_token"])
    listed = await admin.ask("reviews", id=1, state="open")
    assert [review["submission_id"] for review in listed["reviews"]] == [submission_id, other]
    assert (await admin.ask("claim_review", id=2, submission_id=submission_id))["claimed_by"].startswith("player:")
    assert (await admin.ask("approve_review", id=3, submission_id=submission_id))["state"] == "approved"
    again = await admin.ask("approve_review", id=4, submission_id=submission_id)
    assert (again["type"], again["code"]) == ("error", "conflict")
    rejected = await admin.ask("reject_review", id=5, submission_id=other, ban=True)
    assert rejected["player_status"] == "banned"
    assert (await admin.ask("lift_player", id=6, player_id=ada_id))["value"]["status"] == "active"
    assert (await admin.ask("player_file", id=7, player_id=ada_id))["player"]["id"] == ada_id
    entries = (await admin.ask("audit", id=8, subject=ada_id, act="player"))["entries"]
    assert [entry["act"] for entry in entries] == ["player.lift", "player.ban"]
    player = await line(
        api, (await api.post("auth/login", {"username": "ada", "password": "correct horse"})).body["access_token"]
    )
    refused = await player.ask("reviews", id=1)
    assert (refused["type"], refused["code"]) == ("error", "forbidden")


async def test_the_trail_is_paged(api: Api, key: Api) -> None:
    for name in ("ada", "bob", "cy"):
        await api.registered(name)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await key.get(f"admin/audit?act=register&limit=2{cursor and f'&cursor={cursor}'}")).body
        found += [entry["subject"] for entry in page["entries"]]
        cursor = page["next"]
    assert len(found) == len(set(found)) == 3
    assert (await key.get("admin/audit?cursor=nonsense")).status == 400
    assert (await key.get("admin/audit?since=yesterday")).status == 400


async def test_a_deleted_board_is_gone_for_all_and_comes_back_with_its_scores(api: Api, key: Api) -> None:
    ada, _ = await api.registered("ada")
    await ada.score(60)
    token = await ada.token()
    settings = (await key.get("boards/main")).body
    watcher = await line(api)
    name = await watcher.subscribe(board="main", limit=10)
    assert (await ada.call("DELETE", "admin/boards/main")).status == 403
    assert (await key.call("DELETE", "admin/boards/main")).status == 204
    ended = await watcher.of_type("error")
    assert (ended["subscription"], ended["code"]) == (name, "not_found")
    for path in ("boards/main", "boards/main/top", "boards/main/standings"):
        assert (await api.get(path)).status == 404
    assert [board["board"] for board in (await api.get("boards")).body["boards"]] == ["best"]
    assert (await ada.score(1, token)).status == 404
    assert (await key.call("DELETE", "admin/boards/main")).status == 404
    again = {field: settings[field] for field in ("operator", "windows", "actions")}
    assert (await key.call("PUT", "admin/boards/main", again)).status == 200
    assert await api.rows() == [(1, "ada", 60)]
    assert (await ada.score(1, token)).body["score"] == 61
    assert await acts(key, act="board") == ["board.put", "board.delete"]
