import json
import logging
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.clock import SECOND, ManualClock, SystemClock
from scoreboard.errors import TokenExpired, Unauthenticated
from scoreboard.tokens import AccessTokens, ActionTokens, Keyring
from scoreboard.tokens.keyring import Signer, b64

OLD, NEW = b"o" * 32, b"n" * 32
KEYRING = Keyring.from_secrets(NEW)


def tokens(
    keyring: Keyring = KEYRING, issuer: str = "here", audience: str = "players", ttl_s: int = 900
) -> AccessTokens:
    return AccessTokens(keyring, issuer, audience, ttl_s, SystemClock())


def claims(**changes: object) -> dict[str, Any]:
    now_s = int(time.time())
    return {
        "iss": "here",
        "aud": "players",
        "sub": "p_ada",
        "sid": "s-1",
        "iat": now_s,
        "exp": now_s + 900,
        "jti": "t-1",
        "typ": "access",
        "role": "player",
        **changes,
    }


def sign(payload: dict[str, Any], **header: object) -> str:
    return jwt.encode(payload, KEYRING.current.access, "HS256", headers={"kid": KEYRING.current.kid, **header})


async def refuse(token: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await tokens().verify(token)
    assert type(refused.value) is Unauthenticated


async def test_a_token_tells_who_it_speaks_for() -> None:
    token = tokens().issue("p_ada", "s-1", "moderator")
    verified = await tokens().verify(token)
    assert (verified.player_id, verified.session_id, verified.role) == ("p_ada", "s-1", "moderator")
    assert 0 < verified.expires_at - int(time.time()) * SECOND <= 900 * SECOND


def test_a_token_has_the_documented_claims_and_header() -> None:
    token = tokens().issue("p_ada", "s-1", "player")
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "kid": KEYRING.current.kid, "typ": "JWT"}
    assert jwt.decode(token, options={"verify_signature": False}).keys() == claims().keys()


async def test_a_verified_token_is_remembered_until_it_expires() -> None:
    clock = ManualClock(int(time.time()) * SECOND)
    access = AccessTokens(KEYRING, "here", "players", 900, clock)
    token = access.issue("p_ada", "s-1", "player")
    assert access.cached(token) is None
    verified = await access.verify(token)
    assert access.cached(token) is verified
    clock.advance(900 * SECOND)
    assert access.cached(token) is None
    with pytest.raises(TokenExpired):
        await access.verify(token)


async def test_the_oldest_remembered_token_makes_room() -> None:
    access = AccessTokens(KEYRING, "here", "players", 900, SystemClock(), max_cached=2)
    issued = [access.issue("p_ada", f"s-{number}", "player") for number in range(3)]
    for token in issued:
        await access.verify(token)
    assert [access.cached(token) is not None for token in issued] == [False, True, True]


async def test_an_expired_token_is_told_from_an_invalid_one() -> None:
    now_s = int(time.time())
    with pytest.raises(TokenExpired):
        await tokens().verify(sign(claims(iat=now_s - 901, exp=now_s - 1)))


async def test_a_token_of_an_older_secret_is_taken_and_one_of_an_unknown_secret_is_not() -> None:
    token = tokens(Keyring.from_secrets(OLD)).issue("p_ada", "s-1", "player")
    assert await tokens(Keyring.from_secrets(NEW, [OLD])).verify(token)
    await refuse(token)


async def test_a_token_of_another_issuer_or_audience_is_refused() -> None:
    await refuse(tokens(issuer="elsewhere").issue("p_ada", "s-1", "player"))
    await refuse(tokens(audience="others").issue("p_ada", "s-1", "player"))


async def test_an_action_token_is_no_access_token() -> None:
    token, _ = ActionTokens(KEYRING, SystemClock()).issue("p_ada", "main", "coin", 600)
    await refuse(token)
    await refuse(sign(claims(typ="action")))


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "sid", "iat", "exp", "jti", "typ", "role"])
async def test_a_signed_token_without_a_claim_is_refused(missing: str) -> None:
    payload = claims()
    del payload[missing]
    await refuse(sign(payload))


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "root"},
        {"sub": "not an id"},
        {"sub": ""},
        {"sid": None},
        {"exp": "4102444800"},
        {"exp": 1e300},
        {"exp": 10**400},
        {"iat": "1"},
        {"iat": 4102444800},
        {"nbf": 4102444800},
        {"aud": ["players"]},
        {"jti": 7},
        {"typ": None},
    ],
)
async def test_a_signed_token_with_wrong_claims_is_refused(wrong: dict[str, Any]) -> None:
    signed = Signer(KEYRING.current.access)
    head = b64(json.dumps({"alg": "HS256", "kid": KEYRING.current.kid}).encode())
    message = head + b"." + b64(json.dumps(claims(**wrong)).encode())
    await refuse((message + b"." + signed.sign(message)).decode())


async def test_an_unsigned_or_otherwise_signed_token_is_refused() -> None:
    kid = {"kid": KEYRING.current.kid}
    await refuse(jwt.encode(claims(), None, "none", headers=kid))
    await refuse(jwt.encode(claims(), KEYRING.current.access, "HS512", headers=kid))
    await refuse(jwt.encode(claims(), KEYRING.current.action, "HS256", headers=kid))
    await refuse(jwt.encode(claims(), KEYRING.current.access, "HS256"))
    await refuse(sign(claims()).rpartition(".")[0] + ".")


@pytest.mark.parametrize("header", [{"crit": ["a\nb"]}, {"crit": "x"}, {"kid": ["x"]}, {"kid": "unknown"}])
async def test_a_hostile_header_is_refused_and_nothing_worse_happens(header: dict[str, object]) -> None:
    raw = json.dumps({"alg": "HS256", "kid": KEYRING.current.kid, **header}).encode()
    message = b64(raw) + b"." + b64(json.dumps(claims()).encode())
    await refuse((message + b"." + Signer(KEYRING.current.access).sign(message)).decode())


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b.c", "é.é.é", "\ud800", "\x00", "x" * 5000, b64(b"[" * 3000).decode() + ".e30.x"],
)
async def test_text_that_is_no_token_is_refused(token: str) -> None:
    await refuse(token)


@given(st.text(max_size=200))
async def test_any_text_is_refused(text: str) -> None:
    await refuse(text)


async def test_a_bad_token_leaves_no_trace_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await refuse(sign(claims(aud="others")))
    assert caplog.records == []
