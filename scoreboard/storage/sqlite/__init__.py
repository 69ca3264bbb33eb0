"""The system of record in one SQLite file."""

from scoreboard.storage.sqlite.storage import SqliteStorage

__all__ = ["SqliteStorage"]
