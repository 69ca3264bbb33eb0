"""Access tokens: short-lived JWTs that say who is calling, verified by aiohttp-jwt and remembered until they end."""

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import jwt
import msgspec
from aiohttp_jwt import JWTMiddleware
from msgspec import Meta, Struct

from scoreboard.clock import SECOND, Clock
from scoreboard.errors import TokenExpired, Unauthenticated
from scoreboard.model import PlayerId, Role
from scoreboard.tokens.keyring import Keyring

MAX_TOKEN_CHARACTERS = 4096
MAX_CACHED = 10_000

_REFUSED = "The access token is not valid"

# It logs a traceback for every bad token that anybody sends.
logging.getLogger("aiohttp_jwt.middleware").disabled = True


Seconds = Annotated[int, Meta(ge=0, le=2**38)]


class Claims(Struct, frozen=True):
    """Whom an access token speaks for; instants in microseconds. The session may have ended since.

    `born_at` is when the account was made, None in tokens that do not tell.
    """

    player_id: str
    session_id: str
    role: Role
    expires_at: int
    token_id: str
    born_at: int | None = None


class _Payload(Struct, frozen=True, omit_defaults=True):
    """The claims every access token must have; `born`, when the account was made, may be missing."""

    iss: str
    aud: str
    sub: PlayerId
    sid: str
    iat: Seconds
    exp: Seconds
    jti: str
    typ: Literal["access"]
    role: Role
    born: Seconds | None = None


class _Request(dict[str, Any]):
    """As much of a request as the verifier looks at: the token goes in, the claims come out under `payload`."""

    method = "POST"

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token


Verifier = Callable[[_Request, Callable[[_Request], Awaitable[dict[str, Any]]]], Awaitable[dict[str, Any]]]


class AccessTokens:
    """Issues and verifies. At most `max_cached` verified tokens are remembered; the oldest is dropped for a new one.

    The verifier looks at the machine's clock as well as at `clock`: a token is good while both say so.
    """

    def __init__(
        self, keyring: Keyring, issuer: str, audience: str, ttl_s: int, clock: Clock, max_cached: int = MAX_CACHED
    ) -> None:
        self.ttl_s = ttl_s
        self._keys = keyring.current
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._max_cached = max_cached
        self._cache: dict[str, Claims] = {}
        self._verifiers: dict[str, Verifier] = {
            keys.kid: _verifier(keys.access.decode(), issuer, audience) for keys in keyring.all
        }

    def issue(self, player_id: str, session_id: str, role: Role, born_at: int | None = None) -> str:
        """A new token for `ttl_s` seconds, for a player whose account was made at `born_at`."""
        now_s = self._clock.now() // SECOND
        payload = _Payload(
            iss=self._issuer,
            aud=self._audience,
            sub=player_id,
            sid=session_id,
            iat=now_s,
            exp=now_s + self.ttl_s,
            jti=secrets.token_urlsafe(12),
            typ="access",
            role=role,
            born=None if born_at is None else born_at // SECOND,
        )
        return jwt.encode(
            msgspec.to_builtins(payload), self._keys.access, algorithm="HS256", headers={"kid": self._keys.kid}
        )

    def cached(self, token: str) -> Claims | None:
        """The claims of a token verified before and not yet expired, without waiting."""
        claims = self._cache.get(token)
        if claims is not None and claims.expires_at <= self._clock.now():
            del self._cache[token]
            return None
        return claims

    async def verify(self, token: str) -> Claims:
        """The claims of a token. Raises TokenExpired, or Unauthenticated for one that is not ours or not for here."""
        claims = self.cached(token)
        if claims is None:
            claims = _claims(await self._decode(token))
            if claims.expires_at <= self._clock.now():
                raise TokenExpired
            self._remember(token, claims)
        return claims

    async def _decode(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise Unauthenticated(_REFUSED)
        try:
            verifier = self._verifiers[jwt.get_unverified_header(token)["kid"]]
            return await verifier(_Request(token), _hand_back)
        except Exception as fault:  # hostile headers make the libraries raise nearly anything
            if isinstance(fault.__context__, jwt.ExpiredSignatureError):
                raise TokenExpired from None
            raise Unauthenticated(_REFUSED) from None

    def _remember(self, token: str, claims: Claims) -> None:
        if len(self._cache) >= self._max_cached:
            del self._cache[next(iter(self._cache))]
        self._cache[token] = claims


def _verifier(key: str, issuer: str, audience: str) -> Verifier:
    verifier: Verifier = JWTMiddleware(
        key,
        request_property="payload",
        token_getter=lambda request: request.token,
        algorithms=["HS256"],
        issuer=issuer,
        audience=audience,
    )
    return verifier


async def _hand_back(request: _Request) -> dict[str, Any]:
    payload: dict[str, Any] = request["payload"]
    return payload


def _claims(decoded: dict[str, Any]) -> Claims:
    try:
        payload = msgspec.convert(decoded, _Payload)
    except msgspec.ValidationError:
        raise Unauthenticated(_REFUSED) from None
    born_at = None if payload.born is None else payload.born * SECOND
    return Claims(payload.sub, payload.sid, payload.role, payload.exp * SECOND, payload.jti, born_at)
