"""Accounts: who a player is, how they prove it, and the sessions that follow from it."""

from scoreboard.accounts.accounts import Accounts

__all__ = ["Accounts"]
