"""What a board's history fixes of its settings: by them its standings were made, and are made again."""

from scoreboard import periods
from scoreboard.errors import Conflict
from scoreboard.model import BoardSettings

_SETTLED = ("order", "operator", "tiebreakers", "timezone", "week_start")


def check_settled(before: BoardSettings, after: BoardSettings, now: int, *, frozen: bool = False) -> None:
    """Raise Conflict, naming them, where settings that are fixed once there are submissions would change at `now`.

    A frozen board gets no window: it would be filled from what is kept from view.
    """
    if frozen and not set(after.windows) <= set(before.windows):
        raise Conflict("A frozen board gets no new window; reveal it first.")
    changed = [name for name in _SETTLED if getattr(before, name) != getattr(after, name)]
    changed += [f"season {name}" for name in before.seasons if _moved(before, after, name, now)]
    if changed:
        raise Conflict(f"{', '.join(changed)} cannot change once the board has scores; make another board.")


def _moved(before: BoardSettings, after: BoardSettings, name: str, now: int) -> bool:
    """Whether a season is gone or has other dates. An end still to come may be put off, or brought forward to now."""
    if name not in after.seasons:
        return True
    start, end = periods.bounds(before, name, name)
    new_start, new_end = periods.bounds(after, name, name)
    return start != new_start or (end != new_end and min(end or 0, new_end or 0) < now)
