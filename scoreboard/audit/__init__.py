"""The trail of who did what to whom: written, and found unbroken or not."""

from scoreboard.audit.trail import ERASE, Audit, by_player, storable
from scoreboard.audit.verify import Anchor, Finding, Progress, Verified, verify

__all__ = ["ERASE", "Anchor", "Audit", "Finding", "Progress", "Verified", "by_player", "storable", "verify"]
