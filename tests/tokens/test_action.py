import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.clock import DAY, MILLISECOND, MINUTE, SECOND, ManualClock, SystemClock
from scoreboard.errors import ActionTokenExpired, ActionTokenInvalid
from scoreboard.tokens import AccessTokens, ActionClaims, ActionTokens, Keyring
from scoreboard.tokens.keyring import Signer, b64

OLD, NEW = b"o" * 32, b"n" * 32
START = 1_800_000_000 * SECOND
KEYRING = Keyring.from_secrets(NEW)
OWN_HEADER = {"alg": "HS256", "kid": KEYRING.current.kid, "typ": "JWT"}


def tokens(start: int = START, keyring: Keyring = KEYRING) -> ActionTokens:
    return ActionTokens(keyring, ManualClock(start))


def verify(token: str, start: int = START) -> ActionClaims:
    return tokens().verify(token, start, player_id="p_ada", board="main")


def claims(**changes: object) -> dict[str, Any]:
    times = {"iat": START // SECOND, "exp": START // SECOND + 600}
    return {"jti": "evt-1", "sub": "p_ada", "board": "main", "action": "coin", "typ": "action", **times, **changes}


def sign(payload: bytes, header: object = OWN_HEADER, key: bytes = KEYRING.current.action) -> str:
    """A token with a good signature, whatever it holds."""
    raw = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    signed = b64(raw) + b"." + b64(payload)
    return (signed + b"." + Signer(key).sign(signed)).decode()


def refuse(token: str) -> None:
    with pytest.raises(ActionTokenInvalid):
        verify(token)


def test_a_token_tells_exactly_when_the_action_began_and_ends() -> None:
    token, expires_at = tokens().issue("p_ada", "main", "coin", 600)
    claims = verify(token)
    assert claims.action == "coin"
    assert claims.issued_at == START + 1
    assert claims.expires_at == expires_at == START + 1 + 600 * SECOND


@given(st.integers(START, 2**32 * SECOND))
def test_no_microsecond_is_lost_before_2106(start: int) -> None:
    token, _ = tokens(start).issue("p_ada", "main", "coin", 600)
    assert verify(token, start).issued_at == start + 1


def test_every_token_has_its_own_id() -> None:
    issuer = tokens()
    ids = {verify(issuer.issue("p_ada", "main", "coin", 600)[0]).jti for _ in range(100)}
    assert len(ids) == 100


def test_an_expired_token_is_told_from_an_invalid_one() -> None:
    token, expires_at = tokens().issue("p_ada", "main", "coin", 600)
    assert verify(token, expires_at - MILLISECOND)
    with pytest.raises(ActionTokenExpired):
        verify(token, expires_at)


@pytest.mark.parametrize(("player_id", "board"), [("p_eve", "main"), ("p_ada", "other")])
def test_a_token_made_for_another_player_or_board_is_refused(player_id: str, board: str) -> None:
    token, _ = tokens().issue("p_ada", "main", "coin", 600)
    with pytest.raises(ActionTokenInvalid):
        tokens().verify(token, START, player_id=player_id, board=board)


def test_a_token_of_an_older_secret_is_taken_and_one_of_an_unknown_secret_is_not() -> None:
    token, _ = tokens(keyring=Keyring.from_secrets(OLD)).issue("p_ada", "main", "coin", 600)
    rotated = tokens(keyring=Keyring.from_secrets(NEW, [OLD]))
    assert rotated.verify(token, START, player_id="p_ada", board="main").action == "coin"
    refuse(token)


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"zip": "none"}, {"typ": "action+jwt"}, {}])
def test_a_backend_with_the_key_may_mint_with_any_library(header: dict[str, str]) -> None:
    headers = {"kid": KEYRING.current.kid, **header}
    token = jwt.encode(claims(iss="game"), KEYRING.current.action, algorithm="HS256", headers=headers)
    minted = verify(token)
    assert minted == ActionClaims("evt-1", "coin", START, START + 600 * SECOND)


def test_both_ways_of_verifying_say_the_same() -> None:
    own = json.dumps(claims(iat=START / SECOND + 0.25)).encode()
    library_header = {"kid": KEYRING.current.kid, "alg": "HS256"}
    assert verify(sign(own)) == verify(sign(own, library_header))
    assert verify(sign(own)).issued_at == START + SECOND // 4


def test_a_token_may_live_a_day_and_no_longer() -> None:
    day_s = DAY // SECOND
    begin = START // SECOND
    assert verify(sign(json.dumps(claims(exp=begin + day_s)).encode()))
    refuse(sign(json.dumps(claims(exp=begin + day_s + 1)).encode()))
    refuse(sign(json.dumps(claims(iat=begin + 600)).encode()))


