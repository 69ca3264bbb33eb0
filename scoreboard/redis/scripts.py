"""Lua scripts: a file each, sent once and called by digest."""

import hashlib
from importlib.resources import files

from msgspec import Struct


class Script(Struct, frozen=True):
    """A script's text and the hexadecimal SHA-1 that Redis calls it by."""

    text: str
    digest: str


def load_script(package: str, *names: str) -> Script:
    """The script made of these files of a package, one after the other: the last one uses what stands before it."""
    text = "\n".join(files(package).joinpath(f"{name}.lua").read_text(encoding="utf-8") for name in names)
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
