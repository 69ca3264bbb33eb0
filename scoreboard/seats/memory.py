"""The seats of a server that is alone."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType


class MemorySeats:
    """`Seats` in this process; only holders of seats are remembered."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    @property
    def taken(self) -> Mapping[str, int]:
        """The seats of each holder."""
        return MappingProxyType(self._taken)

    async def take(self, holder: str, cap: int) -> bool:
        """Take one more, if the cap allows it."""
        taken = self._taken.get(holder, 0)
        if cap and taken >= cap:
            return False
        self._taken[holder] = taken + 1
        return True

    def leave(self, holder: str) -> None:
        """Give one back."""
        if self._taken[holder] > 1:
            self._taken[holder] -= 1
        else:
            del self._taken[holder]

    async def keep(self) -> None:
        """There is nobody who must know."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nothing outlives the process."""
