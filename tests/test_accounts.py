import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from scoreboard.accounts import Accounts
from scoreboard.admission.memory import MemoryAdmissions
from scoreboard.attempts.base import patience
from scoreboard.attempts.memory import MemoryAttempts
from scoreboard.audit import Audit
from scoreboard.clock import SECOND, ManualClock
from scoreboard.errors import (
    BadRequest,
    Forbidden,
    PlayerBanned,
    RateLimited,
    Unauthenticated,
    Unavailable,
    UsernameTaken,
)
from scoreboard.model import Player
from scoreboard.passwords import Passwords
from scoreboard.storage.base import MAX_LIVE_SESSIONS
from scoreboard.storage.sqlite import SqliteStorage
from scoreboard.tokens import AccessTokens, Claims, Keyring, RefreshTokens
from scoreboard.wire import ChangePassword, Exchange, Login, Refresh, Register, SignedIn
from tests.trail import told

OLD, NEW = b"o" * 32, b"n" * 32
ADDRESS, AGENT = "203.0.113.7", "tests"
TTL_S = 86_400
TRIES = 5


class Server(NamedTuple):
    """Accounts and what they stand on; `renames` are the players told to `renamed`."""

    accounts: Accounts
    storage: SqliteStorage
    admissions: MemoryAdmissions
    access: AccessTokens
    passwords: Passwords
    clock: ManualClock
    renames: list[Player]


def build(storage: SqliteStorage, passwords: Passwords, clock: ManualClock, keyring: Keyring) -> Server:
    renames: list[Player] = []

    async def renamed(player: Player) -> None:
        renames.append(player)

    admissions = MemoryAdmissions(clock, 0)
    access = AccessTokens(keyring, "here", "players", 900, clock)
    accounts = Accounts(
        storage,
        access,
        RefreshTokens(keyring),
        passwords,
        admissions,
        MemoryAttempts(clock, patience(TRIES)),
        clock,
        refresh_ttl_s=TTL_S,
        grace_s=10,
        renamed=renamed,
        audit=Audit(storage, clock, keyring),
    )
    return Server(accounts, storage, admissions, access, passwords, clock, renames)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    storage = await SqliteStorage.open(tmp_path / "scoreboard.db")
    passwords = Passwords(64, time_cost=1, memory_cost_kib=8)
    # The access tokens' library reads the machine's clock, so this one starts there.
    yield build(storage, passwords, ManualClock(int(time.time()) * SECOND), Keyring.from_secrets(OLD))
    passwords.close()
    await storage.close()


def restarted(server: Server, keyring: Keyring | None = None) -> Server:
    """Another process on the same database, which has learnt nothing yet."""
    return build(server.storage, server.passwords, server.clock, keyring or Keyring.from_secrets(OLD))


async def register(server: Server, username: str = "ada", password: str = "correct horse") -> SignedIn:
    return await server.accounts.register(Register(username=username, password=password), ADDRESS, AGENT)


async def login(server: Server, username: str = "ada", password: str = "correct horse") -> SignedIn:
    return await server.accounts.login(Login(username=username, password=password), ADDRESS, AGENT)


async def refresh(server: Server, token: str) -> SignedIn:
    return await server.accounts.refresh(Refresh(refresh_token=token), ADDRESS, AGENT)


async def exchange(server: Server, player_id: str, name: str | None = None) -> SignedIn:
    return await server.accounts.exchange(Exchange(player_id=player_id, name=name), "key-1", ADDRESS, AGENT)


async def claims_of(server: Server, signed_in: SignedIn) -> Claims:
    return await server.access.verify(signed_in.access_token)


async def acts(server: Server) -> list[str]:
    return [entry.act for entry in await told(server.storage)]


async def test_who_registers_is_signed_in(server: Server) -> None:
    signed_in = await register(server)
    assert signed_in.player.id.startswith("p_")
    assert len(signed_in.player.id) == 22
    assert (signed_in.player.name, signed_in.player.role) == ("ada", "player")
    assert (signed_in.expires_in, signed_in.token_type) == (900, "Bearer")
    claims = await claims_of(server, signed_in)
    assert (claims.player_id, claims.role) == (signed_in.player.id, "player")
    assert (await server.accounts.live(claims)).player_id == signed_in.player.id


