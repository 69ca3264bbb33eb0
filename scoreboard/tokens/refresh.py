"""Refresh tokens: the n-th of a session's family is computed, never stored, so a lost answer can be given again."""

import hashlib
import re

from scoreboard.errors import Unauthenticated
from scoreboard.tokens.keyring import Keyring, Signer

_SHAPE = re.compile(r"([A-Za-z0-9_-]{1,64})\.(0|[1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})", re.ASCII)


class RefreshTokens:
    """Makes and reads; which token of a family is valid now is for the session to say."""

    def __init__(self, keyring: Keyring) -> None:
        self._signers = [Signer(keys.refresh) for keys in keyring.all]

    def make(self, session_id: str, counter: int) -> str:
        """The `counter`-th token of the session's family, by the current secret."""
        return _make(self._signers[0], session_id, counter)

    def remake(self, session_id: str, counter: int, digest: bytes) -> str | None:
        """The `counter`-th token with that digest, by whichever secret made it; None if none of ours did."""
        made = (_make(signer, session_id, counter) for signer in self._signers)
        return next((text for text in made if self.digest(text) == digest), None)

    def parse(self, text: str) -> tuple[str, int]:
        """Session id and counter of a token made here. Raises Unauthenticated."""
        shape = _SHAPE.fullmatch(text)
        if shape is None:
            raise Unauthenticated("The refresh token is not valid")
        family, signature = f"{shape[1]}.{shape[2]}".encode(), shape[3].encode()
        if not any(signer.signed(family, signature) for signer in self._signers):
            raise Unauthenticated("The refresh token is not valid")
        return shape[1], int(shape[2])

    @staticmethod
    def digest(text: str) -> bytes:
        """What is stored of a token: its SHA-256."""
        return hashlib.sha256(text.encode()).digest()


def _make(signer: Signer, session_id: str, counter: int) -> str:
    family = f"{session_id}.{counter}"
    return f"{family}.{signer.sign(family.encode()).decode()}"
