import asyncio
import os
import threading
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from scoreboard.errors import Overloaded
from scoreboard.passwords import NICENESS, Passwords

COSTS = dict(Passwords.__init__.__kwdefaults__ or {})
"""Those of servers; in tests it costs less from here on."""


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    cheap = Passwords(8, time_cost=1, memory_cost_kib=8)
    yield cheap
    cheap.close()


async def test_only_the_right_password_verifies(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert await passwords.verify(stored, "correct horse")
    assert not await passwords.verify(stored, "correct horse ")
    assert not await passwords.verify(stored, "")


async def test_a_password_is_the_same_however_its_letters_are_composed(passwords: Passwords) -> None:
    assert await passwords.verify(await passwords.hash("p\u00e9p\u00e9"), "pe\u0301pe\u0301")


async def test_hashes_are_salted_argon2id_with_the_recommended_cost() -> None:
    passwords = Passwords(8, **COSTS)
    one, other = await passwords.hash("correct horse"), await passwords.hash("correct horse")
    passwords.close()
    assert one != other
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_nobody_has_no_password_but_costs_one_verification(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    verify = PasswordHasher.verify

    def counting(hasher: PasswordHasher, stored: str, password: bytes) -> bool:
        verified.append(stored)
        return verify(hasher, stored, password)

    stored = await passwords.hash("correct horse")
    monkeypatch.setattr(PasswordHasher, "verify", counting)
    assert not await passwords.verify(None, "correct horse")
    assert not await passwords.verify(stored, "wrong horse")
    # The same parameters in both, so the same work.
    assert [each.split("$")[:4] for each in verified] == [stored.split("$")[:4]] * 2


@pytest.mark.parametrize("stored", ["", "x", "$argon2id$v=19$m=8,t=1,p=1$!!$!!", "plain:correct horse"])
async def test_a_damaged_hash_matches_nothing(passwords: Passwords, stored: str) -> None:
    assert not await passwords.verify(stored, "correct horse")


async def test_what_does_not_fit_the_queue_is_refused_and_room_comes_back(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    calls = (passwords.verify(stored, "correct horse", known=True) for _ in range(20))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Overloaded)]
    assert len(refused) == 12
    assert all(answer.retry_after_s for answer in refused)
    assert await passwords.verify(await passwords.hash("again again"), "again again")


async def test_a_flood_of_strangers_leaves_room_for_those_who_are_known(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    flood = [asyncio.ensure_future(passwords.verify(stored, "guess")) for _ in range(20)]
    await asyncio.sleep(0)
    assert await passwords.verify(stored, "correct horse", known=True)
    answers = await asyncio.gather(*flood, return_exceptions=True)
    assert [answer for answer in answers if not isinstance(answer, Overloaded)] == [False] * 6


async def test_the_hashing_thread_gives_way_to_all_others() -> None:
    passwords = Passwords(8)
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    await passwords.hash("correct horse")
    (thread,) = (each for each in threading.enumerate() if each.name.startswith("passwords"))
    assert thread.native_id is not None
    assert os.getpriority(os.PRIO_PROCESS, thread.native_id) == min(before + NICENESS, 19)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
    passwords.close()


async def test_a_cancelled_call_gives_its_place_back(passwords: Passwords) -> None:
    calls = [asyncio.ensure_future(passwords.hash("correct horse")) for _ in range(6)]
    await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert await asyncio.gather(*(passwords.hash("correct horse") for _ in range(6)))


async def test_thirty_logins_at_once_leave_the_loop_running() -> None:
    passwords = Passwords(40, **COSTS)
    stored = await passwords.hash("correct horse")
    logins = asyncio.gather(*(passwords.verify(stored, "wrong horse") for _ in range(30)))
    turns = 0
    while not logins.done():
        turns += 1
        await asyncio.sleep(0)
    passwords.close()
    assert await logins == [False] * 30
    # Were the hashing done on the loop, each login would allow a few turns only.
    assert turns > 300
