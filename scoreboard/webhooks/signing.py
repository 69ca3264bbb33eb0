"""Signatures as the Standard Webhooks specification has them (standardwebhooks.com, version 1.0.0)."""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """A secret as it is shown to whom it is for."""
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, at_s: int, body: bytes) -> str:
    """`v1,` and the base64 of an HMAC-SHA256 over id, time in seconds and body."""
    key = b64decode(secret.removeprefix(PREFIX))
    signed = hmac.digest(key, f"{message_id}.{at_s}.".encode() + body, "sha256")
    return f"v1,{b64encode(signed).decode()}"


def headers(message_id: str, at_s: int, body: bytes, signed_by: Sequence[str]) -> Mapping[str, str]:
    """The headers of a message; of several signatures the receiver needs to know one."""
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(signature(secret, message_id, at_s, body) for secret in signed_by),
    }
