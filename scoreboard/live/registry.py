"""The open connections of this process, by player and by session."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from scoreboard.live.farewell import BANNED, SESSION_ENDED, Farewell


class Connection(Protocol):
    """Something that can be told to go. Hashed by identity."""

    @property
    def player_id(self) -> str | None:
        """Who is connected; None before sign-in and for spectators."""

    @property
    def session_id(self) -> str | None:
        """Under which session."""

    def part(self, farewell: Farewell) -> None:
        """Say goodbye and close; never waits, and a second time does nothing."""

    def abort(self) -> None:
        """Cut the connection without a word."""


class Registry:
    """Finds connections. Its size is bounded by the caps on sockets."""

    def __init__(self) -> None:
        self._all: set[Connection] = set()
        self._of_player: dict[str, set[Connection]] = {}
        self._of_session: dict[str, set[Connection]] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        """How many connections there are."""
        return len(self._all)

    def add(self, connection: Connection) -> None:
        """A connection was opened."""
        self._all.add(connection)
        self._empty.clear()
        self.identified(connection)

    def identified(self, connection: Connection) -> None:
        """File the connection under its player and session; `release` it before either changes."""
        if connection.player_id is not None:
            self._of_player.setdefault(connection.player_id, set()).add(connection)
        if connection.session_id is not None:
            self._of_session.setdefault(connection.session_id, set()).add(connection)

    def release(self, connection: Connection) -> None:
        """Take the connection from under its player and session, before they change."""
        _discard(self._of_player, connection.player_id, connection)
        _discard(self._of_session, connection.session_id, connection)

    def remove(self, connection: Connection) -> None:
        """A connection is gone."""
        self.release(connection)
        self._all.discard(connection)
        if not self._all:
            self._empty.set()

    def all(self) -> tuple[Connection, ...]:
        """Every open connection."""
        return tuple(self._all)

    def of_player(self, player_id: str) -> int:
        """How many connections a player has."""
        return len(self._of_player.get(player_id, ()))

    def players(self) -> int:
        """How many players are connected."""
        return len(self._of_player)

    def sessions(self) -> tuple[str, ...]:
        """The sessions of all connections."""
        return tuple(self._of_session)

    def close_sessions(self, session_ids: Iterable[str]) -> None:
        """These sessions have ended."""
        for session_id in session_ids:
            self._part(self._of_session.get(session_id, ()), SESSION_ENDED)

    def close_player(self, player_id: str, farewell: Farewell = BANNED) -> None:
        """Part from every connection of a player."""
        self._part(self._of_player.get(player_id, ()), farewell)

    async def emptied(self) -> None:
        """Return when no connection is left."""
        await self._empty.wait()

    def _part(self, connections: Iterable[Connection], farewell: Farewell) -> None:
        for connection in tuple(connections):
            connection.part(farewell)


def _discard(index: dict[str, set[Connection]], key: str | None, connection: Connection) -> None:
    filed = index.get(key) if key is not None else None
    if key is None or filed is None:
        return
    filed.discard(connection)
    if not filed:
        del index[key]
