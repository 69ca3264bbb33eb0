"""Action tokens: the one-time permission to submit a score for an action that was started here.

A JWT with a key of its own, so that a backend holding that key may mint them with any library: HS256, `kid` in the
header, and the claims of `_Payload`. Times are seconds since the Unix epoch and may have a fraction. Tokens with the
header that this server writes, nearly all, are signed and verified without a library, in microseconds.
"""

import secrets
from string import ascii_letters, digits
from typing import Annotated, Literal

import jwt
import msgspec
from msgspec import Meta, Struct

from scoreboard.clock import DAY, MINUTE, SECOND, Clock
from scoreboard.errors import ActionTokenExpired, ActionTokenInvalid
from scoreboard.tokens.keyring import Keyring, Keys, Signer, b64, unb64

MAX_TOKEN_CHARACTERS = 2048
MAX_LIFETIME = DAY
MAX_AHEAD = MINUTE
"""How far ahead of ours the clock of a minting backend may be."""

TokenId = Annotated[str, Meta(min_length=1, max_length=64)]
Seconds = Annotated[float, Meta(ge=0, le=2**38)]

_ID_CHARACTERS = f"{ascii_letters}{digits}_-".encode()

_jws = jwt.PyJWS(algorithms=["HS256"])


class ActionClaims(Struct, frozen=True):
    """What a genuine action token says; instants in microseconds. `jti` is unique among the tokens of its maker."""

    jti: str
    action: str
    issued_at: int
    expires_at: int


class _Payload(Struct, frozen=True):
    """The claims every action token must have; others are ignored."""

    jti: TokenId
    sub: str
    board: str
    action: Annotated[str, Meta(max_length=32)]
    iat: Seconds
    exp: Seconds
    typ: Literal["action"]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Payload)


class ActionTokens:
    """Issues and verifies; whether a token was used before is not known here."""

    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        self._header = _header(keyring.current)
        self._signer = Signer(keyring.current.action)
        self._by_header = {_header(keys): Signer(keys.action) for keys in keyring.all}
        self._by_kid = {keys.kid: keys.action for keys in keyring.all}
        self._clock = clock

    def issue(self, player_id: str, board: str, action: str, ttl_s: int) -> tuple[str, int]:
        """A new token, and the instant it expires at in microseconds."""
        now = self._clock.now()
        expires_at = now + ttl_s * SECOND
        payload = _Payload(
            f"{now:x}{secrets.token_urlsafe(9)}",  # in order of time, which suits an index
            player_id,
            board,
            action,
            now / SECOND,
            expires_at / SECOND,
            "action",
        )
        signed = self._header + b"." + b64(_encoder.encode(payload))
        return (signed + b"." + self._signer.sign(signed)).decode(), expires_at

    def verify(self, token: str, now: int, *, player_id: str, board: str) -> ActionClaims:
        """The claims of a genuine token made for this player and board, at an instant.

        Raises ActionTokenInvalid, or ActionTokenExpired for one that is genuine but too old.
        """
        try:
            payload = _decoder.decode(self._genuine(token))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise ActionTokenInvalid from None
        if payload.jti.encode().translate(None, _ID_CHARACTERS):
            raise ActionTokenInvalid
        if payload.sub != player_id or payload.board != board:
            raise ActionTokenInvalid("The action token was made for another player or board")
        claims = ActionClaims(payload.jti, payload.action, round(payload.iat * SECOND), round(payload.exp * SECOND))
        _check_times(claims, now)
        return claims

    def _genuine(self, token: str) -> bytes:
        """The payload of a token with a good signature."""
        if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
            raise ActionTokenInvalid
        signed, _, signature = token.encode().rpartition(b".")
        header, _, payload = signed.partition(b".")
        signer = self._by_header.get(header)
        if signer is None:
            return self._genuine_by_library(token)
        if b"." in payload or not signer.signed(signed, signature):
            raise ActionTokenInvalid
        return unb64(payload)

    def _genuine_by_library(self, token: str) -> bytes:
        try:
            key = self._by_kid[jwt.get_unverified_header(token)["kid"]]
            payload: bytes = _jws.decode(token, key, algorithms=["HS256"])
        except Exception:  # hostile headers make the library raise nearly anything
            raise ActionTokenInvalid from None
        return payload


def _header(keys: Keys) -> bytes:
    return b64(_encoder.encode({"alg": "HS256", "kid": keys.kid, "typ": "JWT"}))


def _check_times(claims: ActionClaims, now: int) -> None:
    if not 0 < claims.expires_at - claims.issued_at <= MAX_LIFETIME or claims.issued_at > now + MAX_AHEAD:
        raise ActionTokenInvalid("The times in the action token cannot be")
    if claims.expires_at <= now:
        raise ActionTokenExpired
