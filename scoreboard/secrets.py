"""Files that hold a secret: readable by their owner only, written once, whole or not at all."""

import logging
import os
import secrets
import tempfile
from pathlib import Path

from scoreboard.errors import ConfigError

log = logging.getLogger(__name__)

_OTHERS = 0o077


def load_or_create_secret(path: Path) -> bytes:
    """The secret in the file, made at first use (64 random characters). Raises ConfigError if it cannot be read."""
    write_once(path, secrets.token_urlsafe(48))
    return load_secret(path)


def load_secret(path: Path) -> bytes:
    """The content of a secret file without white space around it; warns if others may read it. Raises ConfigError."""
    try:
        if path.stat().st_mode & _OTHERS:
            log.warning("%s can be read by other users of this machine: chmod 600 %s", path, path)
        return path.read_bytes().strip()
    except OSError as fault:
        raise ConfigError(f"cannot read {path}: {fault.strerror}") from fault


def write_once(path: Path, text: str) -> bool:
    """Create the file with mode 0600 and one line of text; False, and nothing changed, where it exists.

    It appears complete or not at all, also after a crash, and of two processes one wins. Raises ConfigError.
    """
    if path.exists():
        return False
    try:
        return _publish(path, text + "\n")
    except OSError as fault:
        raise ConfigError(f"cannot write {path}: {fault.strerror}") from fault


def _publish(path: Path, text: str) -> bool:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # O_EXCL, mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.link(name, path)  # unlike a rename, a link never replaces
    except FileExistsError:
        return False
    finally:
        os.unlink(name)
    _sync_folder(path.parent)
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
