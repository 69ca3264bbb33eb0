"""The system of record: its Protocol, and one package for each backend."""

from scoreboard.storage.base import (
    Committal,
    Credentials,
    OutboxRow,
    Renamed,
    Storage,
    Touched,
    Voided,
)

__all__ = [
    "Committal",
    "Credentials",
    "OutboxRow",
    "Renamed",
    "Storage",
    "Touched",
    "Voided",
]
