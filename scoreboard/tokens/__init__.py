"""What the server signs: access tokens, refresh tokens, action tokens and cursors, each with a key of its own."""

from scoreboard.tokens.access import AccessTokens, Claims
from scoreboard.tokens.action import ActionClaims, ActionTokens
from scoreboard.tokens.cursor import Cursors
from scoreboard.tokens.keyring import Keyring
from scoreboard.tokens.refresh import RefreshTokens

__all__ = ["AccessTokens", "ActionClaims", "ActionTokens", "Claims", "Cursors", "Keyring", "RefreshTokens"]
