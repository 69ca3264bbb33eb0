"""The names of players, the newest of each, shared by all periods."""

from collections.abc import Callable, Mapping


class Names:
    """Display names by player id, each with the revision it came with."""

    def __init__(self) -> None:
        # Two dicts of plain values, not one of pairs: the garbage collector does not track those.
        self._names: dict[str, str] = {}
        self._revisions: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, player_id: str) -> bool:
        return player_id in self._names

    @property
    def shown(self) -> Mapping[str, str]:
        """The names as they are now."""
        return self._names

    def take(self, player_id: str, name: str, revision: int) -> bool:
        """Take in a name unless a newer one is known; tells whether a known name was replaced by another."""
        known = self._revisions.get(player_id)
        if known is not None and revision < known:
            return False
        before = self._names.get(player_id)
        self._revisions[player_id] = revision
        self._names[player_id] = name
        return before is not None and before != name

    def keep(self, wanted: Callable[[str], bool]) -> None:
        """Forget the names of players that are not wanted."""
        self._names = {player_id: name for player_id, name in self._names.items() if wanted(player_id)}
        self._revisions = {player_id: self._revisions[player_id] for player_id in self._names}
