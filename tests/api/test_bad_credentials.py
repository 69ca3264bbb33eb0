"""Forged, foreign, expired and misplaced credentials: refused as documented, nothing changed, nothing in the log."""

import json
from base64 import urlsafe_b64decode

import msgspec
import pytest

from scoreboard.clock import HOUR
from tests.api.target import BATCH, BOARD, FOREIGN_SECRET, UPDATE, Target, assert_refused, unsigned, update


@pytest.mark.parametrize(
    "authorization",
    [
        *("Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Bearer a.b.c.d", "BearerX t", "Basic YTpi", "Key", "Key "),
        *("Key sk_x", "Key sk_x.y", "nonsense", "Bearer " + "x" * 7000, "Bearer ..", "Bearer =.=.="),
        *(b"Bearer \xff\xfe", b"Key \xff", b"Bearer \xc3\xa9.\xc3\xa9.\xc3\xa9"),
    ],
)
async def test_nonsense_credentials_are_refused(target: Target, authorization: str | bytes) -> None:
    for method, path, body in (
        ("GET", "/api/v1/me", b""),
        ("GET", "/api/v1/boards/main/top", b""),
        ("POST", UPDATE, update()),
    ):
        assert_refused(await target.request(method, path, body, authorization=authorization), 401, "unauthenticated")


async def test_no_credentials_are_refused_where_some_are_needed(target: Target) -> None:
    for path, body in ((UPDATE, update()), (BATCH, b'{"items":[]}'), ("/api/v1/auth/logout", b"")):
        answer = await target.request("POST", path, body, authorization="")
        assert answer.status in {400, 401}
    assert_refused(await target.request("GET", "/api/v1/boards/club/top", authorization=""), 401, "unauthenticated")


async def test_forged_and_foreign_access_tokens_are_refused(target: Target) -> None:
    claims = msgspec.json.decode(_payload(target.token))
    forged = [
        target.access(secret=FOREIGN_SECRET),
        target.access(issuer="elsewhere"),
        target.access(audience="elsewhere"),
        target.token[:-2] + ("AA" if not target.token.endswith("AA") else "BB"),
        unsigned(claims | {"role": "admin"}, {"alg": "none", "typ": "JWT"}),
        unsigned(claims, {"alg": "HS256", "kid": "../../etc/passwd"}),
        target.signed({**claims, "typ": "action"}, key="access"),
        target.signed({name: claims[name] for name in claims if name != "exp"}, key="access"),
        target.signed({**claims, "exp": "soon"}, key="access"),
        target.signed({**claims, "exp": 1e300}, key="access"),
        target.signed({**claims, "sub": 5}, key="access"),
        target.signed({**claims, "role": "emperor"}, key="access"),
        target.signed(claims, {"crit": ["a\nb"]}, key="access"),
        target.signed(claims, {"kid": "nobody"}, key="access"),
        target.signed(claims, key="action"),
        target.action(),
        await target.action_token(),
    ]
    for token in forged:
        answer = await target.request("GET", "/api/v1/me", authorization=f"Bearer {token}")
        assert_refused(answer, 401, "unauthenticated")


async def test_an_expired_access_token_says_so(target: Target) -> None:
    for path in ("/api/v1/me", "/api/v1/boards/main/top"):
        answer = await target.request("GET", path, authorization=f"Bearer {target.expired_access()}")
        assert_refused(answer, 401, "token_expired")


async def test_forged_and_foreign_action_tokens_are_refused(target: Target) -> None:
    genuine = msgspec.json.decode(_payload(target.action()))
    forged = [
        target.action(secret=FOREIGN_SECRET),
        target.action(player="e:eve"),
        target.action(board="other"),
        target.action(action="no-such-action"),
        target.action()[:-2] + "..",
        target.token,
        unsigned(genuine, {"alg": "none"}),
        target.signed(genuine, key="access"),
        target.signed({**genuine, "typ": "access"}),
        target.signed({**genuine, "exp": genuine["iat"] + 90_000_000}),
        target.signed({**genuine, "iat": genuine["iat"] + 400, "exp": genuine["exp"] + 400}),
        target.signed({**genuine, "exp": 1e300}),
        target.signed({**genuine, "iat": -5}),
        target.signed({**genuine, "jti": "x" * 200}),
        target.signed({**genuine, "jti": 7}),
        target.signed({name: genuine[name] for name in genuine if name != "jti"}),
        target.signed(genuine, {"crit": ["a\nb"]}),
        "nonsense",
        "a.b.c",
        "....",
        "ä.ö.ü",
    ]
    for token in forged:
        answer = await target.request("POST", UPDATE, update(token=token))
        assert_refused(answer, 403, "action_token_invalid")


async def test_an_expired_action_token_says_so(target: Target) -> None:
    answer = await target.request("POST", UPDATE, update(token=target.action(age=HOUR)))
    assert_refused(answer, 403, "action_token_expired")


async def test_a_used_action_token_is_refused_with_the_first_result(target: Target) -> None:
    token = target.action()
    submission_id = await target.score(token, 0)
    for score in ("0", "100"):
        answer = await target.request("POST", UPDATE, update(score, token))
        assert_refused(answer, 409, "action_token_used")
        assert json.loads(answer.body)["result"]["submission_id"] == submission_id


async def test_an_unknown_board_or_action_cannot_be_started(target: Target) -> None:
    for body in ({"board": "nowhere", "action": "coin"}, {"board": BOARD, "action": "dance"}):
        answer = await target.request("POST", "/api/v1/actions", json.dumps(body).encode())
        assert_refused(answer, 404, "not_found")


async def test_a_player_may_do_nothing_of_an_official(target: Target) -> None:
    void = "/api/v1/admin/submissions/0192f0c1-0000-7000-8000-000000000000/void"
    for method, path, body in (
        ("PUT", "/api/v1/admin/boards/main", b"{}"),
        ("POST", void, b"{}"),
        ("GET", "/api/v1/admin/keys", b""),
        ("POST", BATCH, b'{"items":[{"player_id":"a","board":"main","score":1}]}'),
        ("POST", "/api/v1/auth/exchange", b'{"player_id":"a"}'),
    ):
        assert_refused(await target.request(method, path, body), 403, "forbidden")


def _payload(token: str) -> bytes:
    return urlsafe_b64decode(token.split(".")[1] + "==")
