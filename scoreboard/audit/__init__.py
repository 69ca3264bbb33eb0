"""The trail of who did what to whom: written, and found unbroken or not."""

from scoreboard.audit.trail import Audit, storable

__all__ = ["Audit", "storable"]
