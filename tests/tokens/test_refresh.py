import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.errors import Unauthenticated
from scoreboard.tokens import Keyring, RefreshTokens

OLD, NEW = b"o" * 32, b"n" * 32
SESSION = "019abcde-0000-7000-8000-000000000001"


def test_a_refresh_token_tells_its_session_and_number() -> None:
    tokens = RefreshTokens(Keyring.from_secrets(NEW))
    assert tokens.parse(tokens.make(SESSION, 41)) == (SESSION, 41)
    assert tokens.make(SESSION, 41) == tokens.make(SESSION, 41)
    assert tokens.make(SESSION, 41) != tokens.make(SESSION, 42)


def test_a_token_of_an_older_secret_is_read_and_made_again() -> None:
    before, after = RefreshTokens(Keyring.from_secrets(OLD)), RefreshTokens(Keyring.from_secrets(NEW, [OLD]))
    token = before.make(SESSION, 3)
    assert after.parse(token) == (SESSION, 3)
    assert after.make(SESSION, 3) != token
    assert after.remake(SESSION, 3, after.digest(token)) == token
    assert after.remake(SESSION, 3, b"") is None


def test_a_forged_number_session_or_signature_is_refused() -> None:
    tokens = RefreshTokens(Keyring.from_secrets(NEW))
    session, counter, signature = tokens.make(SESSION, 3).split(".")
    foreign = RefreshTokens(Keyring.from_secrets(OLD)).make(SESSION, 3)
    forged = [
        f"{session}.4.{signature}",
        f"{session}.03.{signature}",
        f"{session}.٣.{signature}",
        f"x{session}.{counter}.{signature}",
        f"{session}.{counter}.{signature[:-1]}",
        f"{session}.{counter}.{'A' * 43}",
        f"{session}.{counter}.{signature}\n",
        f"{session}.{'9' * 5000}.{signature}",
        foreign,
    ]
    for token in forged:
        with pytest.raises(Unauthenticated):
            tokens.parse(token)


@given(st.text(max_size=120))
def test_text_that_is_no_refresh_token_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        RefreshTokens(Keyring.from_secrets(NEW)).parse(text)