async def test_a_display_name_need_not_be_the_username(server: Server) -> None:
    named = Register(username="ada", password="correct horse", name="  Ada <Lovelace> 🧮 ")
    assert (await server.accounts.register(named, ADDRESS, AGENT)).player.name == "Ada <Lovelace> 🧮"


@pytest.mark.parametrize("username", ["ada", "ADA", "аdа", " ada "])
async def test_a_username_like_one_in_use_is_taken(server: Server, username: str) -> None:
    await register(server)
    with pytest.raises(UsernameTaken):
        await register(server, username)


async def test_of_two_who_register_one_name_at_once_one_gets_it(server: Server) -> None:
    answers = await asyncio.gather(register(server), register(server, "Ada"), return_exceptions=True)
    assert {type(answer) for answer in answers} == {SignedIn, UsernameTaken}


@pytest.mark.parametrize(("username", "name"), [("a b", None), ("a\u200bb", None), ("ada", "\u2800"), ("x" * 33, None)])
async def test_a_bad_name_registers_nobody(server: Server, username: str, name: str | None) -> None:
    with pytest.raises(BadRequest):
        await server.accounts.register(Register(username=username, password="correct horse", name=name), ADDRESS, AGENT)
    assert await acts(server) == []


async def test_login_takes_the_username_in_any_case(server: Server) -> None:
    registered = await register(server)
    assert (await login(server, "ADA")).player == registered.player


