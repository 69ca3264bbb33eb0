"""The system of record in one SQLite file.

The storage is loaded when it is first used: the writer process is of this package too, and does without.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scoreboard.storage.sqlite.storage import SqliteStorage

__all__ = ["SqliteStorage"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.storage"), name)
