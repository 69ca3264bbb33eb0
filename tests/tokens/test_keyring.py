import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.errors import ConfigError
from scoreboard.tokens import Keyring
from scoreboard.tokens.keyring import Signer, b64, unb64

SECRET = b"a secret of thirty-two bytes ...."


def test_a_short_secret_is_refused() -> None:
    for current, older in ((b"x" * 31, ()), (SECRET, (b"short",)), (b"", ())):
        with pytest.raises(ConfigError, match="at least 32"):
            Keyring.from_secrets(current, older)


def test_every_purpose_and_every_secret_has_its_own_key() -> None:
    keyring = Keyring.from_secrets(SECRET, [b"y" * 32])
    keys = [key for each in keyring.all for key in (each.access, each.action, each.refresh, each.cursor)]
    assert len(set(keys)) == 8
    assert len({each.kid for each in keyring.all}) == 2


def test_keys_are_the_same_in_every_process() -> None:
    assert Keyring.from_secrets(SECRET).current == Keyring.from_secrets(SECRET).current
    assert Keyring.from_secrets(SECRET, [SECRET]).all == (Keyring.from_secrets(SECRET).current,)


def test_a_signature_is_the_one_of_the_standard() -> None:
    # RFC 4231, test case 2.
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert Signer(b"Jefe").sign(b"what do ya want for nothing?") == b64(bytes.fromhex(expected))


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_signature_is_the_one_of_the_library(key: bytes, message: bytes) -> None:
    assert Signer(key).sign(message) == b64(hmac.digest(key, message, "sha256"))


@given(st.binary(max_size=100))
def test_base64url_survives_the_round_trip(raw: bytes) -> None:
    assert unb64(b64(raw)) == raw
    assert not set(b64(raw)) & set(b"+/=")
