"""Processes as the kernel shows them."""

import os
from pathlib import Path


def helpers(pid: int | None = None) -> list[int]:
    """The processes that one has started to write for it, this one unless told."""
    lists = Path(f"/proc/{pid or os.getpid()}/task").glob("*/children")
    started = [child for each in lists for child in each.read_text().split()]
    return [int(child) for child in started if "sqlite.writer" in _command(child)]


def is_running(pid: int) -> bool:
    """Whether there is such a process, ended ones that nobody asked after included."""
    return Path(f"/proc/{pid}").exists()


def _command(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:  # it has ended
        return ""
