"""A self-hosted live scoreboard server, to run by itself or to mount inside another aiohttp application.

::

    outer.add_subapp("/scores/", scoreboard.create_app(scoreboard.load_settings(None, os.environ)))

The names are loaded when they are first used, so that importing one module of the package does not import all.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scoreboard.app import create_app
    from scoreboard.config import Settings, load_settings

__all__ = ["Settings", "__version__", "create_app", "load_settings"]
__version__ = "0.1.0"

_HOMES = {"Settings": "scoreboard.config", "create_app": "scoreboard.app", "load_settings": "scoreboard.config"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'scoreboard' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
