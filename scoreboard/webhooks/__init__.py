"""Webhooks: game backends are told what happened, signed, at least once, by whichever server comes to it first."""

from scoreboard.webhooks.finalizer import Finalizer
from scoreboard.webhooks.sender import Sender
from scoreboard.webhooks.signing import signature
from scoreboard.webhooks.webhooks import Webhooks

__all__ = ["Finalizer", "Sender", "Webhooks", "signature"]