def test_a_backends_clock_may_be_a_minute_ahead_and_no_more() -> None:
    ahead_s = START // SECOND + MINUTE // SECOND
    assert verify(sign(json.dumps(claims(iat=ahead_s)).encode()))
    refuse(sign(json.dumps(claims(iat=ahead_s + 1)).encode()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"typ": "access"},
        {"typ": None},
        {"jti": ""},
        {"jti": "x" * 65},
        {"jti": "a b"},
        {"jti": "id\n"},
        {"jti": "é"},
        {"jti": 7},
        {"sub": 7},
        {"board": None},
        {"action": 1},
        {"action": "x" * 33},
        {"iat": "1800000000"},
        {"iat": True},
        {"iat": -1},
        {"iat": 10**400},
        {"exp": 10**30},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": None},
    ],
)
@pytest.mark.parametrize("header", [OWN_HEADER, {"kid": KEYRING.current.kid, "alg": "HS256"}])
def test_a_signed_token_with_wrong_claims_is_refused(header: dict[str, str], wrong: dict[str, object]) -> None:
    refuse(sign(json.dumps(claims(**wrong)).encode(), header))


@pytest.mark.parametrize("missing", ["jti", "sub", "board", "action", "iat", "exp", "typ"])
def test_a_signed_token_without_a_claim_is_refused(missing: str) -> None:
    payload = claims()
    del payload[missing]
    refuse(sign(json.dumps(payload).encode()))


@pytest.mark.parametrize(
    "payload",
    [b"", b"null", b"[]", b"7", b"{", b'{"jti":', b"\xff", b"[" * 5000, b'{"a":' * 1000, b'{"jti":"\\ud800"}', b"\x00"],
)
def test_a_signed_token_that_holds_nonsense_is_refused(payload: bytes) -> None:
    refuse(sign(payload)[:2048])
    refuse(sign(payload))
    refuse(sign(payload, {"kid": KEYRING.current.kid, "alg": "HS256"}))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "none", "kid": KEYRING.current.kid},
        {"alg": "HS512", "kid": KEYRING.current.kid},
        {"alg": "RS256", "kid": KEYRING.current.kid},
        {"alg": "HS256"},
        {"alg": "HS256", "kid": "unknown"},
        {"alg": "HS256", "kid": ["a"]},
        {"alg": "HS256", "kid": None},
        {"alg": "HS256", "kid": KEYRING.current.kid, "crit": ["x\n"]},
        {"alg": "HS256", "kid": KEYRING.current.kid, "b64": False, "crit": ["b64"]},
        [],
        None,
        7,
        b"",
        b"{",
        b"\xff",
        b"[" * 900,
    ],
)
def test_a_header_that_is_not_ours_is_refused_and_nothing_worse_happens(header: object) -> None:
    refuse(sign(json.dumps(claims()).encode(), header))


def test_an_unsigned_token_is_refused() -> None:
    token = sign(json.dumps(claims()).encode())
    refuse(token.rpartition(".")[0] + ".")
    refuse(jwt.encode(claims(), None, algorithm="none", headers={"kid": KEYRING.current.kid}))


def test_a_token_signed_with_the_key_of_another_purpose_is_refused() -> None:
    now = SystemClock()
    access = AccessTokens(KEYRING, "here", "here", 900, now).issue("p_ada", "s", "player")
    with pytest.raises(ActionTokenInvalid):
        ActionTokens(KEYRING, now).verify(access, now.now(), player_id="p_ada", board="main")
    for key in (KEYRING.current.access, KEYRING.current.refresh, KEYRING.current.cursor):
        refuse(sign(json.dumps(claims()).encode(), key=key))


def test_every_changed_character_breaks_the_token() -> None:
    token = sign(json.dumps(claims()).encode())
    for index, character in enumerate(token):
        refuse(token[:index] + ("A" if character != "A" else "B") + token[index + 1 :])
    for changed in (
        f"{token}.",
        f".{token}",
        f"{token}.x",
        f"{token}=",
        f" {token}",
        f"{token}é",
        token[:-1],
        token * 9,
    ):
        refuse(changed)


@given(st.text(max_size=200) | st.from_regex(r"\A[A-Za-z0-9_.\-]{0,80}\Z"))
def test_text_that_is_no_token_is_refused(text: str) -> None:
    refuse(text)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_signed_bytes_are_refused(header: bytes, payload: bytes) -> None:
    refuse(sign(payload, header))
    refuse(sign(payload))
