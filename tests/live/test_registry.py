import asyncio

from scoreboard.live.farewell import BANNED, SESSION_ENDED, Farewell
from scoreboard.live.registry import Registry


class Door:
    """A connection that remembers how it was told to go."""

    def __init__(self, player_id: str | None = None, session_id: str | None = None) -> None:
        self.player_id = player_id
        self.session_id = session_id
        self.farewells: list[Farewell] = []

    def part(self, farewell: Farewell) -> None:
        self.farewells.append(farewell)

    def abort(self) -> None:
        raise AssertionError("nobody is cut here")


def test_the_end_of_a_session_closes_its_connections_only() -> None:
    registry = Registry()
    ended, other = Door("ada", "s1"), Door("ada", "s2")
    for door in (ended, other):
        registry.add(door)
    registry.close_sessions(["s1", "s9"])
    assert (ended.farewells, other.farewells) == ([SESSION_ENDED], [])


def test_a_ban_closes_all_connections_of_the_player() -> None:
    registry = Registry()
    doors = [Door("ada", "s1"), Door("ada", "s2"), Door("bob", "s3"), Door()]
    for door in doors:
        registry.add(door)
    assert (registry.of_player("ada"), registry.players(), len(registry)) == (2, 2, 4)
    registry.close_player("ada")
    assert [door.farewells for door in doors] == [[BANNED], [BANNED], [], []]


def test_a_connection_is_found_under_whom_it_belongs_to_now() -> None:
    registry, door = Registry(), Door()
    registry.add(door)
    registry.release(door)
    door.player_id, door.session_id = "ada", "s1"
    registry.identified(door)
    registry.release(door)
    door.player_id = "bob"
    registry.identified(door)
    assert (registry.of_player("ada"), registry.of_player("bob")) == (0, 1)
    registry.remove(door)
    assert (registry.players(), len(registry)) == (0, 0)


async def test_emptied_waits_for_the_last_connection() -> None:
    registry, door = Registry(), Door()
    registry.add(door)
    waiting = asyncio.ensure_future(registry.emptied())
    await asyncio.sleep(0)
    assert not waiting.done()
    registry.remove(door)
    await asyncio.wait_for(waiting, 5)
