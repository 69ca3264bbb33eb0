"""The distinct scores of a board period: what dense ranks count."""

from sortedcontainers import SortedList


class Groups:
    """Groups of standings that share a rank, in order, each with the number of its standings."""

    def __init__(self) -> None:
        self._sorted: SortedList[bytes] = SortedList()
        self._sizes: dict[bytes, int] = {}

    def add(self, group: bytes) -> None:
        """One more standing in the group."""
        size = self._sizes.get(group, 0)
        if size == 0:
            self._sorted.add(group)
        self._sizes[group] = size + 1

    def remove(self, group: bytes) -> None:
        """One standing less in the group; an empty group is gone."""
        size = self._sizes[group]
        if size == 1:
            self._sorted.remove(group)
            del self._sizes[group]
        else:
            self._sizes[group] = size - 1

    def before(self, group: bytes) -> int:
        """How many groups are better than this one, which need not be there."""
        return self._sorted.bisect_left(group)
