"""What every part of the backend stands on."""

from scoreboard.storage.postgres.database import Database


class Part:
    """A group of the storage's methods over the shared database; `reading` may be a standby of it."""

    def __init__(self, database: Database, reading: Database | None = None) -> None:
        self._database = database
        self._reading = reading or database
