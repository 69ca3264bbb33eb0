"""The server's secrets and the keys derived from them."""

import hmac
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from hashlib import sha256

from msgspec import Struct

from scoreboard.errors import ConfigError

MIN_SECRET_BYTES = 32


class Keys(Struct, frozen=True):
    """One secret's keys. Each is 64 hexadecimal digits, so that it can be handed to any JWT library as text.

    `kid` names the secret in a token's header and tells nothing about it.
    """

    kid: str
    access: bytes
    action: bytes
    refresh: bytes
    cursor: bytes
    audit: bytes


class Keyring:
    """The current secret signs; the older ones still verify what they signed."""

    def __init__(self, current: Keys, older: Sequence[Keys] = ()) -> None:
        self.current = current
        self.all = (current, *older)

    @classmethod
    def from_secrets(cls, current: bytes, older: Sequence[bytes] = ()) -> "Keyring":
        """Derive the keys of each secret. Raises ConfigError for one shorter than 32 bytes."""
        return cls(_derive(current), [_derive(secret) for secret in older if secret != current])


def _derive(secret: bytes) -> Keys:
    if len(secret) < MIN_SECRET_BYTES:
        raise ConfigError(f"a secret has {len(secret)} bytes; it needs at least {MIN_SECRET_BYTES}")
    return Keys(
        kid=_labelled(secret, "kid")[:8].decode(),
        access=_labelled(secret, "access"),
        action=_labelled(secret, "action"),
        refresh=_labelled(secret, "refresh"),
        cursor=_labelled(secret, "cursor"),
        audit=_labelled(secret, "audit"),
    )


def _labelled(secret: bytes, label: str) -> bytes:
    return hmac.digest(secret, b"scoreboard/" + label.encode(), "sha256").hex().encode()


class Signer:
    """HMAC-SHA256 (RFC 2104) under one key, in base64url without padding, as a JWT carries it.

    The key is hashed once, not for each message as by the library.
    """

    def __init__(self, key: bytes) -> None:
        padded = (key if len(key) <= _BLOCK else sha256(key).digest()).ljust(_BLOCK, b"\0")
        self._inner = sha256(padded.translate(_INNER_PAD))
        self._outer = sha256(padded.translate(_OUTER_PAD))

    def sign(self, message: bytes) -> bytes:
        """The signature, 43 characters."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return b64(outer.digest())

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether this is the signature of the message; takes the same time wherever they differ."""
        return hmac.compare_digest(self.sign(message), signature)


def b64(raw: bytes) -> bytes:
    """Base64url without padding."""
    return b2a_base64(raw, newline=False).translate(_TO_URL, b"=")


def unb64(text: bytes) -> bytes:
    """The inverse of `b64`; skips foreign characters. Raises binascii.Error (a ValueError) for an impossible length."""
    return a2b_base64(text.translate(_FROM_URL) + b"==")


_BLOCK = sha256().block_size
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
