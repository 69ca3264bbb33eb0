"""What every storage promises of players, sessions and API keys."""

from typing import Any

import pytest

from scoreboard.clock import DAY
from scoreboard.errors import UsernameTaken
from scoreboard.model import ApiKey, Player, Role, Session, SessionState
from scoreboard.storage.base import MAX_LIVE_SESSIONS, Credentials
from tests.storage.contract import Contract
from tests.storage.world import World


async def registered(world: World, player_id: str = "p_ada", role: Role = "player") -> Player:
    player = Player(player_id, player_id.title(), role, world.clock.now(), username=f"{player_id}!")
    await world.storage.register(player, f"skeleton of {player_id}", "hash")
    return player


def signed_in(world: World, session_id: str, player_id: str = "p_ada", **fields: Any) -> Session:
    now = world.clock.now()
    return Session(session_id, player_id, now, now + DAY, b"\x00" * 32, address="::1", user_agent="test", **fields)


class PlayersContract(Contract):
    async def test_a_registered_player_is_found_by_id_and_skeleton(self, world: World) -> None:
        player = await registered(world)
        assert await world.storage.player("p_ada") == player
        assert await world.storage.credentials("skeleton of p_ada") == Credentials(player, "hash")
        assert await world.storage.player("nobody") is None
        assert await world.storage.credentials("nobody") is None

    async def test_a_username_that_looks_like_a_taken_one_is_refused(self, world: World) -> None:
        await registered(world)
        other = Player("p_eve", "Eve", "player", world.clock.now(), username="eve")
        with pytest.raises(UsernameTaken):
            await world.storage.register(other, "skeleton of p_ada", "other hash")
        assert await world.storage.player("p_eve") is None
        assert await world.storage.password_hash("p_ada") == "hash"

    async def test_a_password_is_replaced(self, world: World) -> None:
        await registered(world)
        assert await world.storage.set_password("p_ada", "hash", "new hash", world.clock.now(), "here") == ()
        assert await world.storage.password_hash("p_ada") == "new hash"
        assert await world.storage.password_hash("nobody") is None

    async def test_a_replaced_password_ends_the_other_sessions_with_it(self, world: World) -> None:
        await registered(world)
        for name in ("here", "s1", "s2"):
            await world.storage.open_session(signed_in(world, name))
        now = world.clock.now()
        assert sorted(await world.storage.set_password("p_ada", "hash", "new hash", now, "here") or ()) == ["s1", "s2"]
        assert [session.id for session in await world.storage.sessions("p_ada", now)] == ["here"]

    async def test_a_password_that_was_replaced_meanwhile_stays(self, world: World) -> None:
        await registered(world)
        await world.storage.open_session(signed_in(world, "s1"))
        now = world.clock.now()
        assert await world.storage.set_password("p_ada", "older hash", "new hash", now, "here") is None
        assert await world.storage.password_hash("p_ada") == "hash"
        assert await world.storage.session_count("p_ada", now) == 1

    async def test_only_an_admin_makes_the_server_administered(self, world: World) -> None:
        await registered(world, "p_mod", "moderator")
        assert not await world.storage.has_admin()
        await registered(world, "p_root", "admin")
        assert await world.storage.has_admin()

    async def test_a_backends_player_is_created_once_and_renamed(self, world: World) -> None:
        created = await world.storage.upsert_player("steam:1", None, world.clock.now())
        assert (created.player.name, created.player.revision, created.changed) == ("steam:1", 1, False)
        renamed = await world.storage.upsert_player("steam:1", "Ada", world.clock.now())
        assert (renamed.player.name, renamed.player.revision, renamed.changed) == ("Ada", 2, True)
        for name in ("Ada", None):
            same = await world.storage.upsert_player("steam:1", name, world.clock.now())
            assert (same.player, same.changed) == (renamed.player, False)
        assert await world.storage.password_hash("steam:1") is None

    async def test_many_players_have_no_username(self, world: World) -> None:
        for player_id in ("a", "b"):
            await world.storage.upsert_player(player_id, 'quote " <b> \u202f\N{PARTY POPPER}', world.clock.now())
        player = await world.storage.player("b")
        assert player is not None
        assert player.name == 'quote " <b> \u202f\N{PARTY POPPER}'


