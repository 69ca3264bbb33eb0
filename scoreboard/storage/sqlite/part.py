"""The base of the backend's parts, one for each noun of the storage."""

from scoreboard.storage.sqlite.connection import Database


class Part:
    """Some of the storage's methods over the one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
