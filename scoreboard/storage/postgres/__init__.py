"""The system of record in PostgreSQL."""

from scoreboard.storage.postgres.storage import PostgresStorage

__all__ = ["PostgresStorage"]
