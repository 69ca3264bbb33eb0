"""What every part of the backend stands on."""

from scoreboard.storage.postgres.database import Database
from scoreboard.storage.postgres.standby import Standby


class Part:
    """A group of the storage's methods over the shared database; `reading` may be a standby of it."""

    def __init__(self, database: Database, reading: Standby | None = None) -> None:
        self._database = database
        self._standby = reading
        self._reading = reading or database
