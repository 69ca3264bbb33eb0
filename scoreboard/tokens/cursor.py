"""Cursors: where a listing goes on, opaque to the client and signed, so that only places we named can be asked for."""

import binascii
import hashlib
import hmac

from scoreboard.errors import BadRequest
from scoreboard.tokens.keyring import Keyring, b64, unb64

_MAC_BYTES = 16


class Cursors:
    """Signs and opens."""

    def __init__(self, keyring: Keyring) -> None:
        self._keys = [keys.cursor for keys in keyring.all]

    def sign(self, payload: bytes) -> str:
        """The payload as text that a URL can carry."""
        return b64(_mac(self._keys[0], payload) + payload).decode()

    def open(self, text: str) -> bytes:
        """The payload of a cursor made by `sign`. Raises BadRequest."""
        try:
            raw = unb64(text.encode("ascii"))
        except (UnicodeEncodeError, binascii.Error):
            raise BadRequest("The cursor is not valid") from None
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if b64(raw).decode() != text or not any(hmac.compare_digest(_mac(key, payload), mac) for key in self._keys):
            raise BadRequest("The cursor is not valid")
        return payload


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, hashlib.sha256)[:_MAC_BYTES]
