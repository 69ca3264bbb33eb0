"""What moderators and admins do: decide held scores, keep players out, read the audit trail."""

from scoreboard.reviews.official import Official, future
from scoreboard.reviews.players import Announce, Moderation
from scoreboard.reviews.queue import ReviewQueue
from scoreboard.reviews.trail import Trail

__all__ = ["Announce", "Moderation", "Official", "ReviewQueue", "Trail", "future"]