async def test_an_unknown_user_and_a_wrong_password_get_the_same_answer(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(server)
    verifications: list[bool] = []
    verify = Passwords.verify

    async def counting(passwords: Passwords, stored: str | None, password: str, *, known: bool = False) -> bool:
        verifications.append(await verify(passwords, stored, password, known=known))
        return verifications[-1]

    monkeypatch.setattr(Passwords, "verify", counting)
    answers = []
    for username, password in (("ada", "wrong horse"), ("eve", "correct horse"), ("no such\x00name", ""), ("", "")):
        with pytest.raises(Unauthenticated) as refused:
            await login(server, username, password)
        answers.append((type(refused.value), str(refused.value), refused.value.detail))
    assert len(set(answers)) == 1
    # Each costs one verification.
    assert verifications == [False] * 4


async def test_a_banned_player_cannot_sign_in_or_stay(server: Server) -> None:
    signed_in = await register(server)
    await server.storage.set_status(signed_in.player.id, "banned", server.clock.now())
    with pytest.raises(PlayerBanned):
        await login(server)
    with pytest.raises(PlayerBanned):
        await refresh(server, signed_in.refresh_token)
    with pytest.raises(PlayerBanned):
        await server.accounts.me(await claims_of(server, signed_in))
    with pytest.raises(PlayerBanned):
        await restarted(server).accounts.live(await claims_of(server, signed_in))
    with pytest.raises(Unauthenticated):
        await login(server, password="wrong horse")


async def test_a_refresh_token_is_followed_by_another_of_the_same_session(server: Server) -> None:
    first = await register(server)
    second = await refresh(server, first.refresh_token)
    third = await refresh(server, second.refresh_token)
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    sessions = {(await claims_of(server, each)).session_id for each in (first, second, third)}
    assert len(sessions) == 1
    assert third.player == first.player


async def test_a_repeat_within_the_grace_gets_the_same_successor(server: Server) -> None:
    first = await register(server)
    second = await refresh(server, first.refresh_token)
    server.clock.advance(9 * SECOND)
    assert (await refresh(server, first.refresh_token)).refresh_token == second.refresh_token
    assert await refresh(server, second.refresh_token)


async def test_a_repeat_after_the_grace_ends_the_session(server: Server) -> None:
    first = await register(server)
    second = await refresh(server, first.refresh_token)
    server.clock.advance(11 * SECOND)
    for token in (first.refresh_token, second.refresh_token):
        with pytest.raises(Unauthenticated):
            await refresh(server, token)
    with pytest.raises(Unauthenticated):
        await server.accounts.live(await claims_of(server, second))
    assert (await acts(server)).count("refresh.reuse") == 1


async def test_a_repeat_after_its_successor_was_used_ends_the_session(server: Server) -> None:
    first = await register(server)
    second = await refresh(server, first.refresh_token)
    third = await refresh(server, second.refresh_token)
    with pytest.raises(Unauthenticated):
        await refresh(server, first.refresh_token)
    with pytest.raises(Unauthenticated):
        await refresh(server, third.refresh_token)


async def test_reuse_leaves_the_players_other_sessions_alone(server: Server) -> None:
    stolen, other = await register(server), await login(server)
    await refresh(server, stolen.refresh_token)
    server.clock.advance(11 * SECOND)
    with pytest.raises(Unauthenticated):
        await refresh(server, stolen.refresh_token)
    assert await refresh(server, other.refresh_token)


async def test_racing_refreshes_all_get_the_same_successor(server: Server) -> None:
    first = await register(server)
    answers = await asyncio.gather(*(refresh(server, first.refresh_token) for _ in range(10)))
    assert len({answer.refresh_token for answer in answers}) == 1
    assert await refresh(server, answers[0].refresh_token)


async def test_the_successor_outlives_a_change_of_the_secret(server: Server) -> None:
    first = await register(server)
    second = await refresh(server, first.refresh_token)
    rotated = restarted(server, Keyring.from_secrets(NEW, [OLD]))
    assert (await refresh(rotated, first.refresh_token)).refresh_token == second.refresh_token
    third = await refresh(rotated, second.refresh_token)
    assert await refresh(restarted(server, Keyring.from_secrets(NEW)), third.refresh_token)


async def test_a_session_ends_at_its_time(server: Server) -> None:
    first = await register(server)
    claims = await claims_of(server, first)
    server.clock.advance(TTL_S * SECOND)
    with pytest.raises(Unauthenticated):
        await refresh(server, first.refresh_token)
    with pytest.raises(Unauthenticated):
        await server.accounts.live(claims)
    with pytest.raises(Unauthenticated):
        await restarted(server).accounts.live(claims)


async def test_a_session_in_use_does_not_end(server: Server) -> None:
    signed_in = await register(server)
    claims = await claims_of(server, signed_in)
    for _ in range(3):
        server.clock.advance((TTL_S - 1) * SECOND)
        signed_in = await refresh(server, signed_in.refresh_token)
        assert await server.accounts.live(claims)
        assert await restarted(server).accounts.live(claims)


async def test_a_genuine_token_of_a_session_nobody_knows_is_refused(server: Server) -> None:
    forged = RefreshTokens(Keyring.from_secrets(OLD)).make("019abcde-0000-7000-8000-000000000001", 0)
    with pytest.raises(Unauthenticated):
        await refresh(server, forged)


async def test_logout_ends_one_session_at_once_and_everywhere(server: Server) -> None:
    one, other = await register(server), await login(server)
    claims = await claims_of(server, one)
    await server.accounts.logout(claims)
    for process in (server, restarted(server)):
        with pytest.raises(Unauthenticated):
            await process.accounts.live(claims)
        assert await process.accounts.live(await claims_of(server, other))
    with pytest.raises(Unauthenticated):
        await refresh(server, one.refresh_token)
    await server.accounts.logout(claims)


async def test_a_session_ended_before_it_was_known_here_stays_ended(server: Server) -> None:
    claims = await claims_of(server, await register(server))
    process = restarted(server)
    await process.accounts.logout(claims)
    with pytest.raises(Unauthenticated):
        await process.accounts.live(claims)


async def test_logout_all_ends_every_session_of_this_player_only(server: Server) -> None:
    mine = [await register(server), await login(server)]
    theirs = await register(server, "bob")
    await server.accounts.logout_all(await claims_of(server, mine[0]))
    for signed_in in mine:
        with pytest.raises(Unauthenticated):
            await server.accounts.live(await claims_of(server, signed_in))
    assert await server.accounts.live(await claims_of(server, theirs))


async def test_claims_for_another_players_session_are_refused(server: Server) -> None:
    ada = await claims_of(server, await register(server))
    bob = await claims_of(server, await register(server, "bob"))
    with pytest.raises(Unauthenticated):
        await server.accounts.live(msgspec.structs.replace(ada, session_id=bob.session_id))


async def test_a_new_password_replaces_the_old_and_ends_the_other_sessions(server: Server) -> None:
    here, elsewhere = await register(server), await login(server)
    request = ChangePassword(password="correct horse", new_password="battery staple")
    await server.accounts.change_password(await claims_of(server, here), request, ADDRESS)
    assert await server.accounts.live(await claims_of(server, here))
    with pytest.raises(Unauthenticated):
        await server.accounts.live(await claims_of(server, elsewhere))
    with pytest.raises(Unauthenticated):
        await login(server)
    assert await login(server, password="battery staple")


async def test_a_password_that_is_guessed_at_is_looked_at_no_more(server: Server) -> None:
    await register(server)
    for _ in range(TRIES):
        with pytest.raises(Unauthenticated):
            await login(server, password="wrong horse")
    with pytest.raises(RateLimited) as refused:
        await login(server)
    assert refused.value.retry_after_s == pytest.approx(1, abs=0.1)
    server.clock.advance(SECOND)
    assert await login(server)
    assert await acts(server) == ["register", *["login.failed"] * TRIES, "login"]


async def test_names_that_nobody_has_are_guessed_at_as_slowly(server: Server) -> None:
    for username in ("nobody", "no such name"):
        for _ in range(TRIES):
            with pytest.raises(Unauthenticated):
                await login(server, username)
        with pytest.raises(RateLimited):
            await login(server, username)


async def test_whoever_guesses_from_everywhere_does_not_lock_the_owner_out(server: Server) -> None:
    await register(server)
    await login(server)
    guess = Login(username="ada", password="wrong horse")
    answers = await asyncio.gather(
        *(server.accounts.login(guess, f"198.51.100.{number}", AGENT) for number in range(10 * TRIES)),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers].count(Unauthenticated) == 4 * TRIES
    with pytest.raises(RateLimited):
        await server.accounts.login(guess, "203.0.113.99", AGENT)
    assert await login(server)


async def test_a_sign_in_that_the_server_could_not_look_at_is_no_wrong_password(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(server)

    async def away(storage: SqliteStorage, skeleton: str) -> None:
        raise Unavailable

    monkeypatch.setattr(SqliteStorage, "credentials", away)
    for _ in range(10 * TRIES):
        with pytest.raises(Unavailable):
            await login(server)
    monkeypatch.undo()
    assert await login(server)


async def test_the_old_password_cannot_be_guessed_with_a_stolen_token_either(server: Server) -> None:
    claims = await claims_of(server, await register(server))
    guess = ChangePassword(password="wrong horse", new_password="battery staple")
    for _ in range(TRIES):
        with pytest.raises(Forbidden):
            await server.accounts.change_password(claims, guess, ADDRESS)
    with pytest.raises(RateLimited):
        await server.accounts.change_password(claims, guess, ADDRESS)


async def test_the_old_password_is_needed_for_a_new_one(server: Server) -> None:
    claims = await claims_of(server, await register(server))
    with pytest.raises(Forbidden):
        await server.accounts.change_password(
            claims, ChangePassword(password="wrong", new_password="battery staple"), ADDRESS
        )
    assert await login(server)
    backends = await claims_of(server, await exchange(server, "steam:7"))
    with pytest.raises(Forbidden):
        await server.accounts.change_password(
            backends, ChangePassword(password="", new_password="battery staple"), ADDRESS
        )


async def test_a_sign_in_with_a_password_that_is_replaced_meanwhile_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = await claims_of(server, await register(server))
    verify = Passwords.verify

    async def replaced_after(passwords: Passwords, stored: str | None, password: str, *, known: bool = False) -> bool:
        right = await verify(passwords, stored, password, known=known)
        monkeypatch.setattr(Passwords, "verify", verify)
        request = ChangePassword(password="correct horse", new_password="battery staple")
        await server.accounts.change_password(claims, request, ADDRESS)
        return right

    monkeypatch.setattr(Passwords, "verify", replaced_after)
    with pytest.raises(Unauthenticated):
        await login(server)
    assert await acts(server) == ["register", "password.change", "login"]
    monkeypatch.setattr(Passwords, "verify", replaced_after)
    with pytest.raises(Forbidden):
        await server.accounts.change_password(
            claims, ChangePassword(password="battery staple", new_password="correct horse"), ADDRESS
        )


async def test_the_oldest_session_of_too_many_ends_at_once(server: Server) -> None:
    claims = [await claims_of(server, await exchange(server, "steam:7")) for _ in range(MAX_LIVE_SESSIONS + 1)]
    with pytest.raises(Unauthenticated):
        await server.accounts.live(claims[0])
    assert await server.accounts.live(claims[1])
    assert (await server.accounts.me(claims[-1])).sessions == MAX_LIVE_SESSIONS


async def test_me_and_sessions_tell_what_is_live(server: Server) -> None:
    first = await register(server)
    second = await server.accounts.login(Login(username="ada", password="correct horse"), "2001:db8::1", "x" * 999)
    claims = await claims_of(server, second)
    me = await server.accounts.me(claims)
    assert (me.id, me.name, me.role, me.sessions) == (first.player.id, "ada", "player", 2)
    listed = (await server.accounts.sessions(claims)).sessions
    assert [(each.address, each.current) for each in listed] == [("2001:db8::1", True), (ADDRESS, False)]
    assert len(listed[0].user_agent) == 256
    await server.accounts.logout(await claims_of(server, first))
    assert (await server.accounts.me(claims)).sessions == 1


async def test_a_user_agent_of_undecodable_bytes_is_no_obstacle(server: Server) -> None:
    await register(server)
    agent = b"agent \xff".decode("utf-8", "surrogateescape")
    await server.accounts.login(Login(username="ada", password="correct horse"), ADDRESS, agent)
    with pytest.raises(Unauthenticated):
        await server.accounts.login(Login(username="\ud800", password="correct horse"), ADDRESS, agent)


async def test_a_backend_signs_its_own_player_in(server: Server) -> None:
    first = await exchange(server, "steam:7656", "Ada")
    assert (first.player.id, first.player.name, first.player.role) == ("steam:7656", "Ada", "player")
    again = await exchange(server, "steam:7656")
    assert again.player == first.player
    assert (await server.accounts.live(await claims_of(server, again))).player_id == "steam:7656"
    assert server.renames == []


async def test_another_name_from_the_backend_is_told(server: Server) -> None:
    await exchange(server, "steam:7656", "Ada")
    renamed = await exchange(server, "steam:7656", "Countess")
    assert renamed.player.name == "Countess"
    assert [(player.id, player.name) for player in server.renames] == [("steam:7656", "Countess")]


async def test_a_backend_cannot_speak_for_players_registered_here(server: Server) -> None:
    registered = await register(server)
    with pytest.raises(BadRequest):
        await exchange(server, registered.player.id)
    with pytest.raises(BadRequest):
        await exchange(server, "steam:1", "\u202eevil")
    assert await server.storage.player("steam:1") is None


async def test_a_banned_player_of_a_backend_gets_no_session(server: Server) -> None:
    await exchange(server, "steam:7656", "Ada")
    await server.storage.set_status("steam:7656", "banned", server.clock.now())
    with pytest.raises(PlayerBanned):
        await exchange(server, "steam:7656", "Ada")


async def test_there_is_one_first_admin(server: Server) -> None:
    assert await server.accounts.ensure_admin("battery staple")
    assert not await server.accounts.ensure_admin("another one")
    signed_in = await login(server, "admin", "battery staple")
    assert signed_in.player.role == "admin"
    assert (await claims_of(server, signed_in)).role == "admin"
    with pytest.raises(UsernameTaken):
        await register(server, "аdmin")


async def test_what_happens_to_an_account_is_in_the_audit_log(server: Server) -> None:
    claims = await claims_of(server, await register(server))
    for password in ("wrong horse", "correct horse"):
        try:
            await login(server, password=password)
        except Unauthenticated:
            continue
    await server.accounts.change_password(
        claims, ChangePassword(password="correct horse", new_password="battery staple"), ADDRESS
    )
    await exchange(server, "steam:7")
    await server.accounts.logout(claims)
    await server.accounts.logout_all(claims)
    assert await acts(server) == [
        "register",
        "login.failed",
        "login",
        "password.change",
        "exchange",
        "logout",
        "logout.all",
    ]
    entries = await told(server.storage)
    assert {entry.actor for entry in entries if entry.act != "exchange"} == {f"player:{claims.player_id}"}
    details = " ".join(entry.detail or "" for entry in entries)
    assert ADDRESS in details
    assert "horse" not in details
