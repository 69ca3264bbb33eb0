"""Signing in and staying signed in, over REST."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from scoreboard.config import SecuritySettings, Settings
from tests.api.app import NO_LIMITS, Api, running

ADA = {"username": "ada", "password": "correct horse"}


async def signed_in(api: Api) -> tuple[Api, dict[str, Any]]:
    answer = await api.post("auth/register", ADA)
    assert answer.status == 201, answer
    return api.of(f"Bearer {answer.body['access_token']}"), answer.body


async def test_registering_signs_in(api: Api) -> None:
    ada, tokens = await signed_in(api)
    me = (await ada.get("me")).body
    assert (me["id"], me["name"], me["role"], me["sessions"]) == (tokens["player"]["id"], "ada", "player", 1)
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)


async def test_a_taken_name_and_its_look_alikes_are_refused(api: Api) -> None:
    await signed_in(api)
    for username in ("ada", "ADA", "аda"):
        answer = await api.post("auth/register", {"username": username, "password": "correct horse"})
        assert (answer.status, answer.code) == (409, "username_taken"), username


async def test_wrong_password_and_unknown_user_get_the_same_answer(api: Api) -> None:
    await signed_in(api)
    wrong = await api.post("auth/login", {**ADA, "password": "wrong horse"})
    unknown = await api.post("auth/login", {"username": "eve", "password": "wrong horse"})
    assert (wrong.status, wrong.code) == (unknown.status, unknown.code) == (401, "unauthenticated")
    assert wrong.body["detail"] == unknown.body["detail"]


async def test_a_refreshed_session_goes_on_and_the_old_token_ends_it(tmp_path: Path) -> None:
    security = SecuritySettings(refresh_grace_s=0)
    async with running(tmp_path, Settings(limits=NO_LIMITS, security=security)) as api:
        _, first = await signed_in(api)
        second = await api.post("auth/refresh", {"refresh_token": first["refresh_token"]})
        assert (await api.of(f"Bearer {second.body['access_token']}").get("me")).status == 200
        stolen = await api.post("auth/refresh", {"refresh_token": first["refresh_token"]})
        assert (stolen.status, stolen.code) == (401, "unauthenticated")
        assert (await api.of(f"Bearer {second.body['access_token']}").get("me")).status == 401
        assert (await api.post("auth/refresh", {"refresh_token": second.body["refresh_token"]})).status == 401


async def test_a_refresh_whose_answer_was_lost_may_be_repeated(api: Api) -> None:
    _, first = await signed_in(api)
    answers = [await api.post("auth/refresh", {"refresh_token": first["refresh_token"]}) for _ in range(2)]
    assert answers[0].body["refresh_token"] == answers[1].body["refresh_token"]


async def test_signing_out_ends_this_session_only(api: Api) -> None:
    ada, _ = await signed_in(api)
    other = await api.post("auth/login", ADA)
    assert (await ada.post("auth/logout")).status == 204
    assert (await ada.get("me")).code == "unauthenticated"
    assert (await api.of(f"Bearer {other.body['access_token']}").get("me")).body["sessions"] == 1


async def test_signing_out_everywhere_ends_all(api: Api) -> None:
    ada, _ = await signed_in(api)
    other = await api.post("auth/login", ADA)
    assert (await ada.post("auth/logout-all")).status == 204
    assert (await api.of(f"Bearer {other.body['access_token']}").get("me")).status == 401


async def test_a_new_password_ends_the_other_sessions(api: Api) -> None:
    ada, _ = await signed_in(api)
    other = await api.post("auth/login", ADA)
    change = {"password": ADA["password"], "new_password": "battery staple"}
    assert (await ada.post("auth/password", {**change, "password": "guess"})).status in {401, 403}
    assert (await ada.post("auth/password", change)).status == 204
    assert (await ada.get("me")).status == 200
    assert (await api.of(f"Bearer {other.body['access_token']}").get("me")).status == 401
    assert (await api.post("auth/login", ADA)).status == 401
    assert (await api.post("auth/login", {**ADA, "password": "battery staple"})).status == 200


async def test_sessions_are_listed_with_the_current_one_marked(api: Api) -> None:
    ada, _ = await signed_in(api)
    await api.post("auth/login", ADA)
    sessions = (await ada.get("me/sessions")).body["sessions"]
    assert [session["current"] for session in sessions] == [False, True]


async def test_sessions_survive_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        _, tokens = await signed_in(api)
    async with running(tmp_path) as api:
        assert (await api.of(f"Bearer {tokens['access_token']}").get("me")).status == 200


async def test_closed_registration_is_said(tmp_path: Path) -> None:
    async with running(tmp_path, Settings(security=SecuritySettings(registration="closed"))) as api:
        answer = await api.post("auth/register", ADA)
        assert (answer.status, answer.code) == (403, "forbidden")


async def test_a_backend_cannot_sign_in_as_a_registered_player(api: Api, key: Api) -> None:
    _, tokens = await signed_in(api)
    answer = await key.post("auth/exchange", {"player_id": tokens["player"]["id"]})
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_the_eleventh_registration_in_an_hour_is_refused_by_default(tmp_path: Path) -> None:
    async with running(tmp_path, Settings()) as api:
        body = [{"username": f"player{number}", "password": "correct horse"} for number in range(11)]
        answers = [await api.post("auth/register", one) for one in body]
        assert [answer.status for answer in answers] == [201] * 10 + [429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 3600


async def test_more_requests_than_an_address_may_are_refused(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(NO_LIMITS, requests_per_minute=5)
    async with running(tmp_path, Settings(limits=limits)) as api:
        statuses = [(await api.get("boards")).status for _ in range(6)]
        assert statuses == [200] * 5 + [429]


async def test_api_keys_have_no_address_limit(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(NO_LIMITS, requests_per_minute=2)
    async with running(tmp_path, Settings(limits=limits)) as api:
        key = api.of(f"Key {(tmp_path / 'admin.key').read_text().strip()}")
        assert [(await key.get("admin/keys")).status for _ in range(6)] == [200] * 6


@pytest.mark.parametrize("credentials", ["Bearer", "Bearer x", "Basic eDp5", "Key sk_x.y", "BearerX y", "Key"])
async def test_credentials_that_are_not_ours_are_refused(api: Api, credentials: str) -> None:
    answer = await api.of(credentials).get("me")
    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