class SessionsContract(Contract):
    async def test_a_session_is_kept_as_it_was_opened(self, world: World) -> None:
        await registered(world, role="moderator")
        session = signed_in(world, "s1")
        await world.storage.open_session(session)
        assert await world.storage.session("s1") == session
        state = SessionState("s1", "p_ada", "moderator", session.expires_at, revoked=False, banned=False)
        assert await world.storage.session_state("s1") == state
        assert await world.storage.session("s2") is None
        assert await world.storage.session_state("s2") is None

    async def test_no_session_is_opened_by_a_password_that_was_replaced(self, world: World) -> None:
        await registered(world)
        assert await world.storage.open_session(signed_in(world, "s1"), "hash") == ()
        assert await world.storage.open_session(signed_in(world, "s2"), "older hash") is None
        assert await world.storage.session("s2") is None

    async def test_one_session_too_many_ends_the_oldest(self, world: World) -> None:
        await registered(world)
        for number in range(MAX_LIVE_SESSIONS):
            assert await world.storage.open_session(signed_in(world, f"s{number}")) == ()
        assert await world.storage.open_session(signed_in(world, "one more")) == ("s0",)
        now = world.clock.now()
        live = await world.storage.sessions("p_ada", now)
        assert (len(live), live[0].id, live[-1].id) == (MAX_LIVE_SESSIONS, "one more", "s1")
        assert await world.storage.session_count("p_ada", now) == MAX_LIVE_SESSIONS

    async def test_expired_sessions_are_forgotten_and_others_kept(self, world: World) -> None:
        await registered(world)
        await world.storage.open_session(signed_in(world, "old"))
        world.clock.advance(DAY)
        await world.storage.open_session(signed_in(world, "new"))
        assert await world.storage.sweep(world.clock.now()) == 1
        assert await world.storage.sweep(world.clock.now()) == 0
        assert await world.storage.session("old") is None
        assert await world.storage.session("new") is not None

    async def test_a_session_tells_of_its_revocation_and_its_players_ban(self, world: World) -> None:
        await registered(world)
        await world.storage.open_session(signed_in(world, "s1"))
        await world.storage.revoke_session("s1", 111)
        await world.storage.revoke_session("s1", 222)
        await world.storage.set_status("p_ada", "banned", world.clock.now())
        state = await world.storage.session_state("s1")
        session = await world.storage.session("s1")
        assert state is not None
        assert session is not None
        assert (state.revoked, state.banned, session.revoked_at) == (True, True, 111)

    async def test_of_two_rotations_from_one_counter_one_succeeds(self, world: World) -> None:
        await registered(world)
        opened = signed_in(world, "s1")
        await world.storage.open_session(opened)
        assert await world.storage.rotate_session("s1", 0, b"\x01" * 32, 77, opened.expires_at + 5)
        assert not await world.storage.rotate_session("s1", 0, b"\x02" * 32, 78, opened.expires_at + 6)
        session = await world.storage.session("s1")
        assert session is not None
        assert (session.counter, session.token_hash, session.previous_hash) == (1, b"\x01" * 32, opened.token_hash)
        assert (session.rotated_at, session.last_used_at, session.expires_at) == (77, 77, opened.expires_at + 5)

    async def test_a_revoked_session_does_not_rotate(self, world: World) -> None:
        await registered(world)
        opened = signed_in(world, "s1")
        await world.storage.open_session(opened)
        await world.storage.revoke_session("s1", world.clock.now())
        assert not await world.storage.rotate_session("s1", 0, b"\x01" * 32, world.clock.now(), opened.expires_at)

    async def test_revoking_all_but_one_names_those_that_ended(self, world: World) -> None:
        await registered(world)
        await registered(world, "p_bob")
        for name in ("s1", "s2", "s3"):
            await world.storage.open_session(signed_in(world, name))
        await world.storage.open_session(signed_in(world, "bobs", "p_bob"))
        await world.storage.open_session(signed_in(world, "ended", revoked_at=5))
        now = world.clock.now()
        assert [session.id for session in await world.storage.sessions("p_ada", now)] == ["s3", "s2", "s1"]
        assert sorted(await world.storage.revoke_sessions("p_ada", now, "s2")) == ["s1", "s3"]
        assert [session.id for session in await world.storage.sessions("p_ada", now)] == ["s2"]
        assert await world.storage.revoke_sessions("p_ada", now) == ("s2",)
        assert len(await world.storage.sessions("p_bob", now)) == 1

    async def test_an_expired_session_is_not_live(self, world: World) -> None:
        await registered(world)
        session = signed_in(world, "s1")
        await world.storage.open_session(session)
        assert await world.storage.sessions("p_ada", session.expires_at) == ()
        assert await world.storage.revoke_sessions("p_ada", session.expires_at) == ()


class KeysContract(Contract):
    async def test_a_key_is_found_by_its_digest_and_ends_once(self, world: World) -> None:
        old = ApiKey("k1", "game", b"\x01" * 32, ("write", "import"), 10)
        new = ApiKey("k0", "ops", b"\x02" * 32, ("admin",), 20)
        await world.storage.add_key(new)
        await world.storage.add_key(old)
        assert await world.storage.key(b"\x01" * 32) == old
        assert await world.storage.key(b"\x03" * 32) is None
        assert await world.storage.keys() == (old, new)
        assert await world.storage.revoke_key("k1", 33)
        assert await world.storage.revoke_key("k1", 44)
        revoked = await world.storage.key(b"\x01" * 32)
        assert revoked is not None
        assert revoked.revoked_at == 33
        assert not await world.storage.revoke_key("k9", 33)
